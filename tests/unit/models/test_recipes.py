"""Preprocessing by our manifests, against each model's published recipe, computed here anew.

The recipes are named at each test. Where a recipe resizes twice, we resize once: sizes are
then compared exactly, and values on a picture smooth enough for that not to matter.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bshm_bridge.engines.fitting import fit, network_size
from bshm_bridge.models import builtin
from bshm_worker.tensors import alpha, network_input

Array = NDArray[np.float32]
SIZES = [(640, 480), (480, 640), (1300, 731), (333, 1024), (300, 200), (512, 512), (1099, 1201)]
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406])
IMAGENET_STD = np.array([0.229, 0.224, 0.225])


def smooth(width: int, height: int) -> NDArray[np.uint8]:
    """A picture without detail, different in each channel and not symmetric."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    waves = [np.sin(3 * x + y), np.cos(2 * y - x), np.sin(4 * x * y + 1)]
    return np.asarray((np.stack(waves, axis=-1) + 1) / 2 * 255, np.uint8)


def ours(name: str, image: NDArray[np.uint8]) -> Array:
    manifest = next(item for item in builtin.manifests() if item.name == name)
    size = network_size(image.shape[1], image.shape[0], manifest.input.size)
    fitted = fit(image, *size, manifest.input.resample)
    tensor = network_input(fitted, manifest.to_dict()["input"], np.float32)
    return np.asarray(tensor, np.float32)


def answer(name: str, output: Array) -> Array:
    manifest = next(item for item in builtin.manifests() if item.name == name)
    values = alpha(output, manifest.input.layout, manifest.to_dict()["output"])
    return np.asarray(values, np.float32)


def interpolated(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.float64]:
    """Linear interpolation between pixel centres, as PyTorch's and Paddle's `bilinear`."""

    def weights(source: int, target: int) -> NDArray[np.float64]:
        matrix = np.zeros((target, source))
        for row in range(target):
            place = min(max((row + 0.5) * source / target - 0.5, 0), source - 1)
            first = int(place)
            second = min(first + 1, source - 1)
            matrix[row, first] += 1 - (place - first)
            matrix[row, second] += place - first
        return matrix

    down = np.tensordot(weights(image.shape[0], height), image.astype(np.float64), (1, 0))
    both = np.tensordot(down, weights(image.shape[1], width), (1, 1))
    return np.asarray(both.transpose(0, 2, 1))


def close(tensor: Array, expected: NDArray[np.float64], steps: float, per_level: float) -> bool:
    """Compare 1×3×h×w with h×w×3; `steps` levels of 255 may differ, one being `per_level`."""
    assert tensor.dtype == np.float32
    assert tensor.shape == (1, *expected.transpose(2, 0, 1).shape)
    return bool(np.abs(tensor[0].transpose(1, 2, 0) - expected).max() <= steps * per_level)


@pytest.mark.parametrize("size", SIZES)
def test_modnet(size: tuple[int, int]) -> None:
    """get_scale_factor and the lines after it in MODNet's onnx/inference_onnx.py."""
    width, height = size
    reference = 512
    if max(height, width) < reference or min(height, width) > reference:
        if width >= height:
            new_height, new_width = reference, int(width / height * reference)
        else:
            new_width, new_height = reference, int(height / width * reference)
    else:
        new_height, new_width = height, width
    new_width, new_height = new_width - new_width % 32, new_height - new_height % 32
    image = smooth(width, height)
    expected = (interpolated(image, new_width, new_height) - 127.5) / 127.5
    assert close(ours("modnet", image), expected, 3, 1 / 127.5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("name", "limit"),
    [("pp-matting-512", 512), ("pp-matting-1024", 1024), ("pp-mattingv2-512", 512)],
)
def test_pp_matting(name: str, limit: int, size: tuple[int, int]) -> None:
    """LimitShort, ResizeToIntMult and Normalize of the val_dataset in PaddleSeg's configuration."""
    width, height = size
    if min(width, height) > limit:
        scale = limit / min(width, height)
        width, height = round(width * scale), round(height * scale)
    image = smooth(*size)
    expected = (interpolated(image, width - width % 32, height - height % 32) / 255 - 0.5) / 0.5
    assert close(ours(name, image), expected, 2, 1 / 127.5)


@pytest.mark.parametrize("size", [(640, 480), (500, 570)])
def test_pp_humanmatting(size: tuple[int, int]) -> None:
    """ResizeByShort, ResizeToIntMult and Normalize of PaddleSeg's human_matting configuration."""
    scale = 2048 / min(size)
    width, height = round(size[0] * scale), round(size[1] * scale)
    image = smooth(*size)
    expected = interpolated(image, width - width % 128, height - height % 128) / 255
    assert close(ours("pp-humanmatting", image), (expected - 0.5) / 0.5, 2, 1 / 127.5)


@pytest.mark.parametrize("size", SIZES[:4])
def test_rmbg_1_4(size: tuple[int, int]) -> None:
    """preprocess_image and postprocess_image of briaai/RMBG-1.4's card."""
    image = smooth(*size)
    expected = interpolated(image, 1024, 1024) / 255 - 0.5
    assert close(ours("rmbg-1.4", image), expected, 1, 1 / 255)
    raw = np.random.default_rng(0).normal(2, 3, (1, 1, 64, 64)).astype(np.float32)
    stretched = (raw - raw.min()) / (raw.max() - raw.min())
    assert np.abs(answer("rmbg-1.4", raw) - stretched[0, 0]).max() < 1e-6


@pytest.mark.parametrize("size", SIZES[:4])
@pytest.mark.parametrize("name", ["inspyrenet", "birefnet-matting"])
def test_pictures_resized_by_pillow(name: str, size: tuple[int, int]) -> None:
    """Transparent-background's base mode with static resize, and BiRefNet's card."""
    noise = np.random.default_rng(1).integers(0, 60, (size[1], size[0], 3))
    image = np.asarray(np.clip(smooth(*size) + noise, 0, 255), np.uint8)
    resized = np.asarray(Image.fromarray(image).resize((1024, 1024), Image.Resampling.BILINEAR))
    expected = (resized / 255 - IMAGENET_MEAN) / IMAGENET_STD
    assert close(ours(name, image), expected, 0.01, 1)


def test_what_the_networks_answer_becomes_alpha() -> None:
    """InSPyReNet, MODNet and Paddle's answer alpha itself; BiRefNet's needs a sigmoid."""
    raw = np.linspace(-4, 4, 64, dtype=np.float32).reshape(1, 1, 8, 8)
    expected = np.array([1 / (1 + math.exp(-value)) for value in raw.ravel()]).reshape(8, 8)
    assert np.abs(answer("birefnet-matting", raw) - expected).max() < 1e-6
    done = expected.astype(np.float32)[np.newaxis, np.newaxis]
    for name in ("inspyrenet", "modnet", "pp-matting-512", "pp-mattingv2-512", "pp-humanmatting"):
        assert np.abs(answer(name, done) - expected).max() < 1e-6


def test_licences_against_commercial_use_are_known() -> None:
    restricted = {item.name for item in builtin.manifests() if not item.commercial_use}
    assert restricted == {"fba", "rmbg-1.4", "rmbg-2.0"}
