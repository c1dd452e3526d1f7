"""From an RGB image to the network's input, and from its output to alpha; numpy alone.

`spec` is the `input` or `output` table of a model's manifest as plain JSON. The image has
the network's size already.
"""

from __future__ import annotations

from typing import Any, Dict

import numpy as np

from bshm_worker.failures import Failure, wrong_graph

Spec = Dict[str, Any]


def network_input(image: Any, spec: Spec, dtype: Any) -> Any:
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
    """
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
    layout = spec["layout"]
    if layout == "NCHW":
        tensor = tensor.transpose(2, 0, 1)[np.newaxis]
    elif layout == "NHWC":
        tensor = tensor[np.newaxis]
    return np.ascontiguousarray(tensor, dtype)


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
