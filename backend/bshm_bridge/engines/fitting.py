"""From an image to the size that a network takes, by its manifest's size rule."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.models.manifest import Resample
from bshm_bridge.models.sizes import AtMost, Fixed, ShortSide, SizeRule

_LONGEST = 4096
"""Bound for rules that name none; a strip would otherwise exhaust the memory."""

_PILLOW = {"pillow-bilinear": "BILINEAR", "pillow-lanczos": "LANCZOS"}


def network_size(width: int, height: int, rule: SizeRule) -> tuple[int, int]:
    """Return the width and height to feed for an image of `width`×`height`."""
    if isinstance(rule, Fixed):
        return rule.width, rule.height
    if isinstance(rule, ShortSide):
        scale = min(_short_side_scale(width, height, rule), _LONGEST / max(width, height))
        if rule.rounding == "down":
            return (
                _down_to_multiple(width * scale, rule.multiple_of),
                _down_to_multiple(height * scale, rule.multiple_of),
            )
    else:
        scale = min(1.0, rule.long_side / max(width, height))
        if rule.rounding == "up":
            return (
                _up_to_multiple(width * scale, rule.multiple_of),
                _up_to_multiple(height * scale, rule.multiple_of),
            )
    return (
        _to_multiple(width * scale, rule.multiple_of),
        _to_multiple(height * scale, rule.multiple_of),
    )


def smaller(rule: SizeRule, width: int, height: int) -> AtMost | None:
    """Return a rule that needs about a quarter of the memory, or None where none can.

    Parameters
    ----------
    rule
        The manifest's rule.
    width, height
        What was fed and did not fit.
    """
    if isinstance(rule, Fixed):
        return None
    half = max(width, height) // 2
    rounding = rule.rounding if isinstance(rule, AtMost) else "nearest"
    return AtMost(half, rule.multiple_of, rounding) if half >= max(64, rule.multiple_of) else None


def warm_up_size(rule: SizeRule) -> tuple[int, int]:
    """Return a small size that the network takes."""
    if isinstance(rule, Fixed):
        return rule.width, rule.height
    if isinstance(rule, ShortSide):
        return network_size(rule.pixels, rule.pixels, rule)
    return network_size(min(256, rule.long_side), min(256, rule.long_side), rule)


def fit(
    image: NDArray[np.uint8], width: int, height: int, resample: Resample = "area"
) -> NDArray[np.uint8]:
    """Resize an image as its manifest says; areas become linear where the image grows."""
    if image.shape[:2] == (height, width):
        return image
    if resample in _PILLOW:
        from PIL import Image  # here, because few models need it, and all wait for its import

        method = Image.Resampling[_PILLOW[resample]]
        picture = Image.fromarray(image).resize((width, height), method)
        return np.asarray(picture, np.uint8)
    if resample == "lanczos":
        sharp: NDArray[np.uint8] = cv2.resize(
            image, (width, height), interpolation=cv2.INTER_LANCZOS4
        )
        return sharp
    shrinks = resample == "area" and width * height <= image.shape[0] * image.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized: NDArray[np.uint8] = cv2.resize(image, (width, height), interpolation=interpolation)
    return resized


def _short_side_scale(width: int, height: int, rule: ShortSide) -> float:
    short, long = min(width, height), max(width, height)
    if rule.when == "larger" and short <= rule.pixels:
        return 1.0
    if rule.when == "outside" and short <= rule.pixels <= long:
        return 1.0
    return rule.pixels / short


def _down_to_multiple(value: float, multiple: int) -> int:
    # What is meant to be whole may have come out of the division slightly below.
    return max(1, int(value + 1e-6) // multiple) * multiple


def _up_to_multiple(value: float, multiple: int) -> int:
    return max(1, -(-round(value) // multiple)) * multiple


def _to_multiple(value: float, multiple: int) -> int:
    return max(1, round(value / multiple)) * multiple
