"""The service's calls over grpclib, and its failures as the client's exceptions."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from grpclib.client import (
    Channel,
    StreamStreamMethod,
    UnaryStreamMethod,
    UnaryUnaryMethod,
)
from grpclib.config import Configuration
from grpclib.const import Status
from grpclib.encoding.proto import ProtoCodec
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError
from grpclib.protocol import H2Protocol
from h2.settings import SettingCodes

from bridge_client.connection import Connection
from bridge_client.errors import (
    BadRequest,
    BridgeError,
    Busy,
    Cancelled,
    CannotMatte,
    NotAllowed,
    ServiceLost,
    TimedOut,
)
from bshm.bridge.v1 import matting_pb2 as pb

_ERRORS: dict[Status, type[BridgeError]] = {
    Status.INVALID_ARGUMENT: BadRequest,
    Status.NOT_FOUND: CannotMatte,
    Status.FAILED_PRECONDITION: CannotMatte,
    Status.UNAUTHENTICATED: NotAllowed,
    Status.PERMISSION_DENIED: NotAllowed,
    Status.RESOURCE_EXHAUSTED: Busy,
    Status.UNAVAILABLE: ServiceLost,
    Status.DEADLINE_EXCEEDED: TimedOut,
    Status.CANCELLED: Cancelled,
}

_WINDOW = 64 << 20
_FRAME = 2 << 20  # a chunk of pixels, its message and then some

LOST = "The bshm service stopped while it was working: nothing was changed, please try again."


class _Protocol(H2Protocol):  # type: ignore[misc]
    """Moves pixels in large pieces: in Python each frame and each write costs, not each byte."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        own = transport.get_extra_info("socket")
        if own is not None and own.family == getattr(socket, "AF_UNIX", None):
            own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _FRAME)
        super().connection_made(transport)
        # grpclib has a setting for the windows, none for the frames.
        connection = getattr(self.connection, "_connection", None)
        if connection is not None:
            connection.update_settings({SettingCodes.MAX_FRAME_SIZE: _FRAME})
            self.connection.flush()


class _Channel(Channel):  # type: ignore[misc]
    def _protocol_factory(self) -> H2Protocol:
        plain = super()._protocol_factory()
        return _Protocol(plain.handler, plain.config, plain.h2_config)


class _Codec(ProtoCodec):  # type: ignore[misc]
    """Takes messages that are in the wire's form already as well."""

    def encode(self, message: Any, message_type: Any) -> bytes:
        return message if isinstance(message, bytes) else super().encode(message, message_type)


class Calls:
    """The service's methods on one connection. Used within one event loop."""

    def __init__(self, connection: Connection) -> None:
        # Windows this large let a payload flow without waiting for acknowledgements.
        config = Configuration(
            http2_connection_window_size=_WINDOW, http2_stream_window_size=_WINDOW
        )
        if connection.socket_path is not None:
            self._channel = _Channel(path=connection.socket_path, config=config, codec=_Codec())
        else:
            host, port = connection.address
            self._channel = _Channel(host, port, config=config, codec=_Codec())
        self.metadata = {"authorization": f"Bearer {connection.token}"}
        service = "/bshm.bridge.v1.Matting/"
        self.get_status = UnaryUnaryMethod(
            self._channel, service + "GetStatus", pb.GetStatusRequest, pb.GetStatusResponse
        )
        self.open_exchange = UnaryStreamMethod(
            self._channel, service + "OpenExchange", pb.OpenExchangeRequest, pb.Exchange
        )
        self.matte = StreamStreamMethod(
            self._channel, service + "Matte", pb.MatteRequest, pb.MatteEvent
        )
        self.release_model = UnaryUnaryMethod(
            self._channel, service + "ReleaseModel", pb.ReleaseModelRequest, pb.ReleaseModelResponse
        )
        self.shutdown = UnaryUnaryMethod(
            self._channel, service + "Shutdown", pb.ShutdownRequest, pb.ShutdownResponse
        )

    def close(self) -> None:
        """End the connection at once, with what a cancelled request has still to send."""
        protocol = getattr(self._channel, "_protocol", None)
        transport = getattr(getattr(protocol, "connection", None), "_transport", None)
        self._channel.close()
        if transport is not None:
            transport.abort()  # closing alone would wait for a peer that reads no more


@asynccontextmanager
async def opened(
    method: Any, metadata: dict[str, str], timeout: float | None
) -> AsyncIterator[Any]:
    """Open a call; what grpclib raises in it becomes one of the client's exceptions."""
    call = method.open(metadata=metadata, timeout=timeout)
    try:
        async with call as stream:
            yield stream
    except GRPCError as error:
        raise _from_status(error, _trailing(call)) from error
    except asyncio.TimeoutError as error:
        raise TimedOut("The service did not answer in time: please try again.") from error
    except (OSError, StreamTerminatedError, ProtocolError, EOFError) as error:
        raise ServiceLost(LOST) from error
    except AttributeError as error:
        # How grpclib finds that a connection was lost in the moment in which it was made.
        if error.name != "_transport":
            raise
        raise ServiceLost(LOST) from error


async def unary(
    method: Any, request: Any, metadata: dict[str, str], timeout: float | None = None
) -> Any:
    """Make a unary call and return its answer."""
    async with opened(method, metadata, timeout) as stream:
        await stream.send_message(request, end=True)
        answer = await stream.recv_message()
        if answer is None:
            await stream.recv_trailing_metadata()  # raises what the service says went wrong
    if answer is None:
        raise ServiceLost(LOST)
    return answer


def _trailing(call: Any) -> dict[str, Any]:
    """Return a failed call's trailing metadata."""
    if call.trailing_metadata:
        return dict(call.trailing_metadata)
    # Refused while the request was still being sent: grpclib raises from the headers that
    # came, and does not keep what else is in them.
    stream = getattr(call, "_stream", None)
    return dict(getattr(stream, "trailers", None) or getattr(stream, "headers", None) or {})


def _from_status(error: GRPCError, trailing: dict[str, Any]) -> BridgeError:
    reason = str(trailing.get("bshm-reason", ""))
    if error.status is Status.UNAVAILABLE and not reason:
        return ServiceLost(LOST)
    kind = _ERRORS.get(error.status, BridgeError)
    message = error.message or "The service reported an error without a description."
    return kind(message, reason)
