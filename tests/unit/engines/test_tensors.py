from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bshm_worker.failures import Failure
from bshm_worker.tensors import alpha, network_input

IMAGE = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 10


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("HWC", IMAGE),
        ("NHWC", IMAGE[None]),
        ("NCHW", IMAGE.transpose(2, 0, 1)[None]),
    ],
)
def test_layouts(layout: str, expected: np.ndarray[Any, Any]) -> None:
    tensor = network_input(IMAGE, {"layout": layout}, np.float32)
    assert tensor.dtype == np.float32 and tensor.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(tensor, expected)


def test_mean_and_std_are_in_the_order_of_the_channels() -> None:
    spec = {"layout": "HWC", "channels": "BGR", "scale": 0.5, "mean": [1, 2, 3], "std": [2, 4, 8]}
    tensor = network_input(IMAGE, spec, np.float64)
    np.testing.assert_allclose(tensor, (IMAGE[..., ::-1] * 0.5 - [1, 2, 3]) / [2, 4, 8])


def test_division_by_the_largest_value_and_a_black_image() -> None:
    spec = {"layout": "HWC", "divide_by_max": True}
    np.testing.assert_allclose(network_input(IMAGE, spec, np.float32), IMAGE / 170, rtol=1e-6)
    assert not network_input(IMAGE * 0, spec, np.float32).any()


def test_integer_inputs_get_the_pixels_themselves() -> None:
    assert network_input(IMAGE, {"layout": "HWC"}, np.uint8).dtype == np.uint8


VALUES = np.array([[0.0, 51.0], [102.0, 255.0]], np.float32)
OTHER = np.full((2, 2), 7.0, np.float32)


@pytest.mark.parametrize(
    ("output", "layout", "channel"),
    [
        (VALUES, "HWC", 0),
        (VALUES[None], "NCHW", 0),
        (VALUES[None, None], "NCHW", 0),
        (VALUES[None, ..., None], "NHWC", 0),
        (np.stack([OTHER, OTHER, OTHER, VALUES], -1), "HWC", 3),
        (np.stack([OTHER, VALUES])[None], "NCHW", 1),
        (np.stack([OTHER, VALUES], -1)[None], "NHWC", -1),
        (VALUES[None], "NHWC", 5),
    ],
)
def test_the_alpha_plane_is_found(output: np.ndarray[Any, Any], layout: str, channel: int) -> None:
    plane = alpha(output, layout, {"channel": channel, "range": [0, 255]})
    np.testing.assert_allclose(plane, VALUES / 255, rtol=1e-6)
    assert plane.dtype == np.float32


def test_an_output_without_that_channel_is_a_wrong_graph() -> None:
    with pytest.raises(Failure) as caught:
        alpha(np.zeros((1, 2, 2, 3)), "NHWC", {"channel": 3})
    assert caught.value.reason == "wrong-graph"


def test_activations() -> None:
    logits = np.array([[-1000.0, 0.0], [1.0, 1000.0]], np.float32)
    np.testing.assert_allclose(
        alpha(logits, "HWC", {"activation": "sigmoid"}), [[0, 0.5], [0.7310586, 1]], atol=1e-6
    )
    np.testing.assert_allclose(
        alpha(VALUES + 5, "HWC", {"activation": "minmax"}), VALUES / 255, rtol=1e-6
    )
    assert not alpha(OTHER, "HWC", {"activation": "minmax"}).any()


def test_reversed_ranges_and_values_outside_are_clipped() -> None:
    values = np.array([[1.5, -0.5, 0.25]], np.float32)
    np.testing.assert_allclose(alpha(values, "HWC", {}), [[1, 0, 0.25]])
    np.testing.assert_allclose(alpha(values, "HWC", {"range": [1, 0]}), [[0, 1, 0.75]])


def test_numbers_that_are_not_finite_are_a_failure() -> None:
    with pytest.raises(Failure) as caught:
        alpha(np.array([[np.nan]]), "HWC", {})
    assert caught.value.reason == "bad-output"
