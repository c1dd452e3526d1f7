"""From the network's alpha to the layer's size, with the layer itself as guide."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.errors import Unavailable
from bshm_bridge.matting.band import BandRefiner
from bshm_bridge.matting.fit import area_average
from bshm_bridge.matting.sampling import F32
from bshm_bridge.matting.tiles import Check
from bshm_bridge.matting.values import from_unit, full_scale, sanitised

Mode = Literal["best", "fast"]
Depth = Literal["u8", "u16"]
Matte = NDArray[np.uint8] | NDArray[np.uint16]


def refine(
    alpha: NDArray[Any],
    guide: NDArray[Any],
    *,
    mode: Mode = "best",
    depth: Depth = "u8",
    check: Check | None = None,
) -> Matte:
    """Bring an alpha matte from the network's size to the layer's.

    Parameters
    ----------
    alpha
        h×w; u8 (0 to 255), u16 (0 to 65535) or float (0 to 1, clipped). Not changed.
    guide
        H×W×3, the layer at full size; u8, u16 or float (0 to 1, clipped; what is not a number
        reads as 0). Not changed.
    mode
        ``"fast"``: cubic enlargement. ``"best"``: edges follow the guide, in the soft band.
    depth
        Type of the result: ``"u8"`` or ``"u16"``, spanning its full range.
    check
        Called between tiles; raises to abandon the work.

    Returns
    -------
    H×W, u8 or u16. Further than two network pixels from a soft one, both modes are the same;
    so they are where the alpha has the layer's size already or is larger.

    Raises
    ------
    Unavailable
        The alpha holds values that are not numbers.
    ValueError
        Arrays of the wrong shape, or an unknown mode or depth.
    """
    if guide.ndim != 3 or guide.shape[2] != 3 or alpha.ndim != 2 or 0 in guide.shape + alpha.shape:
        raise ValueError(f"alpha h×w and guide H×W×3 expected, not {alpha.shape}, {guide.shape}")
    if mode not in ("best", "fast") or depth not in ("u8", "u16"):
        raise ValueError(f"unknown mode {mode!r} or depth {depth!r}")
    small = _network_alpha(alpha)
    size = guide.shape[:2]
    full = _fast(small, size, depth)
    grows = small.shape[0] <= size[0] and small.shape[1] <= size[1] and small.shape != size
    if mode == "best" and grows:
        refiner = BandRefiner(small, full, check)
        if refiner.band.any():
            refiner.run(sanitised(guide))
    return full


def _network_alpha(alpha: NDArray[Any]) -> F32:
    unit = alpha.astype(np.float32) / np.float32(full_scale(alpha.dtype))
    if not np.isfinite(unit).all():
        raise Unavailable(
            "The model returned a matte that is not a number. Try another model or engine.",
            "bad-matte",
        )
    return np.clip(unit, 0, 1)


def _fast(small: F32, size: tuple[int, int], depth: Depth) -> Matte:
    levels = from_unit(small, np.dtype(np.uint8 if depth == "u8" else np.uint16))
    if size == small.shape:
        return levels
    if size[0] < small.shape[0] or size[1] < small.shape[1]:
        return area_average(levels, size[::-1])
    enlarged: Matte = cv2.resize(levels, size[::-1], interpolation=cv2.INTER_CUBIC).reshape(size)
    return enlarged
