"""Edits that a designer asks for after the first look: holes, specks, edge shift, feather.

All sizes are in pixels of the layer. `scale` is how many layer pixels one pixel of the given
alpha spans along a side (layer width / alpha width): above 1 on the network's alpha, 1 on a
matte at full size. Holes and specks are best taken from the network's alpha before `refine`,
and the edge moved after it, since `refine` puts edges where the layer has them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.matting.fit import area_average
from bshm_bridge.matting.sampling import F32
from bshm_bridge.matting.tiles import Check, Tile, each, tiles

# Alpha above which a pixel belongs to a part; haze below it joins nothing.
_PRESENT = 0.1
_TILE = 256
# Standard deviation in pixels from which a blur is no longer computed at full size.
_FINE_SIGMA = 4.0


@dataclass(frozen=True)
class EditOptions:
    """What to change; the default changes nothing.

    Attributes
    ----------
    edge_shift
        Layer pixels; above 0 grows the subject, below 0 shrinks it.
    feather
        Layer pixels; standard deviation of a Gaussian blur.
    fill_holes, remove_specks
        Largest area, in layer pixels, of a hole that is filled or a speck that is removed.
    """

    edge_shift: float = 0.0
    feather: float = 0.0
    fill_holes: int = 0
    remove_specks: int = 0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.edge_shift) and np.isfinite(self.feather) and self.feather >= 0):
            raise ValueError("edge shift and feather are finite, feather at least 0")
        if self.fill_holes < 0 or self.remove_specks < 0:
            raise ValueError("sizes of holes and specks are at least 0")

    @property
    def of_shape(self) -> EditOptions:
        """The part that suits the network's alpha: holes and specks."""
        return replace(self, edge_shift=0.0, feather=0.0)

    @property
    def of_edge(self) -> EditOptions:
        """The part that suits the full-size matte: edge shift and feather."""
        return replace(self, fill_holes=0, remove_specks=0)


def edit(alpha: F32, scale: float, options: EditOptions, *, check: Check | None = None) -> F32:
    """Apply the options, in the order holes, specks, edge shift, feather.

    Parameters
    ----------
    alpha
        h×w, 0 to 1. Not changed.
    scale
        Layer pixels per pixel of `alpha` along a side.
    options
        What to do.

    check
        Called between tiles; raises to abandon the work.

    Returns
    -------
    h×w, f32, 0 to 1; the given array itself where nothing is to be done.
    """
    if not scale > 0:
        raise ValueError(f"scale is above 0, not {scale}")
    area = scale * scale
    if options.fill_holes:
        holes = _small_parts(1 - alpha, options.fill_holes / area, border=False)
        alpha = np.where(holes, np.float32(1), alpha)
    if options.remove_specks:
        specks = _small_parts(alpha, options.remove_specks / area, border=True)
        alpha = np.where(specks, np.float32(0), alpha)
    if options.edge_shift:
        distance = options.edge_shift / scale
        alpha = _locally(
            alpha, math.ceil(abs(distance)), lambda part: _shift(part, distance), check
        )
    if options.feather:
        alpha = _blur(alpha, options.feather / scale, check)
    return alpha


def _locally(alpha: F32, reach: int, change: Callable[[F32], F32], check: Check | None) -> F32:
    """Apply `change`, which looks `reach` pixels around, to tiles where alpha varies."""
    height, width = alpha.shape
    result = alpha.copy()

    def apply(tile: Tile) -> None:
        top, left = max(0, tile.top - reach), max(0, tile.left - reach)
        part = alpha[top : tile.bottom + reach, left : tile.right + reach]
        if part.min() < part.max():
            y, x = tile.top - top, tile.left - left
            changed = change(np.ascontiguousarray(part))
            inner = changed[y : y + tile.bottom - tile.top, x : x + tile.right - tile.left]
            result[tile.window] = inner

    for _ in each(apply, tiles(height, width, _TILE), check):
        pass
    return result


def _blur(alpha: F32, sigma: float, check: Check | None) -> F32:
    """Gaussian blur; a wide one is computed on a smaller picture, where it looks the same."""
    height, width = alpha.shape
    sigma = min(sigma, max(height, width))  # all one grey from there on
    factor = min(int(sigma / _FINE_SIGMA), min(height, width) // 16)
    if factor > 1:
        size = round(width / factor), round(height / factor)
        small = _blur(area_average(alpha, size), sigma / factor, check)
        wide: F32 = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.clip(wide, 0, 1)

    def gaussian(part: F32) -> F32:
        border = cv2.BORDER_REPLICATE
        blurred: F32 = cv2.GaussianBlur(part, (0, 0), sigma, borderType=border)
        return blurred.reshape(part.shape)

    # OpenCV cuts its kernel at 4 standard deviations.
    return _locally(alpha, math.ceil(4 * sigma) + 1, gaussian, check)


def _small_parts(alpha: F32, largest: float, *, border: bool) -> NDArray[np.bool_]:
    """Find separate parts of at most `largest` pixels, with their soft rims.

    With `border` false, parts at the edge of the picture stay: a hole is enclosed.
    """
    present = (alpha > _PRESENT).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(present, connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] <= largest
    if not border:
        height, width = alpha.shape
        left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
        right, bottom = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
        small &= (left > 0) & (top > 0) & (right < width) & (bottom < height)
    small[0] = False
    dropped = small[labels.reshape(alpha.shape)]
    kept = (present.reshape(alpha.shape) > 0) & ~dropped
    rim = np.ones((5, 5), np.uint8)
    gone = cv2.dilate(dropped.astype(np.uint8), rim) > cv2.dilate(kept.astype(np.uint8), rim)
    found: NDArray[np.bool_] = gone.reshape(alpha.shape) | dropped
    return found


def _shift(alpha: F32, distance: float) -> F32:
    """Dilate or erode by a disc whose radius need not be whole."""
    operation = cv2.dilate if distance > 0 else cv2.erode
    whole, part = divmod(abs(distance), 1)
    inner = _by_disc(alpha, int(whole), operation)
    if part == 0:
        return inner
    outer = _by_disc(inner, 1, operation)
    return inner + np.float32(part) * (outer - inner)


def _by_disc(alpha: F32, radius: int, operation: Callable[..., F32]) -> F32:
    """Dilate or erode by a disc, as a sequence of small ones so that its cost is linear."""
    result: F32 = alpha
    while radius > 0:
        step = min(radius, 3)
        size = 2 * step + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        result = operation(result, disc, borderType=cv2.BORDER_REPLICATE)
        radius -= step
    return result.reshape(alpha.shape)
