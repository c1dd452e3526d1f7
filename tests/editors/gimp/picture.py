"""A picture whose every pixel has its place: a figure on a plain ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FIGURE = (100, 30, 125, 200)
"""x, y, width, height of a generous box around the figure, for a picture of SIZE."""
SIZE = (320, 240)


def figure(scale: int = 1) -> NDArray[np.bool_]:
    """Return where the figure is: a head and shoulders, H×W."""
    width, height = SIZE[0] * scale, SIZE[1] * scale
    y, x = np.mgrid[:height, :width] * (2 / scale)
    head = ((x - 325) / 60) ** 2 + ((y - 160) / 80) ** 2 < 1
    body = ((x - 325) / 110) ** 2 + ((y - 430) / 190) ** 2 < 1
    return (head | body) & (y < 450)


def picture(scale: int = 1, seed: int = 20) -> NDArray[np.uint8]:
    """Return the figure on its ground, H×W×3; no two neighbourhoods look the same.

    Of another seed it is another picture, whose matte no cache knows.
    """
    mask = figure(scale)
    height, width = mask.shape
    noise = np.random.default_rng(seed).integers(-12, 13, (height, width, 3))
    y, x = np.mgrid[:height, :width] * (2 / scale)
    ground = np.stack([180 + x / 16, 190 - y / 16, 170 + (x + y) / 40], axis=-1)
    colours = np.stack([190 - y / 8, 60 + x / 20, 30 + (x % 37)], axis=-1)
    mixed = np.where(mask[..., None], colours, ground) + noise
    return np.clip(mixed, 0, 255).astype(np.uint8)
