"""Pixels as editors hold them, and as the matting sees them: RGB, u8, encoded sRGB.

The eight-bit picture is what networks take and what guides the refinement. The layer's own
values stay at hand as a view, for clean edge colours in the layer's own depth.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.errors import InvalidInput

DTYPES: dict[str, np.dtype[Any]] = {
    "u8": np.dtype("u1"),
    "u16": np.dtype("<u2"),
    "f16": np.dtype("<f2"),
    "f32": np.dtype("<f4"),
}
CHANNELS = {"RGB": 3, "RGBA": 4, "BGRA": 4, "GRAY": 1, "GRAYA": 2, "BGR": 3}
_ALPHA = {"RGBA": 3, "BGRA": 3, "GRAYA": 1}
_RGB = {
    "RGB": (0, 1, 2),
    "RGBA": (0, 1, 2),
    "BGRA": (2, 1, 0),
    "BGR": (2, 1, 0),
    "GRAY": (0, 0, 0),
    "GRAYA": (0, 0, 0),
}
_FILL = 128  # where the layer is fully transparent, its colour means nothing
_MOST_PADDING = 1 << 16  # bytes of a row, besides as much as the row itself
_BLOCK = 1 << 22  # values converted at a time, so that conversions need little memory


@dataclass(frozen=True)
class PixelFormat:
    """Geometry and meaning of a rectangle of pixels in memory.

    Attributes
    ----------
    layout
        A key of `CHANNELS`.
    depth
        A key of `DTYPES`; integers span black to white, floats 0 to 1.
    row_stride
        Bytes from one row to the next; 0 for rows without padding.
    linear
        Whether colour is proportional to light, with sRGB's primaries.
    icc_profile
        Profile of encoded colour; empty means sRGB.
    """

    width: int
    height: int
    layout: str
    depth: str = "u8"
    row_stride: int = 0
    linear: bool = False
    icc_profile: bytes = b""

    @property
    def row_bytes(self) -> int:
        """Bytes of one row without padding."""
        return self.width * CHANNELS[self.layout] * DTYPES[self.depth].itemsize

    @property
    def nbytes(self) -> int:
        """Bytes that the rectangle takes in a payload."""
        return (self.row_stride or self.row_bytes) * self.height

    def check(self) -> None:
        """Raise `InvalidInput` where the format makes no sense."""
        if self.layout not in CHANNELS or self.depth not in DTYPES:
            raise InvalidInput("The pixel format is not supported.", "bad-format")
        if self.width < 1 or self.height < 1:
            raise InvalidInput("The layer has no pixels: its size is zero.", "bad-size")
        if self.row_stride and self.row_stride < self.row_bytes:
            raise InvalidInput("The row stride is shorter than a row.", "bad-stride")
        if self.row_stride > 2 * self.row_bytes + _MOST_PADDING:
            raise InvalidInput("The row stride is far longer than a row.", "bad-stride")


def view(buffer: NDArray[np.uint8], fmt: PixelFormat) -> NDArray[Any]:
    """Return `buffer` as H×W×C values of the format's type, without a copy.

    Parameters
    ----------
    buffer
        One-dimensional, at least ``fmt.nbytes`` long.
    """
    stride = fmt.row_stride or fmt.row_bytes
    if buffer.size < fmt.nbytes:
        raise InvalidInput("The pixel data is shorter than its size and format say.", "short-data")
    rows = buffer[: fmt.nbytes].reshape(fmt.height, stride)[:, : fmt.row_bytes]
    dtype = DTYPES[fmt.depth]
    if stride % dtype.itemsize or buffer.ctypes.data % dtype.itemsize:
        rows = np.ascontiguousarray(rows)  # values of a padded row may lie at odd addresses
    return rows.view(dtype).reshape(fmt.height, fmt.width, CHANNELS[fmt.layout])


def rgb_view(pixels: NDArray[Any], layout: str) -> NDArray[Any]:
    """Return the colour of H×W×C `pixels` as H×W×3 RGB, or H×W×1 for grey, without a copy."""
    if CHANNELS[layout] < 3:
        return pixels[..., :1]
    return pixels[..., 2::-1] if layout.startswith("BGR") else pixels[..., :3]


def transparent(pixels: NDArray[Any], layout: str) -> NDArray[np.bool_] | None:
    """Return H×W, true where the layer is fully transparent; None where it is nowhere."""
    if layout not in _ALPHA:
        return None
    alpha = pixels[..., _ALPHA[layout]]
    if alpha.dtype.kind == "f":
        # NaN is not opaque either.
        hidden = ~(alpha > 0)
        return hidden if hidden.any() else None
    if alpha.min() > 0:
        return None
    mask: NDArray[np.bool_] = alpha == 0
    return mask


def to_rgb8(pixels: NDArray[Any], fmt: PixelFormat) -> NDArray[np.uint8]:
    """Return H×W×3 u8 RGB in encoded sRGB.

    Parameters
    ----------
    pixels
        H×W×C as `view` returns it. Where it already is RGB u8 in sRGB, it comes back itself.

    Raises
    ------
    InvalidInput
        Where the colour profile cannot be used.
    """
    values = _to_u8(pixels, fmt)
    rgb = _reorder(values, fmt.layout)
    if fmt.icc_profile and not fmt.linear:
        rgb = _from_profile(rgb, fmt)
    return rgb


def fill_transparent(rgb: NDArray[np.uint8], hidden: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    """Return `rgb` with mid-grey where the layer is `hidden`; a copy where that is anywhere."""
    if hidden is None:
        return rgb
    filled = rgb.copy()
    filled[hidden] = _FILL
    return filled


def to_gray8(pixels: NDArray[Any], fmt: PixelFormat) -> NDArray[np.uint8]:
    """Return H×W u8 of a one-channel rectangle, such as a selection."""
    return np.ascontiguousarray(_to_u8(pixels, fmt)[..., 0])


def _to_u8(pixels: NDArray[Any], fmt: PixelFormat) -> NDArray[np.uint8]:
    colours = len(set(_RGB[fmt.layout]))
    if fmt.depth == "u8":
        if not fmt.linear:
            return pixels
        out = pixels.copy()
        out[..., :colours] = _linear_table(256)[pixels[..., :colours]]
        return out
    out = np.empty(pixels.shape, np.uint8)
    rows = max(1, _BLOCK // max(1, pixels.shape[1] * pixels.shape[2]))
    for top in range(0, pixels.shape[0], rows):
        part = slice(top, top + rows)
        out[part] = _integers(pixels[part], fmt, colours)
    return out


def _integers(block: NDArray[Any], fmt: PixelFormat, colours: int) -> NDArray[np.uint8]:
    if fmt.depth == "u16":
        if not fmt.linear:
            return _u16_table()[block]
        out = _u16_table()[block]
        out[..., :colours] = _linear_table(65536)[block[..., :colours]]
        return out
    unit = np.nan_to_num(block.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    np.clip(unit, 0.0, 1.0, out=unit)
    if fmt.linear:
        unit[..., :colours] = encode_srgb(unit[..., :colours])
    return (unit * 255.0 + 0.5).astype(np.uint8)


def encode_srgb(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return encoded sRGB of linear light, both 0 to 1 (IEC 61966-2-1)."""
    encoded = 1.055 * np.power(linear, 1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, linear * 12.92, encoded).astype(np.float32)


