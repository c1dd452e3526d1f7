"""A layer named “trimap” says where the subject surely is, and where it surely is not."""

from __future__ import annotations

NAME = "trimap"
BACKGROUND, UNKNOWN, FOREGROUND = 0, 128, 255
BLACKEST, WHITEST = 5, 250  # what a soft brush or a conversion leaves of black and white

# Codes that survive an AND with opacity, where 0 is what is not known.
_KNOWN_BACKGROUND, _KNOWN_FOREGROUND = 1, 2
_CODE_OF_GRAY = bytes(
    _KNOWN_BACKGROUND if gray <= BLACKEST else _KNOWN_FOREGROUND if gray >= WHITEST else 0
    for gray in range(256)
)
_MASK_OF_ALPHA = bytes(255 if alpha > 127 else 0 for alpha in range(256))
_VALUE_OF_CODE = bytes([UNKNOWN, BACKGROUND, FOREGROUND]).ljust(256, b"\x80")


def is_trimap(name: str) -> bool:
    """Whether a layer of this name is a trimap, and so never one to be worked on."""
    return name.strip().casefold() == NAME


def trimap_values(pixels: bytes | bytearray) -> bytes | None:
    """Return a trimap as the service takes it; None where it says nothing.

    Parameters
    ----------
    pixels
        Grey (encoded) and alpha of each pixel, one byte each.

    Returns
    -------
    bytes or None
        One byte a pixel: 0 where it is about black, 255 where it is about white, 128
        elsewhere and where it is mostly transparent. None where all of it is 128.
    """
    codes = int.from_bytes(pixels[::2].translate(_CODE_OF_GRAY), "little")
    seen = int.from_bytes(pixels[1::2].translate(_MASK_OF_ALPHA), "little")
    known = codes & seen
    if not known:
        return None
    return known.to_bytes(len(pixels) // 2, "little").translate(_VALUE_OF_CODE)
