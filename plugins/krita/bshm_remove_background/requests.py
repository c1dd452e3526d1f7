"""From a layer to a matting request, and from the matte to what the editor gets."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from .cutout import cut_out_pixels
from .host import CutOut, Snapshot
from .settings import Settings

if TYPE_CHECKING:
    from bridge_client import Matte, Pixels

_PICTURE = 256  # pixels, the longer side


@dataclass(frozen=True)
class SmallAlpha:
    """A matte made small for a picture: one byte per pixel, rows without padding."""

    data: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True)
class Product:
    """What a finished request brings to the main thread.

    Attributes
    ----------
    alpha
        Opacities of one byte each, for a mask or a selection; None where `cut_out` is.
    trimap
        Whether a trimap was followed.
    """

    matte: Matte
    small: SmallAlpha
    alpha: bytes | None = field(default=None, repr=False)
    cut_out: CutOut | None = None
    trimap: bool = False


def matte_request(
    snapshot: Snapshot,
    settings: Settings,
    refinement: Literal["best", "fast"] = "best",
    *,
    batch: bool = False,
    remembered: str = "",
) -> tuple[Pixels, dict[str, Any]]:
    """Return the pixels and the keyword arguments of the client's ``matte``.

    Parameters
    ----------
    remembered
        What the service said of an earlier request for the same pixels.
    """
    from bridge_client import MatteOptions, Pixels

    area, wire = snapshot.area, snapshot.wire
    pixels = Pixels(
        memoryview(snapshot.data),
        area.width,
        area.height,
        wire.layout,
        wire.depth,
        linear=wire.linear,
    )
    hint = None
    if snapshot.selection is not None:
        hint = Pixels(memoryview(snapshot.selection), area.width, area.height, "GRAY")
    trimap = None
    known = snapshot.trimap.values() if snapshot.trimap is not None else None
    if known is not None:
        trimap = Pixels(known, area.width, area.height, "GRAY")
    layer = settings.output == "layer"
    options = MatteOptions(
        model=settings.model,
        refinement=refinement,
        depth="u16" if layer and wire.depth != "u8" else "u8",
        foreground=layer and settings.clean_edges,
        edge_shift=settings.edge_shift,
        feather=settings.feather,
        priority="batch" if batch else "interactive",
    )
    extras = {"hint": hint, "trimap": trimap, "remembered": remembered}
    return pixels, {**extras, "options": options}


def finish_matte(
    matte: Matte, snapshot: Snapshot, settings: Settings, *, compress: bool = False
) -> Product:
    """Return what the editor gets; `compress` where many frames have to wait for the last."""
    data = memoryview(matte.alpha.data)
    small = _small(data, snapshot, 1 if matte.alpha.depth == "u8" else 2)
    # A small record of the matte: its pixels would stay in memory as long as it is shown.
    shown = replace(matte, alpha=replace(matte.alpha, data=b""), foreground=None)
    trimap = snapshot.trimap is not None and snapshot.trimap.values() is not None
    if settings.output != "layer":
        return Product(shown, small, alpha=bytes(data), trimap=trimap)
    foreground = matte.foreground.data if matte.foreground is not None else None
    pixels: Any = cut_out_pixels(memoryview(snapshot.data), data, foreground, snapshot.wire)
    if compress:
        pixels = zlib.compress(pixels, 1)
    cut_out = CutOut(snapshot.area, pixels, snapshot.space)
    return Product(shown, small, cut_out=cut_out, trimap=trimap)


def unpacked(cut_out: CutOut) -> CutOut:
    """Return a cut-out that was compressed by `finish_matte`."""
    return replace(cut_out, data=zlib.decompress(cut_out.data))


def _small(alpha: memoryview, snapshot: Snapshot, size: int) -> SmallAlpha:
    """Take every n-th value of every n-th row; of two bytes the higher one."""
    width, height = snapshot.area.width, snapshot.area.height
    step = max(1, -(-max(width, height) // _PICTURE))
    rows = [
        bytes(alpha[row * width * size + size - 1 : (row + 1) * width * size : step * size])
        for row in range(0, height, step)
    ]
    return SmallAlpha(b"".join(rows), len(rows[0]), len(rows))
