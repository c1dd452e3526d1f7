"""Trimaps: what is known of a picture (0 background, 255 subject) and what is not (128)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

UNKNOWN = 128

# A first model's alpha is believed outside of these, as rembg's alpha matting does (240 and 10
# of 255); its erosion by 10 pixels is for pictures of about a thousand.
_SURE_BACKGROUND, _SURE_SUBJECT = 10 / 255, 240 / 255
_ALPHA_BAND = 0.01
# People select roughly.
_SELECTION_BAND = 0.03


def levels(trimap: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a trimap (H×W, u8) in which everything but 0 and 255 is `UNKNOWN`."""
    known = (trimap == 0) | (trimap == 255)
    return np.where(known, trimap, np.uint8(UNKNOWN))


def resized(trimap: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bring a trimap (H×W, u8) to `size` (width, height).

    Where several pixels become one, it is known only if all of them are and agree.
    """
    if (trimap.shape[1], trimap.shape[0]) == size:
        return levels(trimap)
    if size[0] > trimap.shape[1] or size[1] > trimap.shape[0]:
        return levels(cv2.resize(trimap, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8))
    # As floats: a mean that is nearly white must not be rounded to white.
    mean = cv2.resize(trimap.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    found = np.full(mean.shape, UNKNOWN, np.uint8)
    found[mean <= 1e-3] = 0
    found[mean >= 255 - 1e-3] = 255
    return found


def from_alpha(alpha: NDArray[np.float32], band: float = _ALPHA_BAND) -> NDArray[np.uint8]:
    """Return the trimap that a model's alpha suggests.

    Parameters
    ----------
    alpha
        h×w, 0 to 1.
    band
        Width on either side of what is not sure, as a part of the long side.

    Returns
    -------
    NDArray
        h×w, u8. What is neither 0 nor 1 is unknown, and so is what is near to it.
    """
    return _grown(alpha >= _SURE_SUBJECT, alpha <= _SURE_BACKGROUND, band)


def from_selection(
    selection: NDArray[np.uint8], band: float = _SELECTION_BAND
) -> NDArray[np.uint8]:
    """Return the trimap of a rough selection (h×w, u8): its edge and both sides are unknown.

    What is partly selected is unknown, so that feathering a selection widens the band.
    """
    return _grown(selection >= 250, selection <= 5, band)


def merged(alpha: NDArray[np.float32], trimap: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return alpha (h×w, 0 to 1) with what the trimap knows put in."""
    return np.where(trimap == UNKNOWN, alpha, trimap / np.float32(255)).astype(np.float32)


def distances(trimap: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how far each pixel is from known background, and from known subject.

    Returns
    -------
    NDArray
        H×W×2, pixels; infinite where nothing is known to be that.
    """
    planes = []
    for value in (0, 255):
        known = trimap == value
        if known.any():
            planes.append(_distance_to(known))
        else:
            planes.append(np.full(trimap.shape, np.inf, np.float32))
    return np.stack(planes, axis=2)


def _distance_to(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    zero_inside = np.where(mask, np.uint8(0), np.uint8(1))
    found: Any = cv2.distanceTransform(zero_inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(found, np.float32)


def _grown(
    subject: NDArray[np.bool_], background: NDArray[np.bool_], band: float
) -> NDArray[np.uint8]:
    """Return a trimap of two masks, with the border of each within `band` made unknown."""
    radius = max(1.0, band * max(subject.shape))
    trimap = np.full(subject.shape, UNKNOWN, np.uint8)
    for mask, value in ((background, 0), (subject, 255)):
        if mask.all():
            trimap[mask] = value
        elif mask.any():
            trimap[_distance_to(~mask) > radius] = value
    return trimap
