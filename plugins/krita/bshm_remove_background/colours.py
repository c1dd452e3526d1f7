"""What Krita's colour spaces are on the wire, and which have to be converted before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Layout = Literal["BGRA", "RGBA", "GRAYA"]
Depth = Literal["u8", "u16", "f16", "f32"]

SRGB = "sRGB-elle-V2-srgbtrc.icc"
"""The sRGB profile that every Krita brings, by the name that Krita's API uses."""

_CHANNELS = {"RGBA": 4, "BGRA": 4, "GRAYA": 2}
_BYTES = {"u8": 1, "u16": 2, "f16": 2, "f32": 4}

# By name, because Krita's API tells a profile's name but not its bytes.
_ENCODED = {
    "sRGB-elle-V2-srgbtrc.icc",
    "sRGB-elle-V4-srgbtrc.icc",
    "sRGB built-in",
    "sRGB IEC61966-2.1",
    "Artifex Software sRGB ICC Profile",
    "Gray-D50-elle-V2-srgbtrc.icc",
    "Gray-D50-elle-V4-srgbtrc.icc",
    "gray built-in",
    "Artifex Software sGray ICC Profile",
}
_LINEAR = {
    "sRGB-elle-V2-g10.icc",
    "sRGB-elle-V4-g10.icc",
    "krita-2.5, lcms sRGB built-in with linear gamma TRC",
    "scRGB (linear)",
    "Gray-D50-elle-V2-g10.icc",
    "Gray-D50-elle-V4-g10.icc",
}


@dataclass(frozen=True)
class ColourSpace:
    """A colour space as Krita's API names it, for instance ``RGBA``, ``U8``, a profile's name."""

    model: str
    depth: str
    profile: str


PLAIN = ColourSpace("RGBA", "U8", SRGB)


@dataclass(frozen=True)
class WireFormat:
    """How pixels of a colour space are described to the service."""

    layout: Layout
    depth: Depth
    linear: bool

    @property
    def pixel_size(self) -> int:
        """Bytes of one pixel."""
        return _CHANNELS[self.layout] * _BYTES[self.depth]


def wire_format(space: ColourSpace) -> WireFormat | None:
    """Return how `space` travels as it is; None where it has to be converted first."""
    linear = space.profile in _LINEAR
    if not linear and space.profile not in _ENCODED:
        return None
    depth = _depth(space.depth)
    if space.model == "GRAYA":
        return WireFormat("GRAYA", depth, linear)
    if space.model == "RGBA":
        # Integer RGBA is blue first in Krita's memory, floating point red first.
        return WireFormat("BGRA" if depth in ("u8", "u16") else "RGBA", depth, linear)
    return None


def converted(space: ColourSpace) -> ColourSpace:
    """Return the sRGB space of the same depth, which every colour space converts to."""
    return ColourSpace("RGBA", space.depth, SRGB)


def _depth(name: str) -> Depth:
    depths: dict[str, Depth] = {"U8": "u8", "U16": "u16", "F16": "f16", "F32": "f32"}
    return depths[name]
