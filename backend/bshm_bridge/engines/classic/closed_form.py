"""Alpha in an unknown band by closed-form matting, with box filters in place of a big matrix."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


class MattingLaplacian:
    """The matting Laplacian of a colour picture, as a function of a map.

    Parameters
    ----------
    image
        H×W×3, f32, 0 to 1.
    radius
        Of the square windows in which colours are taken to lie on a line, in pixels.
    epsilon
        Regularisation, in squared colour units.

    Notes
    -----
    A. Levin, D. Lischinski and Y. Weiss, "A closed-form solution to natural image matting",
    TPAMI 30(2), 2008; the product with a vector by box filters is from K. He, J. Sun and
    X. Tang, "Fast matting using large kernel matting Laplacian matrices", CVPR 2010.
    """

    def __init__(self, image: Image, radius: int, epsilon: float) -> None:
        self._window = (2 * radius + 1, 2 * radius + 1)
        self._image = image - image.mean(axis=(0, 1), dtype=np.float32)  # less rounding
        ones = np.ones(image.shape[:2], np.float32)
        self.count = self._sum(ones)
        self._per_count = 1 / self.count
        self._mean = self._average(self._image)
        products = np.stack([self._image[..., i] * self._image[..., j] for i, j in _PAIRS], axis=-1)
        moments = self._average(products)
        covariance = np.empty((*image.shape[:2], 3, 3), np.float32)
        for k, (i, j) in enumerate(_PAIRS):
            entry = moments[..., k] - self._mean[..., i] * self._mean[..., j]
            covariance[..., i, j] = entry
            covariance[..., j, i] = entry
        covariance += np.eye(3, dtype=np.float32) * (epsilon * self._per_count[..., None, None])
        self._inverse = np.linalg.inv(covariance)

    def __call__(self, values: Image) -> Image:
        """Return the Laplacian times H×W `values`."""
        mean = self._average(values)
        cross = self._average(self._image * values[..., None]) - self._mean * mean[..., None]
        slope = np.einsum("hwij,hwj->hwi", self._inverse, cross)
        offset = mean - np.einsum("hwi,hwi->hw", slope, self._mean)
        explained = np.einsum("hwi,hwi->hw", self._sum(slope), self._image) + self._sum(offset)
        return np.asarray(self.count * values - explained, np.float32)

    def _sum(self, values: Image) -> Image:
        summed = cv2.boxFilter(
            values, cv2.CV_32F, self._window, normalize=False, borderType=cv2.BORDER_CONSTANT
        )
        return np.asarray(summed, np.float32)

    def _average(self, values: Image) -> Image:
        share = self._per_count if values.ndim == 2 else self._per_count[..., None]
        return np.asarray(self._sum(values) * share, np.float32)


_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def solve_band(
    laplacian: Callable[[Image], Image],
    diagonal: Image,
    alpha: Image,
    unknown: NDArray[np.bool_],
    iterations: int,
    each: Callable[[float], None],
    tolerance: float = 1e-3,
) -> Image:
    """Find the smoothest alpha in the unknown band, by conjugate gradients.

    Parameters
    ----------
    laplacian
        A symmetric operator on H×W maps.
    diagonal
        H×W, f32: roughly its diagonal.
    alpha
        H×W, f32, 0 to 1: right where it is known, a first guess where it is not.
    unknown
        H×W: where alpha is to be found.
    iterations
        At most so many.
    each
        Called after each iteration with the fraction done.
    tolerance
        The residual, relative to the first guess's, that is good enough.

    Returns
    -------
    H×W, f32, 0 to 1
    """
    solution = alpha.copy()
    residual = np.where(unknown, -laplacian(solution), 0).astype(np.float32)
    weighted = residual / diagonal
    direction = weighted
    energy = float(np.vdot(residual, weighted))
    enough = energy * tolerance * tolerance
    for done in range(iterations):
        if energy <= enough:
            break
        image = np.where(unknown, laplacian(direction), 0).astype(np.float32)
        curvature = float(np.vdot(direction, image))
        if curvature <= 0:  # rounding has eaten what was left
            break
        step = np.float32(energy / curvature)
        solution += step * direction
        residual -= step * image
        weighted = residual / diagonal
        previous, energy = energy, float(np.vdot(residual, weighted))
        direction = weighted + np.float32(energy / previous) * direction
        each((done + 1) / iterations)
    return np.clip(solution, 0, 1)
