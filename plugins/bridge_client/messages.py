"""Between the client's own types and the messages on the wire."""

from __future__ import annotations

from functools import lru_cache

from bridge_client.connection import PROTOCOL
from bridge_client.types import (
    JobInfo,
    MatteOptions,
    ModelInfo,
    Notice,
    Pixels,
    Progress,
    ServiceStatus,
    VideoFrame,
)
from bshm.bridge.v1 import matting_pb2 as pb

_REFINEMENTS = {"best": pb.REFINEMENT_BEST, "fast": pb.REFINEMENT_FAST}
_PRIORITIES = {"interactive": pb.PRIORITY_INTERACTIVE, "batch": pb.PRIORITY_BATCH}


def plane_message(pixels: Pixels) -> pb.Plane:
    """Describe a rectangle of pixels to the service."""
    return pb.Plane(
        width=pixels.width,
        height=pixels.height,
        layout=f"CHANNEL_LAYOUT_{pixels.layout}",
        depth=f"CHANNEL_DEPTH_{pixels.depth.upper()}",
        row_stride=pixels.row_stride,
        transfer=pb.TRANSFER_LINEAR if pixels.linear else pb.TRANSFER_ENCODED,
        icc_profile=pixels.icc_profile,
    )


def plane_pixels(plane: pb.Plane, data: bytes) -> Pixels:
    """Return the pixels that a plane of a result describes."""
    return Pixels(
        data=data,
        width=plane.width,
        height=plane.height,
        layout=pb.ChannelLayout.Name(plane.layout)[len("CHANNEL_LAYOUT_") :],  # type: ignore[arg-type]
        depth=pb.ChannelDepth.Name(plane.depth)[len("CHANNEL_DEPTH_") :].lower(),  # type: ignore[arg-type]
        row_stride=plane.row_stride,
        linear=plane.transfer == pb.TRANSFER_LINEAR,
        icc_profile=plane.icc_profile,
    )


def _frame_message(frame: VideoFrame) -> pb.VideoFrame:
    return pb.VideoFrame(video=frame.video, number=frame.number, last=frame.last)


def header_message(
    pixels: Pixels,
    hint: Pixels | None,
    trimap: Pixels | None,
    options: MatteOptions,
    client: str,
    client_id: str,
    frame: VideoFrame | None = None,
) -> pb.MatteHeader:
    """Return a request's header, still without its transport."""
    return pb.MatteHeader(
        protocol=PROTOCOL,
        client=client,
        client_id=client_id,
        pixels=plane_message(pixels),
        hint=plane_message(hint) if hint else None,
        trimap=plane_message(trimap) if trimap else None,
        frame=_frame_message(frame) if frame else None,
        options=pb.MatteOptions(
            model=options.model,
            engine=options.engine,
            device=options.device,
            refinement=_REFINEMENTS[options.refinement],
            depth=f"CHANNEL_DEPTH_{options.depth.upper()}",
            foreground=options.foreground,
            edge_shift=options.edge_shift,
            feather=options.feather,
            fill_holes=options.fill_holes,
            remove_specks=options.remove_specks,
            priority=_PRIORITIES[options.priority],
        ),
    )


def chunk_message(part: memoryview) -> bytes:
    """Return ``pb.MatteRequest(chunk=part)`` as it is on the wire, copied once, not thrice."""
    return b"".join((_chunk_prefix(len(part)), part))


@lru_cache(maxsize=4)
def _chunk_prefix(size: int) -> bytes:
    # Protobuf's own, for as many zeros: the pixels come last in the message.
    return pb.MatteRequest(chunk=bytes(size)).SerializeToString()[:-size]


def progress_of(event: pb.MatteEvent) -> Progress | None:
    """Return the progress that an event tells of, None for results."""
    kind = event.WhichOneof("event")
    if kind == "queued":
        return Progress("queued", position=event.queued.position)
    if kind == "loading":
        loading = event.loading
        return Progress("loading", loading.stage, _fraction(loading.fraction), 0, loading.model)
    if kind == "running":
        return Progress("running", event.running.stage, _fraction(event.running.fraction))
    return None


def _fraction(value: float) -> float | None:
    return None if value < 0 else min(1.0, value)


def notices_of(result: pb.Result) -> tuple[Notice, ...]:
    return tuple(Notice(notice.reason, notice.message) for notice in result.notices)


def status_of(answer: pb.GetStatusResponse) -> ServiceStatus:
    """Return the service's status as plain data."""
    return ServiceStatus(
        version=answer.version,
        protocol=answer.protocol,
        pid=answer.pid,
        uptime=answer.uptime,
        draining=answer.draining,
        models=tuple(
            ModelInfo(
                name=model.name,
                title=model.title,
                installed=model.installed,
                engine=model.engine,
                device=model.device,
                state=model.state,
                message=model.message,
                worker_memory=model.worker_memory,
                worker_pid=model.worker_pid,
                needs_trimap=model.needs_trimap,
                temporal=model.temporal,
                licence=model.licence,
            )
            for model in answer.models
        ),
        jobs=tuple(
            JobInfo(
                client=job.client,
                model=job.model,
                stage=job.stage,
                priority="batch" if job.priority == pb.PRIORITY_BATCH else "interactive",
                width=job.width,
                height=job.height,
                age=job.age,
            )
            for job in answer.jobs
        ),
        memory=answer.memory,
        exchange=answer.exchange,
        max_pixels=answer.max_pixels,
        done=answer.totals.done,
        failed=answer.totals.failed,
        cancelled=answer.totals.cancelled,
        timings={time.stage: time.seconds for time in answer.totals.timings},
        default_model=answer.default_model,
        default_reason=answer.default_reason,
    )
