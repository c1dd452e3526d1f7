"""From an RGB image to the network's input, and from its output to alpha; numpy alone.

`spec` is the `input` or `output` table of a model's manifest as plain JSON. The image has
the network's size already.
"""

from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from bshm_worker.failures import Failure, wrong_graph

Spec = Dict[str, Any]


UNKNOWN = 128
"""Value of a trimap between 0 (background) and 255 (subject)."""

_DISTANCE_UNIT = 320.0  # pixels
_DISTANCE_SCALES = (0.02, 0.08, 0.16)


def network_input(image: Any, spec: Spec, dtype: Any, trimap: Any = None) -> Any:
    """Return the tensor to feed.

    Parameters
    ----------
    image
        H×W×3, u8, RGB.
    spec
        ``x = (pixel * scale - mean) / std`` per channel, then `layout`; `mean` and `std`
        are in the order of `channels`.
    dtype
        Type of the network's input.
    trimap
        H×W, u8: 0, 255, `UNKNOWN`; for networks that take it as a fourth channel.
    """
    tensor = _normalised(image, spec)
    if spec.get("trimap_channel", False):
        levels = _levels(trimap)[:, :, np.newaxis]
        tensor = np.concatenate([tensor.astype(np.float32), levels], axis=2)
    return _laid_out(tensor, spec, dtype)


def extra_inputs(specs: List[Spec], main: Spec, image: Any, blocks: Dict[str, Any]) -> Any:
    """Return what is fed besides the picture, by the names of the inputs.

    Parameters
    ----------
    specs
        The manifest's `extra_inputs`.
    main
        Its `input`, for layout, order of channels and padding.
    image
        H×W×3, u8, RGB.
    blocks
        `trimap`, H×W, u8, and `distances`, H×W×2, f32: for each pixel how far it is from what
        is known to be background, and from what is known to be subject, in pixels; infinite
        where nothing is. Only what the kinds need.
    """
    fed = {}
    for spec in specs:
        kind = spec["kind"]
        if kind == "ratio":
            ratio = float(spec["long_side"]) / max(image.shape[:2])
            value = np.array([min(1.0, ratio) if spec["at_most_one"] else ratio], np.float32)
        elif kind == "image":
            value = _laid_out(_normalised(image, dict(main, divide_by_max=False, **spec)), main)
        elif kind == "trimap":
            value = _laid_out(_levels(blocks["trimap"])[:, :, np.newaxis], main)
        elif kind == "trimap-channels":
            known = [blocks["trimap"] == 0, blocks["trimap"] == 255]
            value = _laid_out(np.stack(known, axis=2), main)
        elif kind == "trimap-distances":
            value = _laid_out(_nearness(blocks["distances"]), main)
        else:
            raise wrong_graph("its manifest names an input of the unknown kind “%s”" % kind[:40])
        fed[spec["tensor"]] = value
    return fed


def _normalised(image: Any, spec: Spec) -> Any:
    if spec.get("channels", "RGB") == "BGR":
        image = image[:, :, ::-1]
    scale = float(spec.get("scale", 1.0))
    mean = np.asarray(spec.get("mean", (0, 0, 0)), np.float32)
    std = np.asarray(spec.get("std", (1, 1, 1)), np.float32)
    tensor = image
    if spec.get("divide_by_max", False):
        scale /= max(1, int(image.max()))
    if scale != 1.0:
        tensor = tensor.astype(np.float32) * np.float32(scale)
    if mean.any():
        tensor = tensor.astype(np.float32) - mean
    if (std != 1).any():
        tensor = tensor.astype(np.float32) / std
    return tensor


def _laid_out(tensor: Any, spec: Spec, dtype: Any = np.float32) -> Any:
    """Pad H×W×C at the right and at the bottom, and put it into the network's layout."""
    multiple = int(spec.get("pad_to", 1))
    rest = [-side % multiple for side in tensor.shape[:2]]
    if any(rest):
        tensor = np.pad(tensor, [(0, rest[0]), (0, rest[1]), (0, 0)], "constant")
    layout = spec["layout"]
    if layout == "NCHW":
        tensor = tensor.transpose(2, 0, 1)[np.newaxis]
    elif layout == "NHWC":
        tensor = tensor[np.newaxis]
    return np.ascontiguousarray(tensor, dtype)


def _levels(trimap: Any) -> Any:
    return np.where(trimap == UNKNOWN, np.float32(0.5), trimap / np.float32(255)).astype(np.float32)


def _nearness(distances: Any) -> Any:
    """Return exp(-d² / 2 (s · 320)²) of both distances at three scales, H×W×6."""
    planes = []
    for channel in range(2):
        square = np.square(distances[:, :, channel].astype(np.float32))
        for scale in _DISTANCE_SCALES:
            planes.append(np.exp(-square / np.float32(2 * (scale * _DISTANCE_UNIT) ** 2)))
    return np.stack(planes, axis=2)


def alpha(output: Any, layout: str, spec: Spec) -> Any:
    """Return alpha, h×w, f32, 0 to 1, from what the network answered.

    Raises
    ------
    Failure
        The output has not the shape that the manifest says, or holds no finite numbers.
    """
    plane = _plane(np.asarray(output), layout, int(spec.get("channel", 0)))
    values = plane.astype(np.float32)
    if not np.isfinite(values).all():
        raise Failure(
            "bad-output",
            "The model answered with numbers that are not finite, which mostly means that the "
            "engine does not work with this graphics card; choose the processor (CPU) as the "
            "device or another engine.",
        )
    activation = spec.get("activation", "none")
    if activation in ("sigmoid", "sigmoid-minmax"):
        # Clipped where f32 would overflow; there the answer is 0 or 1 anyway.
        values = 1.0 / (1.0 + np.exp(-np.clip(values, -80.0, 80.0)))
    if activation in ("minmax", "sigmoid-minmax"):
        low, high = float(values.min()), float(values.max())
        values = (values - low) / (high - low) if high > low else np.zeros_like(values)
    low, high = (float(bound) for bound in spec.get("range", (0.0, 1.0)))
    if (low, high) != (0.0, 1.0):
        values = (values - np.float32(low)) / np.float32(high - low)
    return np.clip(values, 0.0, 1.0).astype(np.float32, copy=False)


def _plane(output: Any, layout: str, channel: int) -> Any:
    shape = output.shape
    if output.ndim == 4 and shape[0] == 1:
        output = output[0]
    if output.ndim == 3:
        axis = 0 if layout == "NCHW" else 2
        count = output.shape[axis]
        if -count <= channel < count:
            return output[channel] if axis == 0 else output[:, :, channel]
        if output.shape[0] == 1:  # a batch of planes without a channel axis
            return output[0]
    elif output.ndim == 2:
        return output
    raise wrong_graph(
        "its output has the shape %s, which has no channel %d"
        % ("×".join(map(str, shape)), channel)
    )
