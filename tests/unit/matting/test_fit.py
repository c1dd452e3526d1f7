from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bshm_bridge.matting.fit import area_average, fit, fit_size

sides = st.integers(1, 100_000)


@given(sides, sides, st.integers(1, 4096))
def test_a_fitted_size_keeps_aspect_and_never_grows(width: int, height: int, limit: int) -> None:
    w, h = fit_size(width, height, limit)
    assert 1 <= w <= min(width, limit)
    assert 1 <= h <= min(height, limit)
    if max(width, height) > limit:
        assert max(w, h) == limit
        ratio = limit / max(width, height)
        assert abs(w - width * ratio) <= max(0.5, 1 - width * ratio)
        assert abs(h - height * ratio) <= max(0.5, 1 - height * ratio)


@pytest.mark.parametrize("sizes", [(0, 4, 8), (4, 0, 8), (4, 4, 0)])
def test_sizes_below_one_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        fit_size(*sizes)


def test_an_image_that_is_small_enough_is_returned_as_it_is() -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    assert fit(image, 6) is image


def test_every_pixel_is_the_mean_of_its_area() -> None:
    image = np.arange(8 * 12, dtype=np.float32).reshape(8, 12)
    means = image.reshape(2, 4, 3, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(fit(image, 3), means, rtol=1e-6)


def test_a_strand_thinner_than_a_pixel_keeps_its_weight() -> None:
    image = np.zeros((400, 600), np.float32)
    image[:, 301] = 1
    assert fit(image, 150).mean() == pytest.approx(image.mean(), rel=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32])
@pytest.mark.parametrize("shape", [(1, 5000, 3), (5000, 1, 3), (30, 40, 1), (30, 40)])
def test_any_shape_and_depth(shape: tuple[int, ...], dtype: Any) -> None:
    image = np.ones(shape, dtype)
    small = fit(image, 20)
    assert small.dtype == dtype
    assert small.shape[2:] == shape[2:]
    assert max(small.shape[:2]) == 20
    assert (small == 1).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_averaging_stays_within_the_values_and_leaves_the_input(
    height: int, width: int, limit: int
) -> None:
    image = np.random.default_rng(height * 41 + width).integers(0, 255, (height, width), np.uint8)
    before = image.copy()
    small = fit(image, limit)
    assert image.min() <= small.min() and small.max() <= image.max()
    np.testing.assert_array_equal(image, before)


def test_area_average_to_a_size_of_another_aspect() -> None:
    assert area_average(np.zeros((9, 12, 3), np.uint8), (5, 2)).shape == (2, 5, 3)