@lru_cache(maxsize=1)
def _u16_table() -> NDArray[np.uint8]:
    return ((np.arange(65536, dtype=np.uint32) + 128) // 257).astype(np.uint8)


@lru_cache(maxsize=2)
def _linear_table(size: int) -> NDArray[np.uint8]:
    unit = np.arange(size, dtype=np.float32) / np.float32(size - 1)
    return (encode_srgb(unit) * 255.0 + 0.5).astype(np.uint8)


def _reorder(values: NDArray[np.uint8], layout: str) -> NDArray[np.uint8]:
    if layout == "RGB":
        return values
    values = np.ascontiguousarray(values)
    if layout == "GRAY":
        return cv2.cvtColor(values, cv2.COLOR_GRAY2RGB)
    if layout == "GRAYA":
        gray = np.ascontiguousarray(values[..., 0])
        return cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)
    code = {
        "RGBA": cv2.COLOR_RGBA2RGB,
        "BGRA": cv2.COLOR_BGRA2RGB,
        "BGR": cv2.COLOR_BGR2RGB,
    }[layout]
    return cv2.cvtColor(values, code)


def _from_profile(rgb: NDArray[np.uint8], fmt: PixelFormat) -> NDArray[np.uint8]:
    from PIL import Image, ImageCms

    gray = CHANNELS[fmt.layout] < 3
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(fmt.icc_profile))
        space = profile.profile.xcolor_space.strip()
        if space == "GRAY" and gray:
            source = Image.fromarray(np.ascontiguousarray(rgb[..., 0]))
        elif space == "RGB":
            source = Image.fromarray(np.ascontiguousarray(rgb))
        else:
            raise InvalidInput(
                "The layer's colour profile is for another colour mode than its pixels.",
                "bad-profile",
            )
        mode = "L" if space == "GRAY" else "RGB"
        transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
        converted = ImageCms.applyTransform(source, transform)
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise InvalidInput("The layer's colour profile cannot be read.", "bad-profile") from error
    return np.asarray(converted)
