"""What models with a trimap or a memory are fed, against each published recipe, computed anew.

The recipes are named at each test.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bshm_bridge.engines.fitting import fit, network_size
from bshm_bridge.matting import trimap as trimaps
from bshm_bridge.models import builtin
from bshm_bridge.models.manifest import Manifest
from bshm_worker.tensors import alpha, extra_inputs, network_input

Feeds = dict[str, NDArray[np.float32]]
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406])
IMAGENET_STD = np.array([0.229, 0.224, 0.225])


def manifest(name: str) -> Manifest:
    return next(item for item in builtin.manifests() if item.name == name)


def fed(name: str, image: NDArray[np.uint8], trimap: NDArray[np.uint8] | None = None) -> Feeds:
    """Return everything that the network of a manifest gets for a picture."""
    model = manifest(name)
    size = network_size(image.shape[1], image.shape[0], model.input.size)
    small = fit(image, *size, model.input.resample)
    plain = model.to_dict()
    blocks: dict[str, Any] = {}
    if trimap is not None:
        blocks["trimap"] = trimaps.resized(trimap, size)
        blocks["distances"] = trimaps.distances(blocks["trimap"])
    main = network_input(small, plain["input"], np.float32, blocks.get("trimap"))
    extra = extra_inputs(plain["extra_inputs"], plain["input"], small, blocks)
    return {model.input.tensor: main, **extra}


def noise(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(4).integers(0, 256, (height, width, 3), np.uint8)


def painted(width: int, height: int) -> NDArray[np.uint8]:
    """A trimap with all three kinds of pixels, not symmetric."""
    trimap = np.full((height, width), 128, np.uint8)
    trimap[: height // 3, : width // 2] = 0
    trimap[height // 2 :, width // 3 : width // 2] = 255
    return trimap


@pytest.mark.parametrize("size", [(301, 197), (64, 96), (151, 333)])
@pytest.mark.parametrize("name", ["vitmatte-small", "vitmatte-base"])
def test_vitmatte(name: str, size: tuple[int, int]) -> None:
    """VitMatteImageProcessor.preprocess: rescale, normalise, append the trimap, pad to 32."""
    image, trimap = noise(*size), painted(*size)
    colours = (image / 255 - 0.5) / 0.5
    four = np.concatenate([colours, (trimap / 255)[..., None]], axis=2)
    height, width = four.shape[:2]
    expected = np.zeros((-(-height // 32) * 32, -(-width // 32) * 32, 4))
    expected[:height, :width] = four
    feeds = fed(name, image, trimap)
    assert list(feeds) == ["pixel_values"]
    found = feeds["pixel_values"]
    assert found.shape == (1, 4, *expected.shape[:2])
    # 128 / 255 there, ½ here.
    assert np.abs(found[0].transpose(1, 2, 0) - expected).max() < 0.5 / 255 + 1e-6


def fba_clicks(trimap: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the six planes of trimap_transform in FBA_Matting's networks/transforms.py."""
    planes = []
    for channel in range(2):
        known = np.argwhere(trimap[..., channel] == 1)
        y, x = np.mgrid[: trimap.shape[0], : trimap.shape[1]]
        for scale in (0.02, 0.08, 0.16):
            if len(known):
                squares = (
                    (y[..., None] - known[:, 0]) ** 2 + (x[..., None] - known[:, 1]) ** 2
                ).min(axis=2)
                planes.append(np.exp(-squares / (2 * (scale * 320) ** 2)))
            else:
                planes.append(np.zeros(trimap.shape[:2]))
    return np.stack(planes, axis=2)


@pytest.mark.parametrize("size", [(48, 40), (64, 24)])
@pytest.mark.parametrize("subject_is_known", [True, False])
def test_fba(size: tuple[int, int], subject_is_known: bool) -> None:
    """pred in FBA_Matting's demo.py, at sides that are multiples of 8."""
    image, trimap = noise(*size), painted(*size)
    if not subject_is_known:
        trimap[trimap == 255] = 128
    two = np.stack([trimap == 0, trimap == 255], axis=2).astype(np.float64)
    expected = {
        "image": image / 255,
        "two_chan_trimap": two,
        "image_n": (image / 255 - IMAGENET_MEAN) / IMAGENET_STD,
        "trimap_transformed": fba_clicks(two),
    }
    feeds = fed("fba", image, trimap)
    assert list(feeds) == list(expected)
    for name, value in expected.items():
        found = feeds[name]
        assert found.dtype == np.float32
        assert found.shape == (1, *value.transpose(2, 0, 1).shape)
        # OpenCV's precise distances are good to about a thousandth of a pixel.
        assert np.abs(found[0].transpose(1, 2, 0) - value).max() < 1e-3, name


@pytest.mark.parametrize("size", [(301, 197), (64, 33), (1000, 1)])
def test_fba_takes_sides_up_to_multiples_of_8(size: tuple[int, int]) -> None:
    """scale_input in FBA_Matting's demo.py, with its scale of 1."""
    width, height = (int(np.ceil(1.0 * side / 8) * 8) for side in size)
    image = noise(*size)
    expected = cv2.resize(image, (width, height), interpolation=cv2.INTER_LANCZOS4) / 255
    found = fed("fba", image, painted(*size))["image"][0].transpose(1, 2, 0)
    assert found.shape == (height, width, 3)
    assert np.abs(found - expected).max() < 1e-6


def test_the_first_of_fbas_seven_planes_is_alpha() -> None:
    """pred in FBA_Matting's demo.py: alpha, then foreground, then background."""
    answer = np.random.default_rng(0).uniform(0, 1, (1, 7, 8, 16)).astype(np.float32)
    model = manifest("fba")
    found = alpha(answer, model.input.layout, model.to_dict()["output"])
    np.testing.assert_array_equal(found, answer[0, 0])


@pytest.mark.parametrize("size", [(1280, 720), (300, 500), (1080, 1920)])
@pytest.mark.parametrize("name", ["rvm-mobilenetv3", "rvm-resnet50"])
def test_robust_video_matting(name: str, size: tuple[int, int]) -> None:
    """The ONNX part of documentation/inference.md, and auto_downsample_ratio in inference.py."""
    image = noise(*size)
    feeds = fed(name, image)
    assert list(feeds) == ["src", "downsample_ratio"]
    assert np.abs(feeds["src"][0].transpose(1, 2, 0) - image / 255).max() < 1e-6
    np.testing.assert_allclose(feeds["downsample_ratio"], [min(512 / max(size), 1)], rtol=1e-6)
    assert feeds["downsample_ratio"].dtype == np.float32
    pairs = [(pair.input, pair.output) for pair in manifest(name).states]
    assert pairs == [(f"r{n}i", f"r{n}o") for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("size", [(1280, 720), (200, 120)])
def test_video_human_matting(size: tuple[int, int]) -> None:
    """ModelScope's video_human_matting pipeline: frames stay BGR, and the ratio has no bound."""
    image = noise(*size)
    feeds = fed("video-human-matting", image)
    bgr = image[..., ::-1].astype(np.float32) / 255
    assert np.abs(feeds["src"][0].transpose(1, 2, 0) - bgr).max() < 1e-6
    np.testing.assert_allclose(feeds["downsample_ratio"], [512 / max(size)], rtol=1e-6)
    assert len(manifest("video-human-matting").states) == 4
