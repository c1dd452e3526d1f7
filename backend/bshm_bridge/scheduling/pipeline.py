"""The pixel work of a job before and after the engine: blocking, on arrays.

decode → fit → (engine) → holes and specks → refine → trimap → edge shift, feather → colours
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.engines.base import Cancellation, EngineInput, Recurrence
from bshm_bridge.errors import NotReady
from bshm_bridge.matting import trimap as trimaps
from bshm_bridge.matting.edit import edit
from bshm_bridge.matting.fit import area_average, fit, fit_size
from bshm_bridge.matting.foreground import foreground
from bshm_bridge.matting.pixels import (
    fill_transparent,
    rgb_view,
    to_gray8,
    to_rgb8,
    transparent,
    view,
)
from bshm_bridge.matting.refine import refine
from bshm_bridge.scheduling.request import JobOptions, JobRequest, Notice, Payload


class Stopwatch:
    """Seconds per stage of one job."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - start)

    def add(self, name: str, seconds: float) -> None:
        """Count `seconds` for a stage."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds


@dataclass
class Prepared:
    """A decoded layer.

    Attributes
    ----------
    original
        H×W×C, the layer's own values.
    rgb
        H×W×3, u8, encoded sRGB.
    hidden
        H×W, true where the layer is fully transparent; None where it is nowhere.
    hint, trimap
        H×W, u8, where they came with the layer.
    """

    request: JobRequest
    original: NDArray[Any]
    rgb: NDArray[np.uint8]
    hidden: NDArray[np.bool_] | None
    hint: NDArray[np.uint8] | None = None
    trimap: NDArray[np.uint8] | None = None
    clock: Stopwatch = field(default_factory=Stopwatch)


def prepare(
    request: JobRequest, payload: Payload, clock: Stopwatch, cancel: Cancellation
) -> Prepared:
    """Decode a layer.

    Raises
    ------
    NotReady
        Where the layer is wholly transparent.
    """
    with clock.stage("decode"):
        parts = _split(payload, request)
        original = view(parts[0], request.pixels)
        hidden = transparent(original, request.pixels.layout)
        if hidden is not None and hidden.all():
            raise NotReady(
                "The layer is empty: there is nothing but transparency on it.", "layer-empty"
            )
        rgb = fill_transparent(to_rgb8(original, request.pixels), hidden)
        planes = iter(parts[1:])
        hint = to_gray8(view(next(planes), request.hint), request.hint) if request.hint else None
        trimap = view(next(planes), request.trimap)[..., 0] if request.trimap else None
    cancel.check()
    return Prepared(request, original, rgb, hidden, hint, trimap, clock)


def fitted(
    prepared: Prepared,
    long_side: int,
    *,
    suggested: NDArray[np.float32] | None = None,
    needs_trimap: bool = False,
    recurrence: Recurrence | None = None,
) -> EngineInput:
    """Fit a layer to the network.

    Parameters
    ----------
    long_side
        Pixels; 0 where the engine wants the layer's own size.
    suggested
        Another model's alpha of the layer, h×w, 0 to 1, to make the trimap from.
    needs_trimap
        Whether the hint becomes the trimap where there is nothing else to make it from.
    """
    with prepared.clock.stage("fit"):
        rgb, hint, trimap = prepared.rgb, prepared.hint, prepared.trimap
        small = fit(rgb, long_side) if long_side else rgb
        size = fit_size(rgb.shape[1], rgb.shape[0], long_side or max(rgb.shape))
        small_hint = None if hint is None else area_average(hint, size)
        small_trimap = None if trimap is None else trimaps.resized(trimap, size)
        if needs_trimap and small_trimap is None:
            if suggested is not None:
                alpha = cv2.resize(suggested, size, interpolation=cv2.INTER_LINEAR)
                small_trimap = trimaps.from_alpha(alpha.astype(np.float32))
            elif small_hint is not None:
                small_trimap = trimaps.from_selection(small_hint)
        return EngineInput(np.ascontiguousarray(small), small_hint, small_trimap, recurrence)


def finish(
    prepared: Prepared, alpha: NDArray[np.float32], cancel: Cancellation
) -> tuple[NDArray[Any], NDArray[Any] | None, tuple[Notice, ...]]:
    """Bring the network's alpha to the layer's size and apply the options.

    Parameters
    ----------
    alpha
        h×w, 0 to 1. Not changed.

    Returns
    -------
    tuple
        Matte H×W (u8 or u16), foreground colours or None, notices.
    """
    options = prepared.request.options
    clock = prepared.clock
    with clock.stage("refine"):
        matte = _full_size(alpha, prepared.rgb, options, cancel.check)
        if prepared.trimap is not None:  # what is known is not to be found
            matte[prepared.trimap == 0] = 0
            matte[prepared.trimap == 255] = np.iinfo(matte.dtype).max
        if options.refinement == "best":
            matte = _edit_edges(matte, options, cancel.check)
        if prepared.hidden is not None:
            matte[prepared.hidden] = 0
    cancel.check()
    colours = None
    if options.foreground:
        with clock.stage("colours"):
            colours = _colours(prepared, matte, cancel.check)
    return matte, colours, _notices(matte)


def enlarged(
    request: JobRequest, alpha: NDArray[np.float32], clock: Stopwatch, cancel: Cancellation
) -> tuple[NDArray[Any], tuple[Notice, ...]]:
    """Bring the network's alpha to the layer's size where the layer itself is not at hand.

    Returns
    -------
    tuple
        Matte H×W (u8 or u16), notices.
    """
    # Plain enlargement looks at no more than the shape of its guide.
    shape = (request.pixels.height, request.pixels.width, 3)
    with clock.stage("refine"):
        guide = np.broadcast_to(np.uint8(0), shape)
        matte = _full_size(alpha, guide, request.options, cancel.check)
    return matte, _notices(matte)


def _full_size(
    alpha: NDArray[np.float32],
    guide: NDArray[np.uint8],
    options: JobOptions,
    check: Callable[[], None],
) -> NDArray[Any]:
    # Where the best edge is wanted it is put where the layer has it before it is moved; else
    # moving it at the network's size is many times faster.
    fast = options.refinement == "fast"
    wanted = options.edit if fast else options.edit.of_shape
    small = edit(alpha, guide.shape[1] / alpha.shape[1], wanted, check=check)
    return refine(small, guide, mode=options.refinement, depth=options.depth, check=check)


def _split(payload: Payload, request: JobRequest) -> list[NDArray[np.uint8]]:
    parts, start = [], 0
    for plane in request.planes:
        parts.append(payload[start : start + plane.nbytes])
        start += plane.nbytes
    return parts


def _edit_edges(
    matte: NDArray[Any], options: JobOptions, check: Callable[[], None]
) -> NDArray[Any]:
    edges = options.edit.of_edge
    if not edges.edge_shift and not edges.feather:
        return matte
    full = np.float32(np.iinfo(matte.dtype).max)
    unit = matte.astype(np.float32)
    unit /= full
    edited = edit(unit, 1.0, edges, check=check)
    # In place: at full size each float copy is four bytes a pixel.
    np.clip(edited, 0, 1, out=edited)
    edited *= full
    edited += np.float32(0.5)
    return edited.astype(matte.dtype)


def _colours(prepared: Prepared, matte: NDArray[Any], check: Callable[[], None]) -> NDArray[Any]:
    own = rgb_view(prepared.original, prepared.request.pixels.layout)
    gray = own.shape[2] == 1
    image = np.repeat(own, 3, axis=2) if gray else own
    clean = foreground(image, matte, check=check)
    return clean[..., :1] if gray else clean


def _notices(matte: NDArray[Any]) -> tuple[Notice, ...]:
    low, high = int(matte.min()), int(matte.max())
    if high == 0:
        return (
            Notice(
                "matte-empty",
                "Nothing was recognised as the subject, so the mask hides everything: select "
                "roughly around the subject, or try another model.",
            ),
        )
    if low == np.iinfo(matte.dtype).max:
        return (
            Notice(
                "matte-full",
                "Everything was recognised as the subject, so the mask hides nothing: select "
                "roughly around the subject, or try another model.",
            ),
        )
    return ()
