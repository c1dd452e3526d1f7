from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bshm_bridge.matting import metrics
from bshm_bridge.matting.metrics import connectivity_error, gradient_error, mad, mse, sad

from .pictures import disc

ALL = (sad, mse, mad, gradient_error, connectivity_error)


def row(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_differences_worked_by_hand() -> None:
    truth, matte = row(0, 0.5, 1, 1), row(0.2, 0.5, 0.6, 1)
    assert sad(matte, truth) == pytest.approx(0.6 / 1000)
    assert mad(matte, truth) == pytest.approx(0.6 / 4)
    assert mse(matte, truth) == pytest.approx((0.04 + 0.16) / 4)


def test_connectivity_worked_by_hand() -> None:
    # Both share all of the row up to level 0, three pixels up to 0.5, two up to 1. The truth
    # is 0.5 and 1 above that in the last two: connected to 0.5 and 0; the matte is everywhere.
    assert connectivity_error(row(1, 1, 0.5, 0), row(1, 1, 1, 1)) == pytest.approx(1.5 / 1000)


def test_connectivity_forgives_what_lies_within_the_slack() -> None:
    assert connectivity_error(row(1, 1, 0.9, 1), row(1, 1, 1, 1)) == 0


def test_a_speck_apart_from_the_subject_is_not_connected() -> None:
    truth = np.zeros((1, 9), np.float32)
    truth[0, :4] = 1
    matte = truth.copy()
    matte[0, 7] = 1
    assert connectivity_error(matte, truth) == pytest.approx(1 / 1000)


def test_gradient_of_a_step_worked_by_the_definition() -> None:
    step = np.zeros((40, 60), np.float32)
    step[:, 30:] = 1
    sigma, x = 1.4, np.arange(-4, 5)
    gauss = np.exp(-(x**2) / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)
    slope = -x * gauss / sigma**2
    norm = np.sqrt((np.outer(gauss, slope) ** 2).sum())
    # Across the step each column sees the part of the slope beyond it.
    across = [abs(slope[x >= d].sum()) * gauss.sum() / norm for d in range(-4, 5)]
    expected = 40 * sum(value**2 for value in across) / 1000
    assert gradient_error(step, np.zeros_like(step)) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("metric", ALL)
def test_a_matte_has_no_error_against_itself(metric: object) -> None:
    alpha = disc(40, 50, 15, 2)
    assert metric(alpha, alpha) == 0  # type: ignore[operator]


@pytest.mark.parametrize("metric", ALL)
def test_more_blur_is_more_error(metric: object) -> None:
    truth, near, far = disc(60, 80, 20), disc(60, 80, 20, 1), disc(60, 80, 20, 4)
    assert 0 < metric(near, truth) < metric(far, truth)  # type: ignore[operator]


@pytest.mark.parametrize("metric", ALL)
def test_only_pixels_of_the_mask_count(metric: object) -> None:
    truth = disc(60, 80, 20)
    matte = truth.copy()
    matte[:10, :10] = 0.5
    mask = np.ones(truth.shape, bool)
    assert metric(matte, truth, mask) == pytest.approx(metric(matte, truth))  # type: ignore[operator]
    mask[:20, :20] = False
    assert metric(matte, truth, mask) == pytest.approx(0, abs=1e-9)  # type: ignore[operator]


def test_an_empty_mask_has_no_error() -> None:
    alpha = disc(9, 9, 3)
    nothing = np.zeros(alpha.shape, bool)
    assert [metric(alpha, 1 - alpha, nothing) for metric in ALL] == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("metric", ALL)
def test_mattes_of_different_sizes_are_refused(metric: object) -> None:
    with pytest.raises(ValueError, match="one size"):
        metric(disc(9, 9, 3), disc(9, 8, 3))  # type: ignore[operator]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12))
def test_errors_are_symmetric_and_at_least_0(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.random((2, height, width), np.float32)
    for metric in ALL:
        assert metric(first, second) >= 0
        assert metric(first, second) == pytest.approx(metric(second, first), rel=1e-4, abs=1e-9)


def test_the_constants_are_those_of_the_benchmark() -> None:
    constants = metrics.GRADIENT_SIGMA, metrics.CONNECTIVITY_STEP, metrics.CONNECTIVITY_SLACK
    assert constants == (1.4, 0.1, 0.15)
