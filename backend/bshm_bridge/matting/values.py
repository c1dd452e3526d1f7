"""Channel values of any type as f32 with 1 as full scale, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bshm_bridge.matting.sampling import F32


def full_scale(dtype: np.dtype[Any]) -> float:
    """Return the value that stands for 1: the largest integer, or 1 for floats."""
    return float(np.iinfo(dtype).max) if dtype.kind == "u" else 1.0


def to_unit(values: NDArray[Any]) -> F32:
    """Scale to 0..1; floats are clipped, and what is not a number reads as 0."""
    if values.dtype.kind == "u":
        scaled: F32 = values * np.float32(1 / full_scale(values.dtype))
        return scaled
    clean: F32 = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    return np.clip(clean, 0, 1, out=clean)


def from_unit(values: F32, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Clip to 0..1, scale to the type's full range and, for integers, round."""
    clipped = np.clip(values, 0, 1)
    if dtype.kind == "u":
        clipped = clipped * np.float32(full_scale(dtype)) + np.float32(0.5)
    return clipped.astype(dtype)


def is_clean(values: NDArray[Any]) -> bool:
    """Tell whether every value is a number from 0 to full scale."""
    if values.dtype.kind == "u":
        return True
    # A comparison with not-a-number is false, and both reductions hand it on.
    return bool(values.min() >= 0 and values.max() <= 1)


def sanitised(image: NDArray[Any]) -> NDArray[Any]:
    """Return an image that is u8, u16 or clean f32: itself, or a u16 copy of it."""
    if image.dtype.kind == "u" or (image.dtype == np.float32 and is_clean(image)):
        return image
    copy = np.empty(image.shape, np.uint16)
    rows = max(1, (1 << 20) // max(1, image[:1].size))
    for top in range(0, image.shape[0], rows):
        copy[top : top + rows] = from_unit(to_unit(image[top : top + rows]), copy.dtype)
    return copy
