"""The one way in which editors and the command line talk to the service."""

from __future__ import annotations

import asyncio
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge_client.calls import LOST, Calls, opened, unary
from bridge_client.cancellation import Cancellation
from bridge_client.connection import PROTOCOL, Connection, read_connection
from bridge_client.errors import (
    BridgeError,
    Busy,
    CannotMatte,
    NotAllowed,
    ProtocolMismatch,
    ServiceLost,
    ServiceMissing,
)
from bridge_client.exchange import ExchangeDirectory, visible_directory
from bridge_client.home import home as default_home
from bridge_client.launcher import start_service
from bridge_client.messages import (
    chunk_message,
    header_message,
    notices_of,
    plane_pixels,
    progress_of,
    status_of,
)
from bridge_client.running import ReportProgress, run
from bridge_client.types import (
    Buffer,
    Matte,
    MatteOptions,
    Pixels,
    Progress,
    ServiceStatus,
    VideoFrame,
)
from bshm.bridge.v1 import matting_pb2 as pb

CHUNK = 1 << 20
_HANDSHAKE = 10.0  # seconds for a running service to answer
_RETRY = 2.0  # seconds before a service is started again, while an old one drains
_START = 90.0  # seconds for a new service to accept calls

# Services that this process started: nobody waits for them, they outlive it.
_children: list[subprocess.Popen[bytes]] = []


