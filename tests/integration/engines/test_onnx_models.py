"""Manifests of other families of networks do what their recipes say."""

from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bshm_bridge.engines.base import Cancellation, EngineInput
from bshm_bridge.models import manifest

from .conftest import Load, ignore_progress, install

MAKE = Path(__file__).parents[2] / "standins" / "make_onnx.py"

FIXED = """
name = "fixed"
engines = ["onnx"]
file = "fixed.onnx"
[input]
layout = "NCHW"
divide_by_max = true
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
size = { rule = "fixed", width = 32, height = 24 }
[output]
activation = "sigmoid"
"""
FREE = """
name = "free"
engines = ["onnx"]
file = "free.onnx"
[input]
tensor = "image"
layout = "NCHW"
channels = "BGR"
scale = 0.00784313725490196
mean = [1.0, 1.0, 1.0]
size = { rule = "short-side", pixels = 64, multiple_of = 32 }
[output]
tensor = "matte"
"""


def make_models(folder: Path, *kinds: str) -> None:
    """Write stand-ins with the onnx package of the engine tf2's environment."""
    python = install("tf2").get("tf2").python
    for kind in kinds:
        subprocess.run([python, MAKE, kind, folder / f"{kind}.onnx"], check=True)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    make_models(folder, "fixed", "free")
    return folder


def infer(load: Load, models: Path, text: str, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    model = manifest.parse(text)
    session = load("onnx", models / model.file, model=model)
    return session.infer(EngineInput(image), Cancellation(), ignore_progress)


def test_a_network_of_fixed_size_with_imagenet_statistics(
    models: Path, load: Load, picture: NDArray[np.uint8]
) -> None:
    alpha = infer(load, models, FIXED, picture)
    small = cv2.resize(picture, (32, 24), interpolation=cv2.INTER_AREA)
    x = (small / small.max() - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    expected = 1 / (1 + np.exp(-(x @ [4, 2, -1])))
    assert expected.std() > 0.1
    np.testing.assert_allclose(alpha, expected, atol=1e-5)


def test_a_network_of_free_size_with_bgr_from_minus_one_to_one(
    models: Path, load: Load, picture: NDArray[np.uint8]
) -> None:
    alpha = infer(load, models, FREE, picture)
    assert alpha.shape == (64, 96)
    small = cv2.resize(picture, (96, 64), interpolation=cv2.INTER_AREA)
    expected = (small[..., ::-1] / 127.5 - 1) @ np.array([1, 2, 3]) / 12 + 0.5
    np.testing.assert_allclose(alpha, np.clip(expected, 0, 1), atol=1e-5)


def test_a_single_pixel_is_a_picture_too(models: Path, load: Load) -> None:
    pixel = np.full((1, 1, 3), 255, np.uint8)
    assert infer(load, models, FREE, pixel).shape == (64, 64)
