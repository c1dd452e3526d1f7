"""Server reflection that is loaded when it is first asked for: nobody else pays for its import."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc


class Reflection(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Adds `grpc.reflection.v1alpha.ServerReflection` to a server at its first call.

    Parameters
    ----------
    services
        Full names of the services that it tells of, besides itself.
    """

    def __init__(self, server: grpc.aio.Server, services: Sequence[str]) -> None:
        self._server = server
        self._services = services
        self._added = False

    def service(self, handler_call_details: Any) -> None:
        """Answer nothing itself: the handler that it adds is asked next."""
        if self._added or not handler_call_details.method.startswith("/grpc.reflection."):
            return
        from grpc_reflection.v1alpha import reflection

        self._added = True
        names = (*self._services, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)
