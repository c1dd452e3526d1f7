"""The calls of `bshm.bridge.v1.Matting`."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from bridge_client.connection import PROTOCOL
from bshm.bridge.v1 import matting_pb2 as pb
from bshm.bridge.v1 import matting_pb2_grpc as rpc
from bshm_bridge import __version__
from bshm_bridge.config import Settings
from bshm_bridge.engines.classic import ClassicSession
from bshm_bridge.engines.registry import CHAIN, FIRSTS
from bshm_bridge.errors import InvalidInput, NotReady
from bshm_bridge.exchange.buffers import Buffers
from bshm_bridge.exchange.leases import NONCE_FILE, SLOTS, Leases
from bshm_bridge.scheduling.job import Job
from bshm_bridge.scheduling.request import Running
from bshm_bridge.scheduling.scheduler import Scheduler
from bshm_bridge.scheduling.threads import thread_pool
from bshm_bridge.service.convert import (
    event_message,
    request_of,
    result_arrays,
    result_message,
    times,
)
from bshm_bridge.service.failures import reported
from bshm_bridge.service.payload import Outbox, transport_of

_LAST_WORDS = 0.1  # seconds for an answer to leave before the service stops


class MattingServicer(rpc.MattingServicer):
    """Handlers; they wait on the scheduler and never compute on the event loop.

    Parameters
    ----------
    stop
        Called when a client asks for the end of the service.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        leases: Leases,
        buffers: Buffers,
        settings: Settings,
        stop: Callable[[], None],
    ) -> None:
        self._scheduler = scheduler
        self._leases = leases
        self._buffers = buffers
        self._settings = settings
        self._stop = stop
        self._started = time.monotonic()
        self._files = thread_pool(2, "exchange")

    async def Matte(self, request_iterator: AsyncIterator[pb.MatteRequest], context: Any) -> None:
        async with reported(context):
            header = await _header(request_iterator)
            request = request_of(header)
            request.check(self._settings.max_pixels)
            transport = transport_of(
                header, request_iterator, context, self._leases, self._files, self._buffers
            )
            outbox = Outbox(context.write)
            try:
                async with self._scheduler.admitted(
                    request, lambda event: outbox.put(event_message(event))
                ) as job:
                    job.on_event(Running("receiving"))
                    with job.clock.stage("transfer"):
                        payload = await transport.receive(request.nbytes, job.cancel)
                    outcome = await self._scheduler.run(job, payload)
                    del payload
                    await outbox.close()
                    job.stage = "sending"
                    arrays = result_arrays(outcome)
                    with job.clock.stage("encode"):
                        await transport.put(arrays, job.cancel)
                    result = result_message(outcome, request, job.clock.seconds)
                    with job.clock.stage("send"):
                        await transport.send(result, arrays)
            finally:
                await outbox.close()
                transport.release()

    async def OpenExchange(
        self, request: pb.OpenExchangeRequest, context: Any
    ) -> AsyncIterator[pb.Exchange]:
        async with reported(context):
            lease = self._leases.open()
            try:
                yield pb.Exchange(
                    lease=lease.name,
                    directories=[
                        pb.ExchangeDirectory(path=str(directory.path), nonce=NONCE_FILE)
                        for directory in lease.directories
                    ],
                    slots=SLOTS,
                )
                await lease.ended.wait()
            finally:
                self._leases.close(lease)

    async def GetStatus(self, request: pb.GetStatusRequest, context: Any) -> pb.GetStatusResponse:
        async with reported(context):
            return self._status()

    async def ReleaseModel(
        self, request: pb.ReleaseModelRequest, context: Any
    ) -> pb.ReleaseModelResponse:
        async with reported(context):
            released = await self._scheduler.release(request.model)
            return pb.ReleaseModelResponse(released=released)

    async def Shutdown(self, request: pb.ShutdownRequest, context: Any) -> pb.ShutdownResponse:
        async with reported(context):
            self._scheduler.draining = True
            # The answer goes first: a closing connection would swallow it.
            asyncio.get_running_loop().call_later(_LAST_WORDS, self._stop)
            return pb.ShutdownResponse()

    def _status(self) -> pb.GetStatusResponse:
        scheduler = self._scheduler
        default_model, default_reason = scheduler.default()
        return pb.GetStatusResponse(
            version=__version__,
            protocol=PROTOCOL,
            pid=os.getpid(),
            uptime=time.monotonic() - self._started,
            draining=scheduler.draining,
            models=_models(scheduler),
            jobs=[_job(job) for job in scheduler.jobs],
            memory=_memory(os.getpid()),
            exchange=True,
            max_pixels=self._settings.max_pixels,
            totals=pb.Totals(
                done=scheduler.totals.done,
                failed=scheduler.totals.failed,
                cancelled=scheduler.totals.cancelled,
                timings=times(scheduler.totals.seconds),
            ),
            default_model=default_model,
            default_reason=default_reason,
        )


async def _header(requests: AsyncIterator[pb.MatteRequest]) -> pb.MatteHeader:
    async for message in requests:
        if message.WhichOneof("message") != "header":
            break
        if message.header.protocol != PROTOCOL:
            raise NotReady(
                "Service and plugin do not understand each other: update both to the same "
                "version, then run `bshm stop`.",
                "protocol-mismatch",
            )
        return message.header
    raise InvalidInput("The first message must be a header.", "bad-header")


def _models(scheduler: Scheduler) -> list[pb.ModelStatus]:
    registry = scheduler.registry
    # Of a model's lanes, one that holds it tells more than one that failed to load it.
    by_use = sorted(scheduler.lanes, key=lambda lane: lane.session is not None)
    lanes = {lane.choice.manifest.name: lane for lane in by_use}
    answer = []
    for manifest in registry.offered():
        lane = lanes.get(manifest.name)
        status = pb.ModelStatus(
            name=manifest.name,
            title=manifest.title,
            installed=registry.installed(manifest),
            engine=registry.runnable_engine(manifest),
            state=lane.state if lane else "absent",
            message=lane.message if lane else "",
            needs_trimap=manifest.needs_trimap,
            licence=manifest.licence,
            temporal=manifest.temporal,
        )
        if status.engine == ClassicSession.engine:
            status.device = ClassicSession.device  # known before there is a session to ask
        if lane and lane.session:
            status.engine = lane.session.engine
            status.device = lane.session.device
            status.worker_pid = lane.session.pid
            status.worker_memory = _memory(lane.session.pid)
        answer.append(status)
    return answer + _chains(answer)


def _chains(models: list[pb.ModelStatus]) -> list[pb.ModelStatus]:
    """Return the chains that can be chosen: a trimap from what is found, then a finer model."""
    firsts = [model for model in models if model.name in FIRSTS and model.installed]
    seconds = [model for model in models if model.needs_trimap and model.installed]
    return [
        pb.ModelStatus(
            name=f"{first.name}{CHAIN}{second.name}",
            title=f"{first.title}, then {second.title}",
            installed=True,
            engine=second.engine,
            device=second.device,
            state=second.state,
            message=second.message,
            licence=second.licence,
        )
        for second in seconds
        for first in firsts
    ]


def _memory(pid: int) -> int:
    if not pid:
        return 0
    import psutil  # here, because nobody who waits for the service to start needs it

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _job(job: Job) -> pb.JobStatus:
    return pb.JobStatus(
        client=job.request.client,
        model=job.choice.name,
        stage=job.stage,
        priority=pb.PRIORITY_BATCH if job.request.options.batch else pb.PRIORITY_INTERACTIVE,
        width=job.request.pixels.width,
        height=job.request.pixels.height,
        age=time.monotonic() - job.started,
    )
