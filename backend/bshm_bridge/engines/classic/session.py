"""The engine that is always there: no download, no GPU, in the service's own process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.engines.base import Cancellation, EngineInput, ReportProgress
from bshm_bridge.engines.classic import prior
from bshm_bridge.engines.classic.faces import Face, find_faces
from bshm_bridge.engines.classic.region import clean, outline, unknown_band
from bshm_bridge.engines.classic.soften import soften
from bshm_bridge.engines.classic.vote import vote
from bshm_bridge.errors import InvalidInput, NotReady
from bshm_bridge.models.manifest import Manifest

_ANSWER_SIDE = 768  # the service follows the layer's own pixels beyond that


class ClassicSession:
    """People by face detection, GrabCut and closed-form matting; anything by a selection.

    Satisfies `bshm_bridge.engines.base.Session`. Equal requests get equal answers.
    """

    engine = "classic"
    device = "CPU"
    notice = ""
    reduced = False
    pid = 0
    alive = True

    def infer(
        self, request: EngineInput, cancel: Cancellation, progress: ReportProgress
    ) -> NDArray[np.float32]:
        """Return the alpha matte h×w, 0 to 1, its long side at most 768 pixels.

        A trimap, where there is one, is followed to the letter; else a selection and the
        faces tell where the subject is.

        Raises
        ------
        NotReady
            There is neither a face nor a selection to go by.
        InvalidInput
            Picture, hint and trimap do not belong together.
        JobCancelled
        """
        _check(request)

        def step(done: float) -> None:
            cancel.check()
            progress("inference", done)

        step(0.0)
        image = _fitted(request.image, cv2.INTER_AREA)
        if request.trimap is not None:
            return _from_trimap(image, _fitted(request.trimap, cv2.INTER_NEAREST), step)
        faces = find_faces(image)
        hint = _usable(request.hint)
        if not faces and hint is None:
            raise NotReady(
                "No person was found: select roughly around the subject and try again.",
                "no-person-found",
            )
        step(0.15)

        def labels_at(shape: tuple[int, int], reach: float) -> NDArray[np.uint8]:
            return _labels(shape, reach, image.shape[0], faces, hint)

        sure, likely = vote(image, labels_at, lambda done: step(0.15 + 0.45 * done))
        sure = clean(sure, likely, labels_at(sure.shape, 1.0) == cv2.GC_FGD)
        region = outline(sure, image.shape[:2])
        band = unknown_band(region, faces)
        return soften(image, region.astype(np.float32), band, lambda done: step(0.6 + 0.4 * done))

    def close(self) -> None:
        """Nothing is held between calls."""


class ClassicEngine:
    """Satisfies `bshm_bridge.engines.base.Engine`; there is nothing to install or to load."""

    name = "classic"

    def available(self) -> tuple[bool, str]:
        return True, ""

    def load(
        self,
        manifest: Manifest,
        file: Path | None,
        device: str,
        cancel: Cancellation,
        progress: ReportProgress,
    ) -> ClassicSession:
        """Return a session; raises `NotReady` where a GPU is asked for."""
        if device == "gpu":
            raise NotReady(
                "The classic engine does not use the GPU: choose the device “auto”.", "no-gpu"
            )
        return ClassicSession()


def _check(request: EngineInput) -> None:
    image = request.image
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise InvalidInput("The classic engine takes 8-bit RGB pictures only.", "bad-image")
    for extra in (request.hint, request.trimap):
        if extra is not None and extra.shape != image.shape[:2]:
            raise InvalidInput(
                "The selection or trimap must have the picture's size.", "bad-geometry"
            )


def _usable(hint: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
    """Return the hint, or None where it selects everything or nothing and so tells nothing."""
    if hint is None or bool((hint >= 128).all()) or not bool((hint >= 128).any()):
        return None
    return hint


def _labels(
    shape: tuple[int, int],
    reach: float,
    height: int,
    faces: tuple[Face, ...],
    hint: NDArray[np.uint8] | None,
) -> NDArray[np.uint8]:
    """Return GrabCut's starting labels at `shape`; the faces are in pixels at `height`."""
    scaled = tuple(face.scaled(shape[0] / height) for face in faces)
    if hint is None:
        return prior.from_faces(shape, scaled, reach)
    selected = prior.from_hint(cv2.resize(hint, shape[::-1], interpolation=cv2.INTER_AREA))
    inside = tuple(face for face in scaled if _selected(selected, face))
    if not inside:
        return selected
    return prior.combined(prior.from_faces(shape, inside, reach), selected)


def _selected(labels: NDArray[np.uint8], face: Face) -> bool:
    x, y = (int(value) for value in face.centre)
    column, row = min(max(x, 0), labels.shape[1] - 1), min(max(y, 0), labels.shape[0] - 1)
    return bool(labels[row, column] in (cv2.GC_FGD, cv2.GC_PR_FGD))


def _from_trimap(
    image: NDArray[np.uint8], trimap: NDArray[np.uint8], step: Callable[[float], None]
) -> NDArray[np.float32]:
    unknown = (trimap > 0) & (trimap < 255)
    alpha = np.where(unknown, 0.5, trimap / 255.0).astype(np.float32)
    return soften(image, alpha, unknown, step)


def _fitted(values: NDArray[np.uint8], interpolation: int) -> NDArray[np.uint8]:
    factor = _ANSWER_SIDE / max(values.shape[:2])
    if factor >= 1:
        return values
    size = (max(1, round(values.shape[1] * factor)), max(1, round(values.shape[0] * factor)))
    return np.asarray(cv2.resize(values, size, interpolation=interpolation), np.uint8)
