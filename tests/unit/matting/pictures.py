"""Small pictures with a known answer."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.matting.fit import fit

F32 = NDArray[np.float32]


def strands(
    height: int = 240, width: int = 320, ratio: int = 4
) -> tuple[NDArray[np.uint8], F32, F32]:
    """Dark strands of 1 to 4 pixels on a light gradient: layer, true alpha, network's alpha."""
    rng = np.random.default_rng(3)
    canvas = np.zeros((height * 4, width * 4), np.uint8)
    for _ in range(40):
        ends = (rng.random((2, 2)) * [width * 4, height * 4]).astype(int)
        cv2.line(canvas, ends[0].tolist(), ends[1].tolist(), 255, int(rng.integers(4, 16)))
    alpha = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA) / np.float32(255)
    ramp = np.linspace(0, 0.3, width, dtype=np.float32)[None, :, None]
    light = np.array([0.9, 0.8, 0.6], np.float32) - ramp
    dark = np.array([0.15, 0.1, 0.1], np.float32)
    image = light + alpha[..., None] * (dark - light)
    layer = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return layer, alpha, fit(alpha, max(height, width) // ratio)


def disc(height: int, width: int, radius: float, soft: float = 0.0) -> F32:
    """Coverage of a disc in the middle; `soft` is the standard deviation of its edge."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = radius - np.hypot(x - (width - 1) / 2, y - (height - 1) / 2)
    cover = np.clip(distance + 0.5, 0, 1).astype(np.float32)
    return cv2.GaussianBlur(cover, (0, 0), soft) if soft else cover
