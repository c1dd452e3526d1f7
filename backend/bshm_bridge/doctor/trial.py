"""A trial matte of the sample portrait, by the model that would be used."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from bshm_bridge import samples
from bshm_bridge.doctor.finding import Finding
from bshm_bridge.engines.base import Cancellation, EngineInput
from bshm_bridge.engines.registry import Registry
from bshm_bridge.errors import MattingError
from bshm_bridge.matting.fit import fit

_AREA = "trial"
_FACE = np.s_[90:130, 205:245]  # of the portrait, in pixels
_WALL = np.s_[20:60, 320:400]


def examine_trial(registry: Registry, portrait: Path | None = None) -> Iterator[Finding]:
    """Matte the portrait in this process, without the service; downloads nothing."""
    picture = cv2.imread(str(portrait or samples.portrait()), cv2.IMREAD_COLOR)
    if picture is None:
        yield Finding(
            _AREA, "problem", "The sample portrait is missing.", "Install bshm-bridge again."
        )
        return
    image = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
    choice = registry.choose("auto", "", "auto")
    name = choice.manifest.name
    mend = f"`bshm models check {name}` and `bshm engines list` tell more."
    cancel = Cancellation()
    try:
        begin = time.monotonic()
        file = registry.fetch(choice, cancel, _quiet)
        session = choice.engine.load(choice.manifest, file, choice.device, cancel, _quiet)
        loaded = time.monotonic() - begin
        try:
            begin = time.monotonic()
            small = fit(image, choice.long_side) if choice.long_side else image
            alpha = session.infer(EngineInput(small), cancel, _quiet)
            took = time.monotonic() - begin
        finally:
            session.close()
    except MattingError as error:
        yield Finding(_AREA, "problem", f"{name} could not matte the sample: {error}", mend)
        return
    what = f"{name} on {session.device} took {took:.2f} s for the sample, {loaded:.1f} s to load."
    flaw = _flaw(np.asarray(alpha, np.float32), image.shape[:2])
    if flaw:
        yield Finding(
            _AREA,
            "problem",
            f"{what} {flaw}",
            f"`bshm models check {name}`: the file may be another model, or its manifest may "
            "name the wrong tensors, channel order or range.",
        )
    else:
        yield Finding(_AREA, "ok", f"{what} The portrait was cut out.")


def _flaw(alpha: np.typing.NDArray[np.float32], shape: tuple[int, int]) -> str:
    if alpha.max() < 0.02:
        return "The result is all black: nothing was kept."
    if alpha.min() > 0.98:
        return "The result is all white: nothing was removed."
    alpha = np.asarray(cv2.resize(alpha, shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
    if alpha[_FACE].mean() < 0.9 or alpha[_WALL].mean() > 0.1:
        return "The result is not the person in the picture."
    return ""


def _quiet(stage: str, fraction: float) -> None:
    pass
