"""Where the subject is, by several runs of GrabCut that vote.

One run depends on the size it is made at more than one would like: parts whose colours are
in the background too come and go. The vote tells what is certain, and the prior decides
about the rest.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

# (long side in pixels, whether in CIE Lab, reach of arms): different enough to err differently.
_RUNS = (
    (176, False, 0.75),
    (208, True, 1.0),
    (240, False, 1.0),
    (272, True, 1.0),
    (304, False, 0.75),
)
_ITERATIONS = 3
_SIZE = _RUNS[-1][0]
_SEED = 1
# How likely a pixel is subject before its colour has been looked at.
_BODY = 0.7
_NEAR, _FAR = 0.45, 0.1  # beside the body, and where arms hardly reach


def vote(
    image: NDArray[np.uint8],
    labels_at: Callable[[tuple[int, int], float], NDArray[np.uint8]],
    each: Callable[[float], None],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Find the subject's region.

    Parameters
    ----------
    image
        H×W×3, u8, RGB.
    labels_at
        Gives GrabCut's starting labels for a picture of this height and width, and for arms
        of this reach.
    each
        Called before each iteration with the fraction done; may raise.

    Returns
    -------
    sure : h×w, f32, 0 to 1
        At a small size of the picture's proportions: how sure it is that a pixel is subject.
    likely : h×w, f32, 0 to 1
        The same before any colour was looked at.

    Notes
    -----
    C. Rother, V. Kolmogorov and A. Blake, "GrabCut: interactive foreground extraction using
    iterated graph cuts", SIGGRAPH 2004, as in OpenCV.
    """
    shape = _fit(image.shape[:2], _SIZE)
    ballots = []
    for number, (long_side, lab, reach) in enumerate(_RUNS):
        small = _shrink(image, _fit(image.shape[:2], long_side))
        if lab:
            small = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
        done = number / len(_RUNS)
        mask = _cut(
            small,
            labels_at(small.shape[:2], reach),
            lambda part, done=done: each(done + part / len(_RUNS)),  # type: ignore[misc]
        )
        ballots.append(cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.5)
    likely = likelihood(labels_at(shape, 1.0))
    return _weigh(np.stack(ballots, axis=-1), likely), likely


def likelihood(labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how likely GrabCut's starting labels make each pixel subject, 0 to 1."""
    body = (labels == cv2.GC_PR_FGD) | (labels == cv2.GC_FGD)
    away = cv2.distanceTransform((~body).astype(np.uint8), cv2.DIST_L2, 3)
    reach = labels == cv2.GC_PR_BGD
    furthest = float(away[reach].max(initial=1.0))
    likely = np.zeros(labels.shape, np.float32)
    likely[reach] = _NEAR + (_FAR - _NEAR) * away[reach] / furthest
    likely[body] = _BODY
    likely[labels == cv2.GC_FGD] = 1
    return np.asarray(cv2.GaussianBlur(likely, (0, 0), _SIZE / 60), np.float32)


def _cut(
    image: NDArray[np.uint8], labels: NDArray[np.uint8], each: Callable[[float], None]
) -> NDArray[np.float32]:
    labels = labels.copy()
    subject = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    if subject.all() or not subject.any():
        return np.asarray(subject, np.float32)
    background_model, subject_model = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(_SEED)  # of this thread; k-means inside GrabCut draws from it
    mode = cv2.GC_INIT_WITH_MASK
    for iteration in range(_ITERATIONS):
        each(iteration / _ITERATIONS)
        cv2.grabCut(image, labels, None, background_model, subject_model, 1, mode)
        subject = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
        if subject.all() or not subject.any():
            break
        mode = cv2.GC_EVAL
    return np.asarray(subject, np.float32)


def _weigh(ballots: NDArray[np.bool_], likely: NDArray[np.float32]) -> NDArray[np.float32]:
    """Combine the runs' votes with the prior, as independent evidence.

    Pieces on which all runs agree are things with an edge of their own: each is judged as a
    whole, so that the prior's outline never cuts through one.
    """
    bits = 1 << np.arange(ballots.shape[-1])
    ballot = np.asarray(ballots @ bits, np.uint8)
    sure = np.zeros(likely.shape, np.float32)
    for pattern in np.unique(ballot):
        count, pieces = cv2.connectedComponents((ballot == pattern).astype(np.uint8))
        share = np.clip(int(pattern).bit_count() / ballots.shape[-1], 0.08, 0.92)
        sizes = np.bincount(pieces.ravel(), minlength=count)
        sums = np.bincount(pieces.ravel(), likely.ravel(), minlength=count)
        prior = np.clip(sums / np.maximum(sizes, 1), 0.02, 0.98)
        odds = share / (1 - share) * prior / (1 - prior)
        judged = np.asarray(odds / (1 + odds), np.float32)
        sure += np.where(pieces > 0, judged[pieces], 0)
    return sure


def _fit(shape: tuple[int, ...], long_side: int) -> tuple[int, int]:
    factor = min(1.0, long_side / max(shape))
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def _shrink(image: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)
