"""Full-size detail in the soft band of a matte, tile by tile.

The matte starts as the plain enlargement and gains the layer's own detail (what the layer has
beyond its enlarged small version) times the slopes of `detail`. Alpha is then held to 0..1 and
corrected until its area means are the network's alpha again (back-projection, Irani and Peleg
1991), so that nothing is invented: coverage is only moved within a network pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.matting.detail import HALO, slopes
from bshm_bridge.matting.fit import area_average
from bshm_bridge.matting.sampling import F32, Axis, apply, enlarge, resample, share
from bshm_bridge.matting.tiles import Check, Tile, each, tiles
from bshm_bridge.matting.values import from_unit, full_scale, to_unit

_TILE = 128
_STRIP = 64
_SOFT = (0.01, 0.99)
_CORRECTIONS = 3
# Corrections go where alpha is between 0 and 1, and this much everywhere.
_STIFF = np.float32(0.02)
# Area means of a linear enlargement, as a filter on the small plane: by integration, an
# eighth comes from each neighbour.
_SPREAD = np.array([0.125, 0.75, 0.125], np.float32)


class _Draft(NamedTuple):
    """A tile in the making; its alpha changes in place from pass to pass."""

    tile: Tile
    levels: NDArray[np.uint16]


class _Share(NamedTuple):
    """What a tile adds to planes of the network's size."""

    cells: tuple[slice, slice]
    mean: F32
    freedom: F32


class BandRefiner:
    """Adds detail to `full`, the enlargement of the network's alpha `small`, in place.

    Parameters
    ----------
    small
        h×w, 0 to 1.
    full
        H×W, u8 or u16; at least h×w.
    check
        Called between tiles.
    """

    def __init__(self, small: F32, full: NDArray[Any], check: Check | None) -> None:
        self._small = small
        self._full = full
        self._check = check
        soft = ((small > _SOFT[0]) & (small < _SOFT[1])).astype(np.uint8)
        self.band = cv2.dilate(soft, np.ones((3, 3), np.uint8)).reshape(small.shape) > 0
        self._axis = lru_cache(maxsize=None)(self._make_axis)

    def run(self, guide: NDArray[Any]) -> None:
        """Refine with the layer H×W×3: u8, u16, or f32 from 0 to 1."""
        (h, w), (height, width) = self._small.shape, self._full.shape
        shrunk = area_average(guide, (w, h))
        gradient = self._slopes(shrunk)
        gradient /= np.float32(full_scale(guide.dtype))
        drafts = [self._new(tile) for tile in tiles(height, width, _TILE) if self._touches(tile)]

        def add_detail(draft: _Draft) -> _Share:
            layer = guide[draft.tile.window].transpose(2, 0, 1).astype(np.float32)
            layer -= self._enlarged(shrunk.transpose(2, 0, 1), draft.tile, cubic=True)
            layer *= self._enlarged(gradient, draft.tile)
            plain = to_unit(self._full[draft.tile.window])
            return self._put(draft, plain + layer[0] + layer[1] + layer[2])

        mean, freedom = self._pass(add_detail, drafts)
        for _ in range(_CORRECTIONS):
            planes = np.stack([self._missing(mean), freedom])

            def correct(draft: _Draft, planes: F32 = planes) -> _Share:
                alpha = to_unit(draft.levels)
                missing, room = self._enlarged(planes, draft.tile)
                return self._put(draft, alpha + missing * _freedom(alpha) / room)

            mean, freedom = self._pass(correct, drafts)
        for tile, levels in drafts:
            self._full[tile.window] = from_unit(to_unit(levels), self._full.dtype)

    def _slopes(self, shrunk: NDArray[Any]) -> F32:
        """Slopes of the whole picture as planes 3×h×w, made in strips to bound memory."""
        h, w = self._small.shape
        result = np.zeros((3, h, w), np.float32)

        def fill(strip: Tile) -> None:
            columns = np.flatnonzero(self.band[strip.top : strip.bottom].any(axis=0))
            if columns.size == 0:
                return
            left, right = int(columns[0]), int(columns[-1]) + 1
            around = np.s_[
                max(0, strip.top - HALO) : strip.bottom + HALO, max(0, left - HALO) : right + HALO
            ]
            part = slopes(to_unit(shrunk[around]), self._small[around], self.band[around])
            y, x = min(strip.top, HALO), min(left, HALO)
            inner = part[y : y + strip.bottom - strip.top, x : x + right - left]
            result[:, strip.top : strip.bottom, left:right] = inner.transpose(2, 0, 1)

        strips = (Tile(top, min(top + _STRIP, h), 0, w) for top in range(0, h, _STRIP))
        for _ in each(fill, strips, self._check):
            pass
        return result

    def _pass(self, function: Callable[[_Draft], _Share], drafts: list[_Draft]) -> tuple[F32, F32]:
        """Run one step on every tile; return the area means of alpha and of its freedom."""
        mean, freedom = np.zeros_like(self._small), np.full_like(self._small, 1e-6)
        for share_of_tile in each(function, drafts, self._check):
            mean[share_of_tile.cells] += share_of_tile.mean
            freedom[share_of_tile.cells] += share_of_tile.freedom
        return mean, freedom

    def _new(self, tile: Tile) -> _Draft:
        return _Draft(tile, np.empty((tile.bottom - tile.top, tile.right - tile.left), np.uint16))

    def _put(self, draft: _Draft, alpha: F32) -> _Share:
        np.clip(alpha, 0, 1, out=alpha)
        draft.levels[...] = from_unit(alpha, draft.levels.dtype)
        rows, columns = self._axes(draft.tile, "share")
        mean, freedom = apply(np.stack([alpha, _freedom(alpha)]), rows, columns)
        cells = np.s_[rows.start : rows.stop, columns.start : columns.stop]
        return _Share(cells, mean, freedom)

    def _missing(self, mean: F32) -> F32:
        """What to add so that the area means of its enlargement make up for the difference."""
        difference = np.subtract(self._small, mean, out=mean)
        difference *= self.band
        result = difference.copy()
        for _ in range(2):
            seen: F32 = cv2.sepFilter2D(
                result, -1, _SPREAD, _SPREAD, borderType=cv2.BORDER_REPLICATE
            ).reshape(result.shape)
            rest = np.subtract(difference, seen, out=seen)
            rest *= self.band
            result += rest
        return result

    def _touches(self, tile: Tile) -> bool:
        rows, columns = self._axes(tile, "linear")
        near = self.band[rows.start : rows.stop, columns.start : columns.stop]
        return bool(near.any())

    def _enlarged(self, planes: NDArray[Any], tile: Tile, *, cubic: bool = False) -> F32:
        return resample(planes, *self._axes(tile, "cubic" if cubic else "linear"))

    def _axes(self, tile: Tile, kind: str) -> tuple[Axis, Axis]:
        return self._axis(kind, 0, tile.top, tile.bottom), self._axis(
            kind, 1, tile.left, tile.right
        )

    def _make_axis(self, kind: str, axis: int, begin: int, end: int) -> Axis:
        small, large = self._small.shape[axis], self._full.shape[axis]
        if kind == "share":
            return share(small, large, begin, end)
        return enlarge(small, large, begin, end, cubic=kind == "cubic")


def _freedom(alpha: F32) -> F32:
    """How willingly a pixel changes: not where it is clearly subject or background."""
    return alpha * (1 - alpha) + _STIFF
