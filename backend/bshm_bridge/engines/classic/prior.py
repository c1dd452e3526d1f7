"""What GrabCut starts from: where a person probably is, told by faces or by a selection.

A face fixes the scale: heads are about 1.4 of Haar's squares wide, shoulders three, and a
person seven to eight heads tall.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.engines.classic.faces import Face

_SHIFT = 4  # fixed-point bits of OpenCV's drawing coordinates


def from_faces(
    shape: tuple[int, int], faces: Iterable[Face], reach: float = 1.0
) -> NDArray[np.uint8]:
    """Draw GrabCut's labels for people with these faces.

    Parameters
    ----------
    shape
        Height and width in pixels.
    faces
        In pixels of the same picture.
    reach
        How far beside the body its hair and arms can be; 1 holds for nearly everybody.

    Returns
    -------
    H×W, u8
        ``cv2.GC_BGD`` far from everybody, ``GC_PR_BGD`` where arms and legs can be,
        ``GC_PR_FGD`` on heads and bodies, ``GC_FGD`` in their middle.
    """
    labels = np.full(shape, cv2.GC_BGD, np.uint8)
    people = tuple(faces)
    for face in people:
        _reach(labels, face, reach)
    for face in people:
        _body(labels, face)
    for face in people:
        _core(labels, face)
    return labels


def from_hint(hint: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draw GrabCut's labels for a rough selection.

    Parameters
    ----------
    hint
        H×W, u8: 0 outside, 255 inside. Neither empty nor full.

    Returns
    -------
    H×W, u8
        Outside, with some tolerance, is certainly background; the middle of the selection
        probably foreground.
    """
    inside = (hint >= 128).astype(np.uint8)
    # How far the selection may be off, in pixels: grows with what is selected.
    slack = max(1.0, 0.06 * float(np.sqrt(inside.sum())))
    outwards = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    framed = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    inwards = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    depth = float(inwards.max())
    labels = np.full(hint.shape, cv2.GC_BGD, np.uint8)
    labels[outwards <= slack] = cv2.GC_PR_BGD
    labels[inside > 0] = cv2.GC_PR_FGD
    labels[inwards > 0.7 * depth] = cv2.GC_FGD
    return labels


def combined(faces: NDArray[np.uint8], hint: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Join what faces and a selection say: the selection rules where the person can be."""
    labels = faces.copy()
    labels[(labels == cv2.GC_BGD) & (hint != cv2.GC_BGD)] = cv2.GC_PR_FGD
    labels[hint == cv2.GC_BGD] = cv2.GC_BGD
    return labels


def _reach(labels: NDArray[np.uint8], face: Face, reach: float) -> None:
    """Where this person's hair, arms and legs can be."""
    x, y = face.centre
    size = face.size
    wide = reach * size
    label = cv2.GC_PR_BGD
    _ellipse(labels, (x, y - 0.15 * size), (1.1 * max(wide, 0.85 * size), 1.25 * size), label)
    _polygon(
        labels,
        [
            (x - 1.0 * wide, y + 0.3 * size),
            (x + 1.0 * wide, y + 0.3 * size),
            (x + 2.9 * wide, y + 1.6 * size),
            (x + 3.4 * wide, y + 5.0 * size),
            (x + 2.6 * wide, y + 9.0 * size),
            (x - 2.6 * wide, y + 9.0 * size),
            (x - 3.4 * wide, y + 5.0 * size),
            (x - 2.9 * wide, y + 1.6 * size),
        ],
        label,
    )


def _body(labels: NDArray[np.uint8], face: Face) -> None:
    x, y = face.centre
    size = face.size
    label = cv2.GC_PR_FGD
    _ellipse(labels, (x, y - 0.1 * size), (0.6 * size, 0.8 * size), label)
    _polygon(
        labels,
        [
            (x - 0.4 * size, y + 0.4 * size),
            (x + 0.4 * size, y + 0.4 * size),
            (x + 0.5 * size, y + 0.95 * size),
            (x + 1.35 * size, y + 1.4 * size),
            (x + 1.6 * size, y + 2.4 * size),
            (x + 1.5 * size, y + 4.5 * size),
            (x + 0.9 * size, y + 8.0 * size),
            (x - 0.9 * size, y + 8.0 * size),
            (x - 1.5 * size, y + 4.5 * size),
            (x - 1.6 * size, y + 2.4 * size),
            (x - 1.35 * size, y + 1.4 * size),
            (x - 0.5 * size, y + 0.95 * size),
        ],
        label,
    )


def _core(labels: NDArray[np.uint8], face: Face) -> None:
    """What is certain: the face, and the chest close below it."""
    x, y = face.centre
    size = face.size
    label = cv2.GC_FGD
    _ellipse(labels, (x, y), (0.36 * size, 0.48 * size), label)
    _polygon(
        labels,
        [
            (x - 0.2 * size, y + 0.4 * size),
            (x + 0.2 * size, y + 0.4 * size),
            (x + 0.55 * size, y + 1.7 * size),
            (x + 0.6 * size, y + 3.0 * size),
            (x - 0.6 * size, y + 3.0 * size),
            (x - 0.55 * size, y + 1.7 * size),
        ],
        label,
    )


def _ellipse(
    labels: NDArray[np.uint8], centre: tuple[float, float], axes: tuple[float, float], label: int
) -> None:
    scale = 1 << _SHIFT
    cv2.ellipse(
        labels,
        (round(centre[0] * scale), round(centre[1] * scale)),
        (round(axes[0] * scale), round(axes[1] * scale)),
        0.0,
        0.0,
        360.0,
        label,
        cv2.FILLED,
        cv2.LINE_8,
        _SHIFT,
    )


def _polygon(labels: NDArray[np.uint8], points: list[tuple[float, float]], label: int) -> None:
    fixed = np.rint(np.array(points) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(labels, [fixed], label, cv2.LINE_8, _SHIFT)
