"""Where the faces are: OpenCV's Haar cascades, several of them asked and their answers weighed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

_LONG_SIDE = 640
_SMALLEST = 0.05  # of the picture's short side
_ACCEPTED = 1.25  # more than any one cascade gives


@dataclass(frozen=True)
class Face:
    """A face's square, brows to chin: top left corner and side, in pixels."""

    x: float
    y: float
    size: float
    weight: float

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.size / 2, self.y + self.size / 2

    def scaled(self, factor: float) -> Face:
        return Face(self.x * factor, self.y * factor, self.size * factor, self.weight)

    def overlaps(self, other: Face) -> bool:
        """Whether both can hardly be two people: a third of the smaller square is shared."""
        width = min(self.x + self.size, other.x + other.size) - max(self.x, other.x)
        height = min(self.y + self.size, other.y + other.size) - max(self.y, other.y)
        smaller = min(self.size, other.size)
        return width > 0 and height > 0 and width * height > smaller * smaller / 3


@dataclass(frozen=True)
class _Detector:
    cascade: str
    flipped: bool
    # Weight of a hit whose cascade reports `low` or `high`; in between it is interpolated.
    # The scales differ from cascade to cascade and were read off photographs.
    low: tuple[float, float]
    high: tuple[float, float]

    def weight(self, reported: float) -> float:
        return float(np.interp(reported, (self.low[0], self.high[0]), (self.low[1], self.high[1])))


# alt2 seldom sees a face where there is none, but needs a second opinion like the others.
_DETECTORS = (
    _Detector("haarcascade_frontalface_alt2.xml", False, (50.0, 0.8), (54.0, 1.2)),
    _Detector("haarcascade_frontalface_default.xml", False, (0.0, 0.1), (6.0, 1.0)),
    _Detector("haarcascade_profileface.xml", False, (0.0, 0.2), (3.0, 1.0)),
    _Detector("haarcascade_profileface.xml", True, (0.0, 0.2), (3.0, 1.0)),
)


@cache
def _cascade_file(name: str) -> str:
    return str(Path(cv2.data.haarcascades) / name)


def find_faces(image: NDArray[np.uint8]) -> tuple[Face, ...]:
    """Find the faces in a picture, the most certain one first.

    Parameters
    ----------
    image
        H×W×3, u8, RGB.

    Returns
    -------
    tuple of Face
        In pixels of `image`. Squares that one cascade alone saw and hardly believed, and
        those below a fraction of the largest face, are left out.

    Notes
    -----
    P. Viola and M. Jones, "Rapid object detection using a boosted cascade of simple
    features", CVPR 2001, with the cascades in OpenCV's wheels.
    """
    height, width = image.shape[:2]
    factor = _LONG_SIDE / max(height, width)
    if min(height, width) * factor < 24:
        return ()
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    shape = (max(1, round(width * factor)), max(1, round(height * factor)))
    grey = cv2.resize(grey, shape, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    grey = cv2.equalizeHist(grey)
    hits = [hit for detector in _DETECTORS for hit in _detect(grey, detector)]
    faces = [face.scaled(1 / factor) for face in _merge(hits)]
    if not faces:
        return ()
    largest = max(face.size for face in faces if face.weight >= _ACCEPTED)
    return tuple(face for face in faces if face.size >= largest / 4)


def _detect(grey: NDArray[np.uint8], detector: _Detector) -> list[Face]:
    # Made anew each time: a classifier keeps the last picture, and is not thread-safe.
    classifier = cv2.CascadeClassifier(_cascade_file(detector.cascade))
    smallest = max(20, round(min(grey.shape) * _SMALLEST))
    source = cv2.flip(grey, 1) if detector.flipped else grey
    boxes, _, weights = classifier.detectMultiScale3(
        source, 1.1, 4, minSize=(smallest, smallest), outputRejectLevels=True
    )
    faces = []
    for (x, y, size, _), reported in zip(boxes, weights, strict=True):
        left = grey.shape[1] - int(x) - int(size) if detector.flipped else int(x)
        faces.append(Face(left, int(y), int(size), detector.weight(float(reported))))
    return faces


def _merge(hits: list[Face]) -> list[Face]:
    """Join hits on the same head; keep those that enough cascades vouch for."""
    remaining = sorted(hits, key=lambda face: (-face.weight, face.x, face.y))
    faces = []
    while remaining:
        best = remaining[0]
        same = [face for face in remaining if face.overlaps(best)]
        remaining = [face for face in remaining if face not in same]
        weight = sum(face.weight for face in same)
        if weight >= _ACCEPTED:
            faces.append(Face(best.x, best.y, best.size, weight))
    return sorted(faces, key=lambda face: (-face.weight, face.x, face.y))
