"""From a hard region to soft alpha, at a coarse size first."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.engines.classic.closed_form import MattingLaplacian, solve_band

_RADIUS = 3
_EPSILON = 1e-3
_LEVELS = ((0.5, 40), (1.0, 20))  # (factor, iterations)


def soften(
    image: NDArray[np.uint8],
    alpha: NDArray[np.float32],
    unknown: NDArray[np.bool_],
    each: Callable[[float], None],
) -> NDArray[np.float32]:
    """Find alpha in the unknown band from the picture.

    Parameters
    ----------
    image
        H×W×3, u8, RGB.
    alpha
        H×W, f32, 0 to 1: known outside the band, a first guess in it.
    unknown
        H×W: the band.
    each
        Called often with the fraction done; may raise.

    Returns
    -------
    H×W, f32, 0 to 1
        `alpha` with the band's values replaced.
    """
    rows, columns = np.flatnonzero(unknown.any(1)), np.flatnonzero(unknown.any(0))
    if rows.size == 0:
        return alpha.copy()
    margin = 4 * _RADIUS + 2  # what the windows around the band's pixels see, at half size too
    top, bottom = max(0, rows[0] - margin), rows[-1] + margin + 1
    left, right = max(0, columns[0] - margin), columns[-1] + margin + 1
    part = np.s_[top:bottom, left:right]
    colours = image[part].astype(np.float32) / np.float32(255)
    known, band = alpha[part], unknown[part]
    solution = known
    for number, (factor, iterations) in enumerate(_LEVELS):
        size = (max(1, round(known.shape[1] * factor)), max(1, round(known.shape[0] * factor)))
        guess = _resized(solution, size)
        zone = _resized(band.astype(np.float32), size) > 0.25
        guess = np.where(zone, guess, _resized(known, size))
        laplacian = MattingLaplacian(_resized(colours, size), _RADIUS, _EPSILON)
        solution = solve_band(
            laplacian,
            laplacian.count,
            guess,
            zone,
            iterations,
            lambda done, number=number: each((number + done) / len(_LEVELS)),  # type: ignore[misc]
        )
    result = alpha.copy()
    result[part] = np.where(band, solution, known)
    return result


def _resized(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    if values.shape[1::-1] == size:
        return values
    shrink = size[0] < values.shape[1] or size[1] < values.shape[0]
    how = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, size, interpolation=how), np.float32)
