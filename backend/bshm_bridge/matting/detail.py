"""How an alpha matte follows the colours around it, learnt at the network's size.

Where subject and background are locally uniform, alpha is an affine function of colour
(Levin, Lischinski, Weiss 2008; He, Sun, Tang 2013 as the guided filter). Area-averaging keeps
that function, so its slope can be fitted between the network's alpha and the layer shrunk to
the same size, and then be applied to the full-size layer. Where they are not uniform, a slope
turns texture into alpha; so each is scaled down by how badly it predicts the fine detail that
the network's alpha itself has.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.matting.sampling import F32

# Added to the colour variance, (1.1 levels of 255)²: below that a slope is noise.
_RIDGE = 2e-5
# Variance of alpha's detail, (2.6 levels of 255)², that needs no explanation and earns no trust.
_SILENCE = 1e-4
# Detail is what a Gaussian of this many pixels takes away.
_DETAIL_SIGMA = 0.7
# How hard unexplained detail counts against a slope.
_DOUBT = 2.0

HALO = 8
"""Pixels around a part that its slopes depend on."""


def slopes(colours: F32, alpha: F32, band: NDArray[np.bool_]) -> F32:
    """Return d alpha / d colour, trusted only as far as it explains alpha's own detail.

    Parameters
    ----------
    colours
        h×w×3, 0 to 1.
    alpha
        h×w, 0 to 1.
    band
        h×w, bool: where slopes are wanted.

    Returns
    -------
    h×w×3, f32; 0 outside the band.
    """
    gradient = _mean(_fit(colours, alpha, band), 3)
    detail = alpha - _smooth(alpha)
    predicted = np.einsum("hwc,hwc->hw", gradient, colours - _smooth(colours))
    unexplained = _mean((detail - predicted) ** 2, 5)
    against = _DOUBT * unexplained + np.float32(_SILENCE)
    trust = 1 - against / (_mean(detail**2, 5) + np.float32(1e-6))
    gradient *= (np.clip(trust, 0, 1) * band)[..., None]
    return gradient


def _fit(colours: F32, alpha: F32, band: NDArray[np.bool_]) -> F32:
    """Ridge regression of alpha on colour in the 3×3 pixels around each one of the band."""
    wide = cv2.dilate(band.astype(np.uint8), np.ones((3, 3), np.uint8)).reshape(band.shape) > 0
    mean = [_mean(np.ascontiguousarray(colours[..., i]), 3) for i in range(3)]
    mean_alpha = _mean(alpha, 3)[wide]
    centre = [plane[wide] for plane in mean]

    def moment(i: int, other: F32, other_mean: F32) -> F32:
        product = _mean(colours[..., i] * other, 3)[wide]
        result: F32 = product - centre[i] * other_mean
        return result

    xx, xy, xz = (moment(0, colours[..., j], centre[j]) for j in range(3))
    yy, yz = (moment(1, colours[..., j], centre[j]) for j in (1, 2))
    zz = moment(2, colours[..., 2], centre[2])
    x, y, z = (moment(i, alpha, mean_alpha) for i in range(3))
    # Gauss elimination of the 3×3 systems, all pixels at once; the ridge keeps pivots above 0.
    xx, yy, zz = xx + np.float32(_RIDGE), yy + np.float32(_RIDGE), zz + np.float32(_RIDGE)
    ratio_y, ratio_z = xy / xx, xz / xx
    yy, yz, y = yy - ratio_y * xy, yz - ratio_y * xz, y - ratio_y * x
    zz, z = zz - ratio_z * xz, z - ratio_z * x
    yy = np.maximum(yy, np.float32(_RIDGE))
    ratio_z = yz / yy
    zz, z = np.maximum(zz - ratio_z * yz, np.float32(_RIDGE)), z - ratio_z * y
    result = np.zeros(colours.shape, np.float32)
    slope_z = z / zz
    slope_y = (y - yz * slope_z) / yy
    result[wide] = np.stack([(x - xy * slope_y - xz * slope_z) / xx, slope_y, slope_z], axis=-1)
    return result


def _mean(plane: F32, size: int) -> F32:
    blurred: F32 = cv2.blur(plane, (size, size)).reshape(plane.shape)
    return blurred


def _smooth(plane: F32) -> F32:
    blurred: F32 = cv2.GaussianBlur(plane, (5, 5), _DETAIL_SIGMA).reshape(plane.shape)
    return blurred
