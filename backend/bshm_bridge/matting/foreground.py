"""Clean edge colours: what a pixel's colour would be without the old background.

A soft pixel shows alpha·F + (1 - alpha)·B. Both colours are estimated from coarse to fine:
each level starts from the enlarged coarser one, moves F and B towards what explains the
pixel, and averages them with their neighbours by how much of either these show. The scheme is
that of multi-level estimation (Germer et al. 2020) with one local step in place of its linear
systems and weighted means (Forte 2021) in place of its smoothness term. Coarse levels are made
for the whole picture, fine ones only in tiles that hold soft pixels.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.matting.fit import area_average
from bshm_bridge.matting.sampling import F32, enlarge, resample
from bshm_bridge.matting.tiles import Check, Tile, each, tiles
from bshm_bridge.matting.values import from_unit, to_unit

_COARSE = 8
_FINE = (4, 2, 1)
_TILE = 128
_HALO = 16
_STEPS = 2
# How far F and B move towards what explains a pixel: all the way at 0.
_REST = np.float32(0.03)
# The same for the last move, which nothing smooths any more.
_LAST_REST = np.float32(0.3)
# Weight in the means of a pixel that shows nothing of a colour.
_UNSEEN = np.float32(0.01)


def foreground(
    image: NDArray[Any], alpha: NDArray[Any], *, check: Check | None = None
) -> NDArray[Any]:
    """Estimate the subject's own colours in the soft band.

    Parameters
    ----------
    image
        H×W×3; u8, u16 or float (0 to 1). Not changed.
    alpha
        H×W; u8, u16 or float (0 to 1). Not changed.
    check
        Called between tiles; raises to abandon the work.

    Returns
    -------
    H×W×3 of the image's type. Where alpha is 0 or full it is the image itself.

    Raises
    ------
    ValueError
        Arrays of the wrong shape.
    """
    if image.ndim != 3 or image.shape[2] != 3 or alpha.shape != image.shape[:2]:
        raise ValueError(f"H×W×3 and H×W expected, not {image.shape} and {alpha.shape}")
    result = image.copy()
    height, width = alpha.shape
    soft = [
        tile for tile in tiles(height, width, _TILE) if _is_soft(to_unit(alpha[tile.window])).any()
    ]
    if not soft:
        return result
    size = -(-width // _COARSE), -(-height // _COARSE)
    coarse = _coarse_colours(to_unit(area_average(image, size)), to_unit(area_average(alpha, size)))

    def clean(tile: Tile) -> None:
        cover = to_unit(alpha[tile.window])
        found = _fine_colours(tile, image, alpha, coarse)
        rows = result[tile.window]
        mask = _is_soft(cover)
        rows[mask] = from_unit(found.transpose(1, 2, 0)[mask], image.dtype)

    for _ in each(clean, soft, check):
        pass
    return result


def _is_soft(alpha: F32) -> NDArray[np.bool_]:
    soft: NDArray[np.bool_] = (alpha > 0) & (alpha < 1)
    return soft


def _coarse_colours(image: F32, alpha: F32) -> F32:
    """Return F and B as planes 6×h×w, from 1 pixel up to the given size."""
    levels = [(image, alpha)]
    while max(levels[-1][1].shape) > 1:
        h, w = levels[-1][1].shape
        size = (w + 1) // 2, (h + 1) // 2
        levels.append((area_average(levels[-1][0], size), area_average(levels[-1][1], size)))
    colours = np.zeros((6, 1, 1), np.float32)
    for colour, cover in reversed(levels):
        planes = np.ascontiguousarray(colour.transpose(2, 0, 1))
        if cover.size == 1:
            colours = np.concatenate([planes, planes])
        colours = _settle(planes, cover, _grown(colours, cover.shape), _STEPS)
    return colours


def _fine_colours(tile: Tile, image: NDArray[Any], alpha: NDArray[Any], coarse: F32) -> F32:
    """Return F of a tile, 3×n×m."""
    height, width = alpha.shape
    top, left = max(0, tile.top - _HALO), max(0, tile.left - _HALO)
    window = np.s_[top : tile.bottom + _HALO, left : tile.right + _HALO]
    # Whole cells of every level, at the lower and right border as well.
    colour = _padded(to_unit(image[window]))
    cover = _padded(to_unit(alpha[window]))
    n, m = cover.shape
    rows = enlarge(coarse.shape[1], height / 4, top // 4, (top + n) // 4)
    columns = enlarge(coarse.shape[2], width / 4, left // 4, (left + m) // 4)
    colours = resample(coarse, rows, columns)
    for step in _FINE:
        size = m // step, n // step
        planes = np.ascontiguousarray(_shrunk(colour, size).transpose(2, 0, 1))
        part = _shrunk(cover, size)
        colours = _grown(colours, part.shape)
        colours = _settle(planes, part, colours, _STEPS if step > 1 else 1)
    share = cover * _gain(cover, _LAST_REST)
    for channel in range(3):
        colours[channel] += share * _unexplained(planes, cover, colours, channel)
    y, x = tile.top - top, tile.left - left
    return colours[:3, y : y + tile.bottom - tile.top, x : x + tile.right - tile.left]


def _settle(image: F32, alpha: F32, colours: F32, steps: int) -> F32:
    """Move F and B towards the pixels, then average neighbours; `steps` times, in place."""
    shares = alpha, 1 - alpha
    weights = [share + _UNSEEN for share in shares]
    norms = [1 / _mean(weight) for weight in weights]
    gain = _gain(alpha, _REST)
    for _ in range(steps):
        # Plane by plane: these stay in the processor's cache.
        for channel in range(3):
            move = _unexplained(image, alpha, colours, channel)
            move *= gain
            for plane, share, weight, norm in zip(
                colours[channel::3], shares, weights, norms, strict=True
            ):
                plane += share * move
                np.clip(plane, 0, 1, out=plane)
                plane *= weight
                np.multiply(_mean(plane), norm, out=plane)
    return colours


def _unexplained(image: F32, alpha: F32, colours: F32, channel: int) -> F32:
    """What F and B leave of one channel: I - B - alpha (F - B)."""
    front, back = colours[channel], colours[channel + 3]
    rest = front - back
    rest *= alpha
    rest += back
    return np.subtract(image[channel], rest, out=rest)


def _gain(alpha: F32, rest: np.float32) -> F32:
    """How much of what is unexplained, times alpha, F takes on."""
    back = 1 - alpha
    gain: F32 = np.float32(1) / (alpha * alpha + back * back + rest)
    return gain


def _mean(plane: F32) -> F32:
    blurred: F32 = cv2.blur(plane, (3, 3)).reshape(plane.shape)
    return blurred


def _grown(planes: F32, shape: tuple[int, ...]) -> F32:
    if planes.shape[1:] == shape:
        return planes
    size = shape[1], shape[0]
    grown = [cv2.resize(p, size, interpolation=cv2.INTER_LINEAR).reshape(shape) for p in planes]
    return np.stack(grown)


def _shrunk(array: F32, size: tuple[int, int]) -> F32:
    return array if array.shape[1::-1] == size else area_average(array, size)


def _padded(array: F32) -> F32:
    """Repeat the last row and column up to a multiple of 4."""
    below, right = -array.shape[0] % 4, -array.shape[1] % 4
    if not below and not right:
        return array
    return np.pad(array, [(0, below), (0, right)] + [(0, 0)] * (array.ndim - 2), "edge")