class BridgeClient:
    """A client of the service on this machine; it is started where none runs.

    Calls block; a method may be called on any thread, several at once. Nothing is opened
    before the first call and nothing stays open after it.

    Parameters
    ----------
    name
        Who asks, for people: ``"gimp"``, ``"krita"``, ``"cli"``.
    home
        The service's state directory; by default the platform's, or `BSHM_HOME`.
    exchange
        Whether pixels may travel as files where both sides see the same directory.
    start
        Starts the service's process; replaced in tests.
    """

    def __init__(
        self,
        name: str,
        home: Path | None = None,
        *,
        exchange: bool = True,
        start: Callable[[Path], subprocess.Popen[bytes]] = start_service,
    ) -> None:
        self._name = name
        self._home = home
        self._exchange = exchange
        self._start = start
        self._id = uuid.uuid4().hex

    def matte(
        self,
        pixels: Pixels,
        *,
        hint: Pixels | None = None,
        trimap: Pixels | None = None,
        options: MatteOptions | None = None,
        frame: VideoFrame | None = None,
        remembered: str = "",
        progress: ReportProgress | None = None,
        cancel: Cancellation | None = None,
        timeout: float | None = None,
    ) -> Matte:
        """Return the alpha matte of a layer.

        Parameters
        ----------
        pixels
            The layer.
        hint
            The user's selection (GRAY, same size): roughly where the subject is.
        trimap
            GRAY u8, same size: 0 background, 255 foreground, else unknown.
        options
            What is wanted; by default what most people want.
        frame
            Which frame of a video the layer is, for models that follow one.
        remembered
            `Matte.remembered` of an earlier request for the same layer. For a fast matte without
            hint, trimap and foreground the layer is then sent only if the service forgot it.
        progress
            Called on this thread with each step, and at least every quarter of a second.
        cancel
            Takes the request back.
        timeout
            Seconds after which the request is given up; None for no limit.

        Raises
        ------
        BridgeError
            One of its subclasses; the text is a sentence for the user.
        """

        async def work(tell: ReportProgress) -> Matte:
            async with self._service(tell, start=True) as calls:
                wanted = options or MatteOptions()
                if remembered and wanted.refinement == "fast" and not (wanted.foreground or trimap):
                    short = header_message(pixels, None, None, wanted, self._name, self._id)
                    short.remembered = remembered
                    try:
                        return await self._sent(calls, short, [], tell, timeout)
                    except CannotMatte as error:
                        if error.reason != "not-remembered":
                            raise
                header = header_message(pixels, hint, trimap, wanted, self._name, self._id, frame)
                planes = [plane for plane in (pixels, hint, trimap) if plane]
                buffers = [memoryview(p.data).cast("B")[: p.nbytes] for p in planes]
                return await self._sent(calls, header, buffers, tell, timeout)

        return run(work, progress, cancel)

    def status(self, *, start: bool = False) -> ServiceStatus:
        """Return what the service says of itself; raises `ServiceMissing` where none runs."""

        async def work(tell: ReportProgress) -> ServiceStatus:
            async with self._service(tell, start=start) as calls:
                return status_of(await _status(calls))

        return run(work, None, None)

    def release(self, model: str = "") -> list[str]:
        """Unload `model`, or every model, and return the names of what was unloaded."""

        async def work(tell: ReportProgress) -> list[str]:
            async with self._service(tell, start=False) as calls:
                request = pb.ReleaseModelRequest(model=model)
                answer = await unary(calls.release_model, request, calls.metadata)
                return list(answer.released)

        return run(work, None, None)

    def shutdown(self) -> None:
        """Ask the service to finish its jobs and end; it may still run when this returns."""

        async def work(tell: ReportProgress) -> None:
            async with self._service(tell, start=False) as calls:
                await unary(calls.shutdown, pb.ShutdownRequest(), calls.metadata)

        return run(work, None, None)

    # ------------------------------------------------------------ the connection

    async def _sent(
        self,
        calls: Calls,
        header: pb.MatteHeader,
        buffers: Sequence[Buffer],
        tell: ReportProgress,
        timeout: float | None,
    ) -> Matte:
        """Send a request by the best way there is."""
        if self._exchange:
            try:
                async with _leased(calls) as directory:
                    return await _matte(calls, header, buffers, directory, tell, timeout)
            except Busy as error:
                # A small tmpfs: the stream needs no room, and the service remembers what it
                # computed.
                if error.reason != "disk-full":
                    raise
        return await _matte(calls, header, buffers, None, tell, timeout)

    @asynccontextmanager
    async def _service(self, tell: ReportProgress, *, start: bool) -> AsyncIterator[Calls]:
        calls = await self._running(draining=not start)
        if calls is None:
            if not start:
                raise ServiceMissing(
                    "No bshm service is running: start it with `bshm serve`.", "not-running"
                )
            calls = await self._started(tell)
        try:
            yield calls
        finally:
            calls.close()

    async def _running(self, *, draining: bool = False) -> Calls | None:
        """Return the calls of a service that answers, None where there is none.

        One that is shutting down counts only with `draining`.
        """
        connection = read_connection(self._home or default_home())
        if connection is None:
            return None
        _check_protocol(connection)
        calls = Calls(connection)
        try:
            status = await _status(calls)
        except ServiceLost:
            calls.close()
            return None
        except NotAllowed:
            calls.close()
            # A new service listens at the old one's address before it writes its own token.
            if read_connection(self._home or default_home()) != connection:
                return None
            raise
        except BaseException:
            calls.close()
            raise
        if status.draining and not draining:
            calls.close()
            return None
        return calls

    async def _started(self, tell: ReportProgress) -> Calls:
        tell(Progress("starting"))
        deadline = time.monotonic() + _START
        # While an old service drains, a new one ends at once: it is tried again.
        while time.monotonic() < deadline:
            process = self._start(self._home or default_home())
            _children[:] = [old for old in _children if old.poll() is None] + [process]
            while time.monotonic() < deadline:
                ended = process.poll() is not None
                calls = await self._running()
                if calls is not None:
                    return calls
                if ended and process.returncode != 0:
                    break
                await asyncio.sleep(0.05)
            if process.poll() not in (None, 0, _ALREADY_RUNNING):
                break
            await asyncio.sleep(_RETRY)
        raise ServiceMissing(
            "The bshm service did not start: run `bshm serve` in a terminal to see why.",
            "cannot-start",
        )


_ALREADY_RUNNING = 4  # exit code of a `bshm serve` that found another one


