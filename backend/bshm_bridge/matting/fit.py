"""Fitting a layer to what a network takes: smaller where it must be, never larger."""

from __future__ import annotations

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

AnyArray = TypeVar("AnyArray", bound=NDArray[Any])


def fit_size(width: int, height: int, long_side: int) -> tuple[int, int]:
    """Return the size (width, height) of a picture whose long side is at most `long_side`.

    The aspect ratio is kept to within half a pixel, no side falls below 1, and a picture
    that is small enough keeps its size.
    """
    if min(width, height, long_side) < 1:
        raise ValueError(f"sizes are at least 1, not {width}×{height} and {long_side}")
    longest = max(width, height)
    if longest <= long_side:
        return width, height
    # Whole numbers, so that the long side comes out exact however large the picture is.
    return (
        max(1, (2 * width * long_side + longest) // (2 * longest)),
        max(1, (2 * height * long_side + longest) // (2 * longest)),
    )


def fit(image: AnyArray, long_side: int) -> AnyArray:
    """Shrink an image so that its long side is at most `long_side` pixels.

    Every pixel of the result is the mean of the area that it covers, so that strands
    thinner than a pixel keep their weight.

    Parameters
    ----------
    image
        H×W or H×W×C with C at most 4; u8, u16, f16 or f32. Not changed.
    long_side
        Pixels, at least 1.

    Returns
    -------
    The image itself where it is small enough, else a new array h×w(×C) of the same type.
    """
    height, width = image.shape[:2]
    size = fit_size(width, height, long_side)
    if size == (width, height):
        return image
    return area_average(image, size)


def area_average(image: AnyArray, size: tuple[int, int]) -> AnyArray:
    """Shrink an image H×W or H×W×C to `size` (width, height), each pixel the mean of its area."""
    # OpenCV knows no half floats.
    source = image.astype(np.float32) if image.dtype == np.float16 else image
    shrunk = cv2.resize(np.ascontiguousarray(source), size, interpolation=cv2.INTER_AREA)
    # OpenCV drops a channel axis of length 1.
    shaped: AnyArray = shrunk.reshape(size[1], size[0], *image.shape[2:]).astype(image.dtype)
    return shaped
