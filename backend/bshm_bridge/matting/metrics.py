"""How far a matte is from the true one: SAD, MSE, MAD, gradient and connectivity error.

The definitions are those of the alpha matting benchmark (Rhemann, Rother, Wang, Gelautz,
Kohli, Rott: "A perceptually motivated online benchmark for image matting", CVPR 2009). All
take mattes H×W with values 0 to 1, and an optional mask H×W: only pixels where it is true
count, while neighbourhoods still see the whole matte.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.matting.sampling import F32

Mask = NDArray[np.bool_]

GRADIENT_SIGMA = 1.4
CONNECTIVITY_STEP = 0.1
CONNECTIVITY_SLACK = 0.15


def sad(matte: F32, truth: F32, mask: Mask | None = None) -> float:
    """Sum of absolute differences, in thousands as published tables give it."""
    return float(np.abs(_difference(matte, truth, mask)).sum(dtype=np.float64)) / 1000


def mad(matte: F32, truth: F32, mask: Mask | None = None) -> float:
    """Mean absolute difference; 0 where the mask is empty."""
    difference = _difference(matte, truth, mask)
    return float(np.abs(difference).mean(dtype=np.float64)) if difference.size else 0.0


def mse(matte: F32, truth: F32, mask: Mask | None = None) -> float:
    """Mean squared difference; 0 where the mask is empty."""
    difference = _difference(matte, truth, mask)
    return float(np.square(difference).mean(dtype=np.float64)) if difference.size else 0.0


def gradient_error(matte: F32, truth: F32, mask: Mask | None = None) -> float:
    """Sum of squared differences of the gradient magnitudes, in thousands.

    Gradients are those of first derivatives of a Gaussian with a standard deviation of 1.4
    pixels, scaled to unit energy.
    """
    _same_shape(matte, truth)
    difference = _difference(_gradient_magnitude(matte), _gradient_magnitude(truth), mask)
    return float(np.square(difference).sum(dtype=np.float64)) / 1000


def connectivity_error(matte: F32, truth: F32, mask: Mask | None = None) -> float:
    """Sum of absolute differences of the degree of connectedness, in thousands.

    A pixel is fully connected where its alpha is at most 0.15 above the highest level, in
    steps of 0.1, at which it belongs to the largest part that both mattes share.
    """
    _same_shape(matte, truth)
    level = np.full(truth.shape, -1, np.float32)
    steps = np.arange(0, 1 + CONNECTIVITY_STEP / 2, CONNECTIVITY_STEP)
    for previous, step in itertools.pairwise(steps):
        shared = ((matte >= step - 1e-6) & (truth >= step - 1e-6)).astype(np.uint8)
        level[(level < 0) & ~_largest_part(shared)] = previous
    level[level < 0] = 1
    difference = _difference(_connectedness(matte, level), _connectedness(truth, level), mask)
    return float(np.abs(difference).sum(dtype=np.float64)) / 1000


def _same_shape(matte: F32, truth: F32) -> None:
    if matte.ndim != 2 or matte.shape != truth.shape:
        raise ValueError(f"two mattes of one size expected, not {matte.shape} and {truth.shape}")


def _difference(matte: F32, truth: F32, mask: Mask | None) -> F32:
    _same_shape(matte, truth)
    return matte - truth if mask is None else matte[mask] - truth[mask]


def _gradient_magnitude(alpha: F32) -> F32:
    sigma = GRADIENT_SIGMA
    # The benchmark cuts the kernel where the Gaussian falls below a hundredth.
    half = int(np.ceil(sigma * np.sqrt(-2 * np.log(np.sqrt(2 * np.pi) * sigma * 0.01))))
    x = np.arange(-half, half + 1)
    smooth = np.exp(-(x**2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
    slope = -x * smooth / sigma**2
    scale = np.sqrt((np.outer(smooth, slope) ** 2).sum())
    source = alpha.astype(np.float32)
    borders = cv2.BORDER_REPLICATE
    across = cv2.sepFilter2D(source, cv2.CV_32F, slope / scale, smooth, borderType=borders)
    down = cv2.sepFilter2D(source, cv2.CV_32F, smooth, slope / scale, borderType=borders)
    magnitude: F32 = cv2.magnitude(across, down).reshape(alpha.shape)
    return magnitude


def _connectedness(alpha: F32, level: F32) -> F32:
    above = alpha - level
    degree: F32 = 1 - above * (above >= CONNECTIVITY_SLACK)
    return degree


def _largest_part(present: NDArray[np.uint8]) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(present, connectivity=4)
    if count < 2:
        return np.zeros(present.shape, np.bool_)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    part: Mask = (labels == largest).reshape(present.shape)
    return part
