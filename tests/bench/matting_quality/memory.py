"""Peak memory of refinement and colours beyond their inputs and result (Linux only)."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import cv2
import numpy as np

CASES = ("refine fast", "refine best", "foreground")


def _high_water() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no high-water mark of memory on this platform")


def _measure(case: str, width: int, height: int, everywhere: bool, answer: object) -> None:
    from bshm_bridge.matting.foreground import foreground
    from bshm_bridge.matting.refine import refine

    layer = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    alpha = np.full((1500 * height // width, 1500), 0.5 if everywhere else 0, np.float32)
    if not everywhere:
        h, w = alpha.shape
        cv2.circle(alpha, (w // 2, h // 2), h // 3, 1, -1)
        alpha = cv2.GaussianBlur(alpha, (0, 0), 12)
    matte = refine(alpha, layer, mode="fast") if case == "foreground" else None
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts again here
    before = _high_water()
    result = (
        foreground(layer, matte)
        if matte is not None
        else refine(alpha, layer, mode="best" if case == "refine best" else "fast")
    )
    extra = _high_water() - before - result.nbytes
    answer.send(extra / layer.nbytes)  # type: ignore[attr-defined]


def table(width: int, height: int) -> list[tuple[str, float]]:
    """Return peaks as multiples of the layer's u8 RGB bytes, the result not counted."""
    rows = []
    spawn = multiprocessing.get_context("spawn")
    for everywhere in (False, True):
        for case in CASES:
            ours, theirs = spawn.Pipe()
            child = spawn.Process(target=_measure, args=(case, width, height, everywhere, theirs))
            child.start()
            rows.append((f"{case}, band {'everywhere' if everywhere else '8 %'}", ours.recv()))
            child.join()
    return rows
