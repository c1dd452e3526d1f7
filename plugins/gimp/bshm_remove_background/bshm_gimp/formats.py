"""Which pixel format a layer is asked for, and in which pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bridge_client.types import BYTES, CHANNELS, Depth, Layout

_BABL_LAYOUTS: dict[Layout, str] = {
    "RGB": "R'G'B'",
    "RGBA": "R'G'B'A",
    "GRAY": "Y'",
    "GRAYA": "Y'A",
}
_BABL_DEPTHS: dict[Depth, str] = {"u8": "u8", "u16": "u16", "f32": "float"}
STRIPE_BYTES = 256 << 20  # GEGL counts bytes with 32 bits


@dataclass(frozen=True)
class LayerFormat:
    """How a layer's pixels are read: always encoded, never linear.

    Attributes
    ----------
    layout, depth
        In the service's terms.
    """

    layout: Layout
    depth: Depth

    @property
    def babl(self) -> str:
        """Babl's name of the format, in sRGB."""
        return f"{_BABL_LAYOUTS[self.layout]} {_BABL_DEPTHS[self.depth]}"

    @property
    def pixel_bytes(self) -> int:
        return CHANNELS[self.layout] * BYTES[self.depth]


def layer_format(*, gray: bool, alpha: bool, precision: str) -> LayerFormat:
    """Return the format that loses nothing worth having of a layer.

    Parameters
    ----------
    precision
        GIMP's word for the image's precision: ``"u8-non-linear"``, ``"float-linear"``, …
    """
    layout: Layout
    if gray:
        layout = "GRAYA" if alpha else "GRAY"
    else:
        layout = "RGBA" if alpha else "RGB"
    kind = precision.split("-")[0]
    depth: Depth = "u8" if kind == "u8" else "u16" if kind == "u16" else "f32"
    return LayerFormat(layout, depth)


def stripes(width: int, height: int, pixel_bytes: int) -> Iterator[tuple[int, int]]:
    """Yield (first row, rows) of pieces that are small enough to be passed at once."""
    rows = max(1, STRIPE_BYTES // (width * pixel_bytes))
    for top in range(0, height, rows):
        yield top, min(rows, height - top)


def overlap(
    offset: tuple[int, int], size: tuple[int, int], canvas: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """Return the part of a layer that is on the canvas as x, y, width, height in the layer."""
    left, top = max(0, -offset[0]), max(0, -offset[1])
    right = min(size[0], canvas[0] - offset[0])
    bottom = min(size[1], canvas[1] - offset[1])
    if right <= left or bottom <= top:
        return None
    return left, top, right - left, bottom - top
