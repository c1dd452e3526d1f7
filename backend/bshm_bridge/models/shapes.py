"""Whether the shapes that an ONNX file declares are those of its manifest."""

from __future__ import annotations

from collections.abc import Mapping

from bshm_bridge.models.manifest import Layout, Manifest
from bshm_bridge.models.sizes import Fixed

Shape = tuple[int, ...]
"""Sides of a tensor; 0 for those that are free."""

# Where batch, height, width and channels are.
_AXES: dict[Layout, tuple[int | None, int, int, int]] = {
    "HWC": (None, 0, 1, 2),
    "NHWC": (0, 1, 2, 3),
    "NCHW": (0, 2, 3, 1),
}


def mistakes(manifest: Manifest, fed: str, answered: str, shapes: Mapping[str, Shape]) -> list[str]:
    """Return a sentence for every shape that does not fit.

    Parameters
    ----------
    fed, answered
        Names of the main input and output.
    shapes
        What the file declares, by name; what it does not declare is not looked at.
    """
    found = _of_input(manifest, shapes.get(fed, ()))
    return found or _of_output(manifest, shapes.get(answered, ()))


def _of_input(manifest: Manifest, shape: Shape) -> list[str]:
    if not shape:
        return []
    spec = manifest.input
    batch, down, right, channels = _AXES[spec.layout]
    rank = 3 if batch is None else 4
    if len(shape) != rank:
        return [
            f"input.layout: {spec.layout} has {rank} dimensions, but the file's input has "
            f"{len(shape)}."
        ]
    wanted = 4 if spec.trimap_channel else 3
    if shape[channels] not in (0, wanted):
        other: Layout = "NCHW" if spec.layout == "NHWC" else "NHWC"
        fits = batch is not None and shape[_AXES[other][3]] == wanted
        hint = f"; did you mean “{other}”?" if fits else "."
        return [
            f"input.layout: in {spec.layout} the file's input has {shape[channels]} channels, "
            f"not {wanted}{hint}"
        ]
    if batch is not None and shape[batch] > 1:
        return [f"input: the file takes {shape[batch]} pictures at once, and one is needed."]
    height, width = shape[down], shape[right]
    if isinstance(spec.size, Fixed):
        if height not in (0, spec.size.height) or width not in (0, spec.size.width):
            return [
                f"input.size: the file takes {width or 'any'}×{height or 'any'} pixels, not "
                f"{spec.size.width}×{spec.size.height}."
            ]
    elif height and width:
        return [
            f"input.size: the file takes {width}×{height} pixels and no other size: use "
            f'{{ rule = "fixed", width = {width}, height = {height} }}.'
        ]
    return []


def _of_output(manifest: Manifest, shape: Shape) -> list[str]:
    batch, _, _, channels = _AXES[manifest.input.layout]
    if len(shape) != (3 if batch is None else 4):
        return []  # planes without a channel axis are understood, too
    count, channel = shape[channels], manifest.output.channel
    if count and not -count <= channel < count:
        return [f"output.channel: the file's output has {count} channels, so no channel {channel}."]
    return []
