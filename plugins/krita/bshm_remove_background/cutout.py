"""Builds a cut-out's pixels without numpy, which an editor's Python may not have.

Runs on a request's thread. It works in stripes, because each step holds the interpreter's
lock and the editor's own Python must get its turn.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from functools import cache
from typing import Any

from .colours import WireFormat

Buffer = bytes | bytearray | memoryview

STRIPE = 1 << 17  # pixels

_CODES = {"u8": "B", "u16": "H", "f16": "H", "f32": "f"}
_OPAQUE: dict[str, float] = {"u8": 0xFF, "u16": 0xFFFF, "f16": 0x3C00, "f32": 1.0}
_COLOURS = {"BGRA": (2, 1, 0), "RGBA": (0, 1, 2), "GRAYA": (0,)}


def cut_out_pixels(
    layer: Buffer, alpha: Buffer, foreground: Buffer | None, wire: WireFormat
) -> bytearray:
    """Return the layer's pixels with the matte multiplied into their opacity.

    Parameters
    ----------
    layer
        Pixels in the format `wire`, without padding.
    alpha
        The matte: one byte per pixel where `wire` has one-byte values, else two.
    foreground
        Colours to use instead of the layer's, in the depth of `wire`: GRAY for a grey layer,
        else RGB.
    wire
        The layer's format.
    """
    code = _CODES[wire.depth]
    alpha_code = "B" if wire.depth == "u8" else "H"
    pixels, opacities = memoryview(layer).cast("B"), memoryview(alpha).cast("B")
    colours = memoryview(foreground).cast("B") if foreground is not None else None
    order = _COLOURS[wire.layout]
    channels = len(order) + 1
    value_size = wire.pixel_size // channels
    count = len(pixels) // wire.pixel_size
    multiply = _MULTIPLY[wire.depth]
    result = bytearray(len(pixels))
    for start in range(0, count, STRIPE):
        end = min(start + STRIPE, count)
        part = _part(code, pixels, start, end, wire.pixel_size)
        matte = _part(alpha_code, opacities, start, end, 1 if alpha_code == "B" else 2)
        if colours is not None:
            clean = _part(code, colours, start, end, len(order) * value_size)
            for place, channel in enumerate(order):
                part[place::channels] = clean[channel :: len(order)]
        own = part[channels - 1 :: channels]
        part[channels - 1 :: channels] = multiply(own, matte)
        result[start * wire.pixel_size : end * wire.pixel_size] = part.tobytes()
    return result


def _part(code: str, buffer: memoryview, start: int, end: int, size: int) -> array[Any]:
    part = array(code)
    part.frombytes(buffer[start * size : end * size])
    return part


def _multiply_u8(own: array[Any], matte: array[Any]) -> array[Any]:
    if _is_opaque(own, "u8"):
        return matte
    return array("B", [(a * m + 127) // 255 for a, m in zip(own, matte, strict=True)])


def _multiply_u16(own: array[Any], matte: array[Any]) -> array[Any]:
    if _is_opaque(own, "u16"):
        return matte
    return array("H", [(a * m + 32767) // 65535 for a, m in zip(own, matte, strict=True)])


def _multiply_f16(own: array[Any], matte: array[Any]) -> array[Any]:
    if _is_opaque(own, "f16"):
        return array("H", map(_half_bits().__getitem__, matte))
    halves = struct.unpack(f"{len(own)}e", own.tobytes())
    product = [a * m / 65535 for a, m in zip(halves, matte, strict=True)]
    result = array("H")
    result.frombytes(struct.pack(f"{len(own)}e", *product))
    return result


def _multiply_f32(own: array[Any], matte: array[Any]) -> array[Any]:
    return array("f", [a * m / 65535 for a, m in zip(own, matte, strict=True)])


def _is_opaque(own: array[Any], depth: str) -> bool:
    return own.count(_OPAQUE[depth]) == len(own)


@cache
def _half_bits() -> array[int]:
    """Return the bits of m / 65535 as half floats, for every m of two bytes."""
    bits = array("H")
    bits.frombytes(struct.pack("65536e", *(m / 65535 for m in range(65536))))
    return bits


_MULTIPLY: dict[str, Callable[[array[Any], array[Any]], array[Any]]] = {
    "u8": _multiply_u8,
    "u16": _multiply_u16,
    "f16": _multiply_f16,
    "f32": _multiply_f32,
}
