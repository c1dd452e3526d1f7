"""The layer named “trimap”: which one it is, and what its pixels say of another layer.

Nodes are Krita's; nothing of Krita is imported.
"""

from __future__ import annotations

import threading
from typing import Any

from .host import Area

BACKGROUND, UNKNOWN, FOREGROUND = 0, 128, 255

_NAME = "trimap"
_STRIPE = 1 << 17  # pixels: each step holds the interpreter's lock
_DARK, _BRIGHT, _EITHER = 1, 2, 3

# A pixel is known where all of its channels agree; soft strokes are unknown at their edges.
_NEAR = 5
_OPACITY = bytes(_EITHER if value >= 255 - _NEAR else 0 for value in range(256))
_MEANING = bytes(
    {_DARK: BACKGROUND, _BRIGHT: FOREGROUND}.get(value, UNKNOWN) for value in range(256)
)


def is_trimap(node: Any) -> bool:
    """Whether a node is a trimap by its kind and its name."""
    return node.type() == "paintlayer" and node.name().strip().casefold() == _NAME


def trimap_in(node: Any) -> Any:
    """Return the topmost trimap below `node`, in groups too; None where there is none."""
    for child in reversed(node.childNodes()):
        found = child if is_trimap(child) else trimap_in(child)
        if found is not None:
            return found
    return None


class Trimap:
    """What a trimap layer says of another layer; worked out when it is first asked for.

    Parameters
    ----------
    pixels
        The trimap layer's pixels over `place`: rows from the top without padding, one byte
        per channel, the opacity last.
    channels
        Bytes of one pixel.
    place
        What `pixels` covers, within `area`.
    area
        Where the other layer lies.
    black, white
        Bytes of a black and of a white pixel: where pixels were converted, they may be others.
    """

    def __init__(
        self,
        pixels: Any,
        channels: int,
        place: Area,
        area: Area,
        black: bytes = b"\0\0\0\xff",
        white: bytes = b"\xff\xff\xff\xff",
    ) -> None:
        self._pixels = pixels
        self._channels = channels
        self._tables = [
            _colour_table(*ends)
            for ends in zip(black[: channels - 1], white[: channels - 1], strict=True)
        ]
        self._place = place
        self._area = area
        self._values: bytes | None = None
        self._lock = threading.Lock()

    def values(self) -> bytes | None:
        """Return one byte per pixel of the other layer, or None where nothing is known.

        0 is background, 255 foreground and 128 unknown, as it is outside of `place`.
        """
        with self._lock:
            if self._pixels is not None:
                known = _meanings(self._pixels, self._channels, self._tables)
                self._pixels = None
                if known.count(UNKNOWN) < len(known):
                    self._values = _placed(known, self._place, self._area)
            return self._values


def _colour_table(black: int, white: int) -> bytes:
    return bytes(
        _DARK if value <= black + _NEAR else _BRIGHT if value >= white - _NEAR else 0
        for value in range(256)
    )


def _meanings(pixels: Any, channels: int, tables: list[bytes]) -> bytes:
    data = memoryview(pixels).cast("B")
    result = bytearray()
    for start in range(0, len(data), _STRIPE * channels):
        part = bytes(data[start : start + _STRIPE * channels])
        agreed = _number(part[channels - 1 :: channels].translate(_OPACITY))
        for channel, table in enumerate(tables):
            agreed &= _number(part[channel::channels].translate(table))
        result += agreed.to_bytes(len(part) // channels, "little").translate(_MEANING)
    return bytes(result)


def _number(values: bytes) -> int:
    return int.from_bytes(values, "little")


def _placed(values: bytes, place: Area, area: Area) -> bytes:
    """Return `values`, which cover `place`, with unknown pixels around them up to `area`."""
    if place == area:
        return values
    unknown = bytes([UNKNOWN])
    left = unknown * (place.x - area.x)
    right = unknown * (area.x + area.width - place.x - place.width)
    above = unknown * (area.width * (place.y - area.y))
    rows = b"".join(
        left + values[start : start + place.width] + right
        for start in range(0, len(values), place.width)
    )
    return (above + rows).ljust(area.width * area.height, unknown)
