"""The service as a process: one per user, from its lock to its last answer."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import filelock
import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from bridge_client.connection import PROTOCOL, Connection, connection_file, write_connection
from bridge_client.launcher import write_launch_file
from bshm.bridge.v1 import matting_pb2 as pb
from bshm.bridge.v1 import matting_pb2_grpc as rpc
from bshm_bridge import __version__
from bshm_bridge.config import Settings
from bshm_bridge.engines.registry import Registry
from bshm_bridge.errors import Unavailable
from bshm_bridge.exchange.buffers import Buffers
from bshm_bridge.exchange.leases import Leases, shared_memory_root
from bshm_bridge.paths import Paths, private_directory
from bshm_bridge.scheduling.scheduler import Scheduler
from bshm_bridge.service.auth import TokenInterceptor
from bshm_bridge.service.metrics import serve_metrics
from bshm_bridge.service.reflection import Reflection
from bshm_bridge.service.servicer import MattingServicer

_log = logging.getLogger(__name__)

_SERVICE = pb.DESCRIPTOR.services_by_name["Matting"].full_name
_SOCKET_LIMIT = 100  # bytes of a unix socket's path, on every platform
_OPTIONS = [
    ("grpc.max_receive_message_length", 8 << 20),
    ("grpc.max_send_message_length", 8 << 20),
    # A chunk of pixels in one frame: a client in Python pays for each.
    ("grpc.http2.max_frame_size", 2 << 20),
    ("grpc.http2.lookahead_bytes", 8 << 20),
    ("grpc.so_reuseport", 0),  # a second server must not share the port silently
    ("grpc.http2.min_ping_interval_without_data_ms", 5000),
]


def serve(
    paths: Paths,
    settings: Settings,
    registry: Registry,
    ready: Callable[[str], None],
    metrics_port: int | None = None,
    preload: str | None = None,
) -> None:
    """Run the service until it is stopped.

    Parameters
    ----------
    ready
        Called with the endpoint once calls are accepted.
    metrics_port
        Loopback port for Prometheus; None for none.
    preload
        Model to load at once; None for none.

    Raises
    ------
    Unavailable
        Where one is running already for this state directory.
    """
    # Only what is inside is private: the directory itself may have been there before.
    paths.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    private_directory(paths.run)
    lock = filelock.FileLock(paths.run / "service.lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise Unavailable("A bshm service is running already.", "already-running") from None
    try:
        asyncio.run(_serve(paths, settings, registry, ready, metrics_port, preload))
    finally:
        lock.release()


async def _serve(
    paths: Paths,
    settings: Settings,
    registry: Registry,
    ready: Callable[[str], None],
    metrics_port: int | None,
    preload: str | None,
) -> None:
    stop = asyncio.Event()
    scheduler = Scheduler(registry, settings)
    leases = Leases(paths.home, shared_memory_root())
    leases.sweep()
    buffers = Buffers()
    last_call = [time.monotonic()]

    def on_call() -> None:
        last_call[0] = time.monotonic()

    token = secrets.token_urlsafe(32)
    server = grpc.aio.server(interceptors=[TokenInterceptor(token, on_call)], options=_OPTIONS)
    servicer = MattingServicer(scheduler, leases, buffers, settings, stop.set)
    rpc.add_MattingServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]
    health_servicer = health.aio.HealthServicer()  # type: ignore[attr-defined]
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    server.add_generic_rpc_handlers((Reflection(server, (_SERVICE, health.SERVICE_NAME)),))
    metrics = None if metrics_port is None else serve_metrics(scheduler, metrics_port)
    # One that was killed left its token, which would be taken to our address.
    connection_file(paths.home).unlink(missing_ok=True)
    endpoint = _bind(server, paths, settings)
    await server.start()
    scheduler.start()
    _on_signals(stop)
    connection = Connection(endpoint, token, os.getpid(), __version__, PROTOCOL)
    write_connection(paths.home, connection)
    write_launch_file(paths.home)
    for name in ("", _SERVICE):
        await health_servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    _log.info("ready, version %s, pid %d", __version__, os.getpid())
    ready(endpoint)
    if preload is not None:
        scheduler.preload(preload)
    try:
        await _until_stopped(stop, settings, scheduler, buffers, last_call)
    finally:
        _log.info("draining %d jobs", len(scheduler.jobs))
        scheduler.draining = True
        await health_servicer.enter_graceful_shutdown()
        await _drain(scheduler, settings.drain, stop)
        # The last job's status must be on its way before the connections are closed.
        await asyncio.sleep(0.1)
        if not scheduler.jobs:
            leases.close_all()
        # Cancels what did not finish in time; connections of idle clients end here as well.
        await server.stop(1.0)
        leases.close_all()
        await scheduler.close()
        if metrics is not None:
            metrics.shutdown()
        with suppress(OSError):
            connection_file(paths.home).unlink()
        _unlink_socket(endpoint)
        _log.info("ended")


async def _until_stopped(
    stop: asyncio.Event,
    settings: Settings,
    scheduler: Scheduler,
    buffers: Buffers,
    last_call: list[float],
) -> None:
    while not stop.is_set():
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=1.0)
        buffers.trim()
        unused = time.monotonic() - max(last_call[0], scheduler.last_used)
        if settings.idle_exit and not scheduler.jobs and unused > settings.idle_exit:
            _log.info("nobody called for %.0f s", unused)
            return


async def _drain(scheduler: Scheduler, seconds: float, stop: asyncio.Event) -> None:
    """Wait for running jobs; a second request to stop ends the patience."""
    stop.clear()
    waits = [
        asyncio.ensure_future(scheduler.drain(seconds)),
        asyncio.ensure_future(stop.wait()),
    ]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await asyncio.wait(waits)


def _bind(server: grpc.aio.Server, paths: Paths, settings: Settings) -> str:
    if settings.tcp or sys.platform == "win32":
        port = server.add_insecure_port("127.0.0.1:0")
        return f"127.0.0.1:{port}"
    socket = _socket_path(paths)
    with suppress(FileNotFoundError):
        socket.unlink()
    server.add_insecure_port(f"unix:{quote(str(socket))}")  # gRPC decodes its addresses
    return f"unix:{socket}"


def _socket_path(paths: Paths) -> Path:
    path = paths.run / "service.sock"
    if len(os.fsencode(path)) <= _SOCKET_LIMIT:
        return path
    # A private directory of its own, since the name must not be taken by somebody else first.
    return Path(tempfile.mkdtemp(prefix="bshm-")) / "service.sock"


def _unlink_socket(endpoint: str) -> None:
    if not endpoint.startswith("unix:"):
        return
    path = Path(endpoint[5:])
    with suppress(OSError):
        path.unlink()
    if path.parent.name.startswith("bshm-") and path.parent.parent == Path(tempfile.gettempdir()):
        with suppress(OSError):
            path.parent.rmdir()


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
