"""Between the messages on the wire and the service's own types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from bshm.bridge.v1 import matting_pb2 as pb
from bshm_bridge.errors import InvalidInput
from bshm_bridge.matting.edit import EditOptions
from bshm_bridge.matting.pixels import PixelFormat
from bshm_bridge.scheduling.request import (
    Event,
    JobOptions,
    JobRequest,
    Loading,
    Outcome,
    Queued,
    VideoFrame,
)

_MAX_SHIFT = 500.0  # layer pixels
_MAX_VIDEO_NAME = 64


def request_of(header: pb.MatteHeader) -> JobRequest:
    """Return what a header asks for; raises `InvalidInput` where it makes no sense."""
    if not header.HasField("pixels"):
        raise InvalidInput("The request describes no pixels.", "bad-header")
    return JobRequest(
        pixels=_format(header.pixels),
        hint=_format(header.hint) if header.HasField("hint") else None,
        trimap=_format(header.trimap) if header.HasField("trimap") else None,
        options=_options(header.options),
        client=header.client[:40],
        client_id=header.client_id[:64],
        frame=_frame(header.frame) if header.HasField("frame") else None,
        remembered=header.remembered[:64],
    )


def _frame(frame: pb.VideoFrame) -> VideoFrame:
    if not 0 < len(frame.video) <= _MAX_VIDEO_NAME:
        raise InvalidInput("The frame does not say of which video it is.", "bad-header")
    return VideoFrame(frame.video, frame.number, frame.last)


def _format(plane: pb.Plane) -> PixelFormat:
    try:
        layout = pb.ChannelLayout.Name(plane.layout)
        depth = pb.ChannelDepth.Name(plane.depth)
    except ValueError as error:
        raise InvalidInput("The pixel format is not supported.", "bad-format") from error
    return PixelFormat(
        width=plane.width,
        height=plane.height,
        layout=layout[len("CHANNEL_LAYOUT_") :],
        depth=depth[len("CHANNEL_DEPTH_") :].lower(),
        row_stride=plane.row_stride,
        linear=plane.transfer == pb.TRANSFER_LINEAR,
        icc_profile=plane.icc_profile,
    )


def _options(options: pb.MatteOptions) -> JobOptions:
    depths = {
        pb.CHANNEL_DEPTH_UNSPECIFIED: "u8",
        pb.CHANNEL_DEPTH_U8: "u8",
        pb.CHANNEL_DEPTH_U16: "u16",
    }
    if options.depth not in depths:
        raise InvalidInput("A matte has 8 or 16 bits per pixel.", "bad-format")
    if options.device not in ("", "auto", "gpu", "cpu"):
        raise InvalidInput("The device is “auto”, “gpu” or “cpu”.", "bad-device")
    lengths = (options.edge_shift, options.feather)
    if not all(math.isfinite(length) and abs(length) <= _MAX_SHIFT for length in lengths):
        raise InvalidInput(
            f"Edge shift and feather go up to {_MAX_SHIFT:.0f} pixels.", "bad-options"
        )
    if options.feather < 0:
        raise InvalidInput("Feather cannot be negative.", "bad-options")
    return JobOptions(
        model=options.model or "auto",
        engine=options.engine,
        device=options.device or "auto",
        refinement="fast" if options.refinement == pb.REFINEMENT_FAST else "best",
        depth=depths[options.depth],  # type: ignore[arg-type]
        foreground=options.foreground,
        edit=EditOptions(
            edge_shift=options.edge_shift,
            feather=options.feather,
            fill_holes=options.fill_holes,
            remove_specks=options.remove_specks,
        ),
        batch=options.priority == pb.PRIORITY_BATCH,
    )


def event_message(event: Event) -> pb.MatteEvent:
    """Return the message that tells a client of `event`."""
    if isinstance(event, Queued):
        return pb.MatteEvent(queued=pb.Queued(position=event.position))
    if isinstance(event, Loading):
        loading = pb.Loading(stage=event.stage, fraction=event.fraction, model=event.model)
        return pb.MatteEvent(loading=loading)
    return pb.MatteEvent(running=pb.Running(stage=event.stage, fraction=event.fraction))


def result_message(
    outcome: Outcome, request: JobRequest, seconds: Mapping[str, float]
) -> pb.Result:
    """Describe a finished job; its planes follow in the order of `result_arrays`."""
    height, width = outcome.matte.shape
    depth = pb.CHANNEL_DEPTH_U16 if outcome.matte.dtype.itemsize == 2 else pb.CHANNEL_DEPTH_U8
    result = pb.Result(
        matte=pb.Plane(width=width, height=height, layout=pb.CHANNEL_LAYOUT_GRAY, depth=depth),
        model=outcome.model,
        engine=outcome.engine,
        device=outcome.device,
        notices=[pb.Notice(reason=n.reason, message=n.message) for n in outcome.notices],
        timings=times(seconds),
        cached=outcome.cached,
        remembered=outcome.remembered,
    )
    if outcome.foreground is not None:
        gray = outcome.foreground.shape[2] == 1
        source = request.pixels
        result.foreground.CopyFrom(
            pb.Plane(
                width=width,
                height=height,
                layout=pb.CHANNEL_LAYOUT_GRAY if gray else pb.CHANNEL_LAYOUT_RGB,
                depth=f"CHANNEL_DEPTH_{source.depth.upper()}",
                transfer=pb.TRANSFER_LINEAR if source.linear else pb.TRANSFER_ENCODED,
                icc_profile=source.icc_profile,
            )
        )
    return result


def result_arrays(outcome: Outcome) -> list[NDArray[Any]]:
    """Return the planes of a result, as `result_message` describes them."""
    return [outcome.matte] + ([] if outcome.foreground is None else [outcome.foreground])


def times(seconds: Mapping[str, float]) -> list[pb.StageTime]:
    return [pb.StageTime(stage=stage, seconds=value) for stage, value in seconds.items()]
