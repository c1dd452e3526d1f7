"""What is compared: methods, a network's view of a scene, and one row of figures each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.matting import metrics
from bshm_bridge.matting.fit import fit
from bshm_bridge.matting.foreground import foreground
from bshm_bridge.matting.refine import refine

from .scenes import F32, Scene

Method = Callable[[F32, NDArray[np.uint8]], NDArray[np.uint8]]


@dataclass(frozen=True)
class Row:
    """Figures of one method on one scene; the first matte errors are relative to cubic's."""

    scene: str
    method: str
    figures: dict[str, float]
    result: NDArray[Any]


def network_alpha(alpha: F32, long_side: int, kind: str, seed: int = 0) -> F32:
    """What a network of that size would say: "exact", or "soft" as real ones are."""
    small = fit(alpha, long_side)
    if kind == "soft":
        rng = np.random.default_rng(seed)
        blurred = cv2.GaussianBlur(small, (0, 0), 0.7)
        wave = cv2.GaussianBlur(rng.standard_normal(small.shape).astype(np.float32), (0, 0), 4)
        small = np.clip(blurred + 1.5 * wave * blurred * (1 - blurred), 0, 1)
    return np.round(small * 255).astype(np.float32) / np.float32(255)


def band(alpha: F32, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Pixels of the layer at and next to soft pixels of the network's alpha."""
    soft = cv2.dilate(((alpha > 0.01) & (alpha < 0.99)).astype(np.uint8), np.ones((3, 3), np.uint8))
    wide = cv2.resize(soft, shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(wide.reshape(shape[:2]) > 0)


def bilinear(alpha: F32, guide: NDArray[np.uint8]) -> NDArray[np.uint8]:
    full = cv2.resize(alpha, guide.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.round(full * 255), np.uint8)


def guided(alpha: F32, guide: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fast guided filter (He, Sun 2015) with colour, radius 1, ε 1e-5, the usual remedy."""
    image = guide.astype(np.float32) / 255
    h, w = alpha.shape
    small = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)

    def mean(plane: F32) -> F32:
        blurred: F32 = cv2.blur(plane, (3, 3))
        return blurred

    centre, mean_alpha = mean(small), mean(alpha)
    covariance = np.empty((h, w, 3, 3), np.float32)
    for i in range(3):
        for j in range(3):
            product = mean(small[..., i] * small[..., j])
            covariance[..., i, j] = product - centre[..., i] * centre[..., j]
    covariance += 1e-5 * np.eye(3, dtype=np.float32)
    cross = mean(small * alpha[..., None]) - centre * mean_alpha[..., None]
    slope = np.linalg.solve(covariance, cross[..., None])[..., 0]
    offset = mean_alpha - (slope * centre).sum(-1)
    lines = cv2.resize(mean(np.dstack([slope, offset])), image.shape[1::-1])
    full = np.clip((lines[..., :3] * image).sum(-1) + lines[..., 3], 0, 1)
    enlarged = cv2.resize(alpha, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    mixed = np.where(band(alpha, guide.shape), full, np.clip(enlarged, 0, 1))
    return np.asarray(np.round(mixed * 255), np.uint8)


METHODS: dict[str, Method] = {
    "bilinear": bilinear,
    "cubic": lambda alpha, guide: np.asarray(refine(alpha, guide, mode="fast")),
    "guided": guided,
    "best": lambda alpha, guide: np.asarray(refine(alpha, guide)),
}


class _Clock:
    """Seconds on the wall, and of the processor: the latter hold on a busy machine too."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def passed(self) -> dict[str, float]:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return {"s": wall, "cpu s": cpu}


def try_mattes(scene: Scene, alpha: F32, names: list[str]) -> list[Row]:
    """Run methods on one scene; the errors count in the band."""
    inside = band(alpha, scene.alpha.shape)
    rows: list[Row] = []
    reference: dict[str, float] = {}
    for name in ["cubic", *(n for n in names if n != "cubic")]:
        start = _Clock()
        matte = METHODS[name](alpha, scene.image)
        times = start.passed()
        unit = matte.astype(np.float32) / np.float32(255)
        back = cv2.resize(unit, alpha.shape[::-1], interpolation=cv2.INTER_AREA)
        soft = band(alpha, alpha.shape)
        errors = {
            "SAD": metrics.sad(unit, scene.alpha, inside),
            "MSE": metrics.mse(unit, scene.alpha, inside),
            "MAD": metrics.mad(unit, scene.alpha, inside),
            "Grad": metrics.gradient_error(unit, scene.alpha, inside),
            "Conn": metrics.connectivity_error(unit, scene.alpha, inside),
        }
        reference = reference or errors
        figures = {
            "MAD/cubic": errors["MAD"] / max(reference["MAD"], 1e-9),
            "Grad/cubic": errors["Grad"] / max(reference["Grad"], 1e-9),
            **errors,
            "off/255": float(np.abs(back - alpha)[soft].mean() * 255) if soft.any() else 0.0,
            **times,
        }
        rows.append(Row(scene.name, name, figures, matte))
    return rows


def try_colours(scene: Scene) -> list[Row]:
    """Run the estimators of foreground colours on one scene with its exact alpha."""
    if scene.foreground is None:
        return []
    levels = np.round(scene.alpha * 255).astype(np.uint8)
    estimators: dict[str, Callable[[], NDArray[Any]]] = {
        "ours": lambda: foreground(scene.image, levels),
    }
    try:
        from pymatting import estimate_foreground_ml
    except ImportError:
        pass
    else:
        estimate_foreground_ml(np.zeros((8, 8, 3)), np.zeros((8, 8)))  # compiles
        image = scene.image / 255.0

        def reference() -> NDArray[Any]:
            found = estimate_foreground_ml(image, levels / 255.0)
            return np.asarray(np.round(np.clip(found, 0, 1) * 255), np.uint8)

        estimators["multi-level"] = reference
    inside = (levels > 0) & (levels < 255)
    weight = scene.alpha[inside]
    rows = []
    for name, estimate in estimators.items():
        start = _Clock()
        found = estimate()
        times = start.passed()
        error = np.abs(found[inside].astype(np.float32) - scene.foreground[inside]).mean(axis=-1)
        figures = {
            "error/255": float(error.mean()),
            "weighted": float((error * weight).sum() / weight.sum()),
            **times,
        }
        rows.append(Row(scene.name, name, figures, found))
    return rows
