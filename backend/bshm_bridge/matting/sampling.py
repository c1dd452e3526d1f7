"""Resampling as small matrices: exact at every ratio, and a tile at a time.

Enlarging or area-averaging one axis is linear, so the tile ``[y0:y1, x0:x1]`` of a resized
plane is ``rows @ plane[r0:r1, c0:c1] @ columns.T``, with two small dense matrices. Pixel
centres are aligned as in OpenCV's ``resize``: source = (target + 0.5) * ratio - 0.5.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

# Multiplications; OpenBLAS takes a second thread above 262,144.
_ONE_THREAD = 250_000


class Axis(NamedTuple):
    """Weights from a stretch of one axis to a stretch of another.

    Attributes
    ----------
    weights
        n×m, f32: n samples there from m samples here.
    start, stop
        Where on the small side of the two the stretch lies.
    """

    weights: F32
    start: int
    stop: int


def enlarge(small: int, large: float, begin: int, end: int, *, cubic: bool = False) -> Axis:
    """Weights for the samples [begin, end) of an axis enlarged from `small` to `large`.

    Linear, or cubic convolution (Keys 1981) with OpenCV's a = -0.75; edges are repeated.
    """
    position = (np.arange(begin, end) + 0.5) * (small / large) - 0.5
    left = np.floor(position).astype(np.int64)
    offset = position - left
    if cubic:
        taps = [-1, 0, 1, 2]
        kernel = [_keys(offset - tap) for tap in taps]
    else:
        taps = [0, 1]
        kernel = [1 - offset, offset]
    start = max(0, min(int(left[0]) + taps[0], small - 1))
    stop = max(1, min(int(left[-1]) + taps[-1] + 1, small))
    weights = np.zeros((left.size, stop - start), np.float32)
    for tap, values in zip(taps, kernel, strict=True):
        column = np.clip(left + tap, 0, small - 1) - start
        np.add.at(weights, (np.arange(left.size), column), values.astype(np.float32))
    return Axis(weights, start, stop)


def share(small: int, large: int, begin: int, end: int) -> Axis:
    """What the samples [begin, end) of the large axis add to the area means of the small one.

    Summed over stretches that cover the large axis, the rows add up to 1 each.
    """
    ratio = large / small
    start = int(begin / ratio + 1e-9)
    stop = min(small, int(np.ceil(end / ratio - 1e-9)))
    cells = np.arange(start, stop)[:, None]
    samples = np.arange(begin, end)
    overlap = np.minimum(samples + 1, (cells + 1) * ratio) - np.maximum(samples, cells * ratio)
    return Axis((np.clip(overlap, 0, 1) / ratio).astype(np.float32), start, stop)


def resample(planes: NDArray[Any], rows: Axis, columns: Axis) -> F32:
    """Enlarge a window of planes …×h×w to the stretch that the axes were made for."""
    window = planes[..., rows.start : rows.stop, columns.start : columns.stop]
    return apply(window.astype(np.float32, copy=False), rows, columns)


def apply(planes: F32, rows: Axis, columns: Axis) -> F32:
    """Multiply planes …×h×w by both axes."""
    return _multiply(_multiply(rows.weights, planes), columns.weights.T)


def _multiply(a: F32, b: F32) -> F32:
    """Matrix product in blocks of rows so small that OpenBLAS computes each on one thread.

    Tiles run on threads of their own; the two kinds of threads together are slower than
    either by far.
    """
    rows, inner = a.shape[-2:]
    fitting = max(1, _ONE_THREAD // max(1, inner * b.shape[-1]))
    block = next(size for size in range(min(rows, fitting), 0, -1) if rows % size == 0)
    blocks = a.reshape(*a.shape[:-2], rows // block, block, inner)
    product: F32 = np.matmul(blocks, b[..., None, :, :])
    return product.reshape(*product.shape[:-3], rows, b.shape[-1])


def _keys(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    a = -0.75
    x = np.abs(distance)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0))
