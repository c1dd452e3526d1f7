"""From a map of how sure the vote is to a clean region and the band around its edge."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.engines.classic.faces import Face

_EDGE = 0.008  # of the long side: how far the region's edge may be off
_HAIR = 0.13  # of a face's size: how far hair reaches over the region's edge
# Holes up to these shares of the picture are the vote's and not the subject's: anywhere, and
# where the body almost certainly is.
_HOLE, _HOLE_IN_BODY = 0.001, 0.007


def clean(
    sure: NDArray[np.float32], likely: NDArray[np.float32], core: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Drop islands away from the subject's core and fill small holes.

    Parameters
    ----------
    sure
        h×w, f32, 0 to 1: what the vote says.
    likely
        h×w, f32, 0 to 1: what was thought before it.
    core
        h×w: where the subject certainly is; where it is empty, the largest piece counts.

    Returns
    -------
    h×w, f32, 0 to 1
    """
    sure = sure.copy()
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(
        (sure > 0.5).astype(np.uint8), connectivity=4
    )
    if count > 1:
        kept = np.unique(pieces[core & (sure > 0.5)])
        if kept.size == 0:
            kept = np.array([1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))])
        sure[~np.isin(pieces, kept)] = np.minimum(sure[~np.isin(pieces, kept)], 0.49)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(
        (sure <= 0.5).astype(np.uint8), connectivity=8
    )
    height, width = sure.shape
    for piece in range(1, count):
        left, top, wide, high, area = (int(value) for value in stats[piece])
        # A body mostly leaves the picture at the bottom, and its holes do too.
        inside = left > 0 and top > 0 and left + wide < width
        closed = inside and top + high < height
        if not inside or area > _HOLE_IN_BODY * sure.size:
            continue
        hole = pieces == piece
        in_body = float(likely[hole].mean()) > 0.65
        if in_body or (closed and area <= _HOLE * sure.size):
            sure[hole] = 1
    return sure


def outline(sure: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Enlarge the region `sure` > 0.5 to height and width `shape`, with a smooth edge."""
    hard = (sure > 0.5).astype(np.float32)
    grown = cv2.resize(hard, shape[::-1], interpolation=cv2.INTER_LINEAR)
    sigma = max(0.6, 0.6 * shape[0] / sure.shape[0])
    return np.asarray(cv2.GaussianBlur(grown, (0, 0), sigma) > 0.5)


def unknown_band(region: NDArray[np.bool_], faces: Iterable[Face]) -> NDArray[np.bool_]:
    """Tell where alpha is not settled by the region: along its edge, wide where hair is.

    Parameters
    ----------
    region
        H×W: the subject.
    faces
        In pixels of `region`.
    """
    inside = region.astype(np.uint8)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    distance += cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    edge = max(2.5, _EDGE * max(region.shape))
    reach = np.full(region.shape, edge, np.float32)
    for face in faces:
        x, y = face.centre
        centre = (round(x), round(y - 0.2 * face.size))
        axes = (round(1.0 * face.size), round(1.0 * face.size))
        hair = max(edge, _HAIR * face.size)
        cv2.ellipse(reach, centre, axes, 0.0, 170.0, 370.0, hair, cv2.FILLED)
    return np.asarray(distance < reach)