def _check_protocol(connection: Connection) -> None:
    if connection.protocol != PROTOCOL:
        older = "service" if connection.protocol < PROTOCOL else "plugin"
        raise ProtocolMismatch(
            f"Service {connection.version} and plugin do not understand each other: update "
            f"the {older} (`bshm plugins install` updates plugins), then run `bshm stop`."
        )


async def _status(calls: Calls) -> pb.GetStatusResponse:
    return await unary(calls.get_status, pb.GetStatusRequest(), calls.metadata, _HANDSHAKE)


@asynccontextmanager
async def _leased(calls: Calls) -> AsyncIterator[ExchangeDirectory | None]:
    """Hold an exchange lease; None where the service offers none that is visible here."""
    async with opened(calls.open_exchange, calls.metadata, None) as stream:
        await stream.send_message(pb.OpenExchangeRequest(), end=True)
        exchange = await stream.recv_message()
        yield visible_directory(exchange) if exchange is not None else None
        await stream.cancel()


async def _matte(
    calls: Calls,
    header: pb.MatteHeader,
    buffers: Sequence[Buffer],
    directory: ExchangeDirectory | None,
    tell: ReportProgress,
    timeout: float | None,
) -> Matte:
    tell(Progress("sending"))
    if directory is not None:
        try:
            header.exchange.CopyFrom(directory.put(0, buffers))
        except OSError:  # a full tmpfs, for instance; the stream needs none
            directory = None
    async with opened(calls.matte, calls.metadata, timeout) as stream:
        if directory is None:
            header.inline.SetInParent()
            await stream.send_message(pb.MatteRequest(header=header))
            await _send_chunks(stream, buffers, tell)
            await stream.end()
        else:
            await stream.send_message(pb.MatteRequest(header=header), end=True)
        result, payload = await _receive(stream, tell)
    if directory is not None:
        try:
            payload = directory.take(0)
        except OSError as error:
            raise ServiceLost(LOST) from error
    return _matte_of(result, payload, "exchange" if directory is not None else "inline")


async def _send_chunks(stream: Any, buffers: Sequence[Buffer], tell: ReportProgress) -> None:
    total = sum(len(buffer) for buffer in buffers)
    sent = 0
    for buffer in buffers:
        for start in range(0, len(buffer), CHUNK):
            part = memoryview(buffer)[start : start + CHUNK]
            await stream.send_message(chunk_message(part))
            sent += len(part)
            tell(Progress("sending", fraction=sent / total))


async def _receive(stream: Any, tell: ReportProgress) -> tuple[pb.Result, bytes]:
    result: pb.Result | None = None
    chunks: list[bytes] = []
    while (event := await stream.recv_message()) is not None:
        kind = event.WhichOneof("event")
        if kind == "result":
            result = event.result
        elif kind == "chunk":
            chunks.append(event.chunk)
            tell(Progress("receiving"))
        else:
            step = progress_of(event)
            if step is not None:
                tell(step)
    if result is None:
        await stream.recv_trailing_metadata()  # raises what the service answered instead
        raise ServiceLost(LOST)
    return result, b"".join(chunks)


def _matte_of(result: pb.Result, payload: bytes, transport: Any) -> Matte:
    planes: list[Pixels] = []
    start = 0
    for plane in (result.matte, result.foreground):
        if not plane.height:
            continue
        pixels = plane_pixels(plane, b"")
        stop = start + pixels.nbytes
        if len(payload) < stop:
            raise BridgeError(
                "The service's answer was shorter than announced: please try again.", "short-result"
            )
        # A lone plane is all of the payload, of which a slice is no copy.
        planes.append(replace(pixels, data=payload[start:stop]))
        start = stop
    return Matte(
        alpha=planes[0],
        foreground=planes[1] if len(planes) > 1 else None,
        model=result.model,
        engine=result.engine,
        device=result.device,
        notices=notices_of(result),
        timings={time.stage: time.seconds for time in result.timings},
        cached=result.cached,
        remembered=result.remembered,
        transport=transport,
    )
