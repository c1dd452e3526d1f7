"""Lets in only who knows the token."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from bshm_bridge.errors import NotAuthenticated
from bshm_bridge.service.failures import reported

_OPEN_TO_ALL = "/grpc.health.v1.Health/"


class TokenInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Refuses every call without ``authorization: Bearer TOKEN``, but health checks.

    Parameters
    ----------
    on_call
        Called for each call that is let in, health checks not counted.
    """

    def __init__(self, token: str, on_call: Callable[[], None]) -> None:
        self._expected = f"Bearer {token}".encode()
        self._on_call = on_call

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        details: grpc.HandlerCallDetails,
    ) -> Any:
        if details.method.startswith(_OPEN_TO_ALL):
            return await continuation(details)
        given = dict(details.invocation_metadata or ()).get("authorization", "")
        if not hmac.compare_digest(str(given).encode(), self._expected):
            return _REFUSAL
        self._on_call()
        return await continuation(details)


async def _refuse(requests: Any, context: Any) -> None:
    async with reported(context):
        raise NotAuthenticated(
            "The service did not accept the token: restart the editor, or run `bshm stop`."
        )


# Answers before it reads, so it serves unary calls as well.
_REFUSAL = grpc.stream_stream_rpc_method_handler(_refuse)
