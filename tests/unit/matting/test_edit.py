from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bshm_bridge.matting.edit import EditOptions, edit

from .pictures import disc


def test_no_options_change_nothing() -> None:
    alpha = disc(60, 60, 20, 2)
    assert edit(alpha, 4, EditOptions()) is alpha


@pytest.mark.parametrize("shift", [-6.0, -2.5, -0.4, 0.4, 2.5, 6.0, 15.0])
def test_the_edge_moves_by_as_many_pixels(shift: float) -> None:
    moved = edit(disc(200, 200, 50, 1), 1, EditOptions(edge_shift=shift))
    radius = np.sqrt(moved.sum(dtype=np.float64) / np.pi)
    assert radius == pytest.approx(50 + shift, abs=0.15 * abs(shift) + 0.1)


def test_sizes_are_pixels_of_the_layer() -> None:
    alpha = disc(120, 120, 30, 1)
    alpha[5:8, 5:8] = 1
    on_layer = EditOptions(edge_shift=8, feather=4, fill_holes=160, remove_specks=160)
    on_alpha = EditOptions(edge_shift=2, feather=1, fill_holes=10, remove_specks=10)
    np.testing.assert_allclose(edit(alpha, 4, on_layer), edit(alpha, 1, on_alpha), atol=1e-6)


@pytest.mark.parametrize("sigma", [0.7, 3.0, 12.0, 40.0])
def test_feather_is_a_gaussian_blur(sigma: float) -> None:
    alpha = disc(300, 340, 90)
    expected = cv2.GaussianBlur(alpha, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(edit(alpha, 1, EditOptions(feather=sigma)), expected, atol=0.012)


def test_specks_up_to_the_size_go_and_larger_ones_stay() -> None:
    alpha = disc(200, 200, 40)
    alpha[10:14, 10:14] = 1
    alpha[170:180, 170:180] = 0.6
    cleaned = edit(alpha, 1, EditOptions(remove_specks=16))
    assert cleaned[8:16, 8:16].max() == 0
    np.testing.assert_array_equal(cleaned[20:], alpha[20:])


def test_the_soft_rim_of_a_speck_goes_with_it() -> None:
    alpha = np.zeros((80, 80), np.float32)
    alpha[30:34, 30:34] = 1
    alpha = cv2.GaussianBlur(alpha, (0, 0), 1)
    assert edit(alpha, 1, EditOptions(remove_specks=200)).max() < 0.02


def test_haze_does_not_make_a_speck_part_of_the_subject() -> None:
    alpha = np.maximum(disc(200, 200, 40), 0.03).astype(np.float32)
    alpha[10:14, 10:14] = 1
    assert edit(alpha, 1, EditOptions(remove_specks=50))[11, 11] < 0.1


def test_holes_up_to_the_size_are_filled_and_larger_ones_stay() -> None:
    alpha = disc(200, 200, 80)
    alpha[100:104, 100:104] = 0
    alpha[60:80, 90:110] = 0.2
    filled = edit(alpha, 1, EditOptions(fill_holes=16))
    assert filled[98:106, 98:106].min() == 1
    np.testing.assert_array_equal(filled[:95], alpha[:95])


def test_background_at_the_edge_of_the_picture_is_no_hole() -> None:
    alpha = np.ones((50, 50), np.float32)
    alpha[:3, :3] = 0
    np.testing.assert_array_equal(edit(alpha, 1, EditOptions(fill_holes=100)), alpha)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.floats(-9, 9),
    st.floats(0, 20),
    st.integers(0, 500),
    st.floats(0.3, 9),
)
def test_any_edit_stays_within_0_and_1_and_leaves_its_input(
    height: int, width: int, shift: float, feather: float, size: int, scale: float
) -> None:
    alpha = np.random.default_rng(height * 41 + width).random((height, width), np.float32)
    before = alpha.copy()
    edited = edit(alpha, scale, EditOptions(shift, feather, size, size))
    assert edited.shape == alpha.shape and edited.dtype == np.float32
    assert edited.min() >= 0 and edited.max() <= 1 + 1e-5
    np.testing.assert_array_equal(alpha, before)


@given(st.floats(0.01, 5), st.integers(0, 3))
def test_growing_never_lowers_and_shrinking_never_raises(shift: float, seed: int) -> None:
    alpha = np.random.default_rng(seed).random((20, 30), np.float32)
    assert (edit(alpha, 1, EditOptions(edge_shift=shift)) >= alpha - 1e-6).all()
    assert (edit(alpha, 1, EditOptions(edge_shift=-shift)) <= alpha + 1e-6).all()


def test_the_two_parts_of_the_options_are_the_whole() -> None:
    options = EditOptions(1.5, 2.5, 3, 4)
    assert options.of_shape == EditOptions(fill_holes=3, remove_specks=4)
    assert options.of_edge == EditOptions(edge_shift=1.5, feather=2.5)


@pytest.mark.parametrize(
    "values", [(float("nan"), 0, 0, 0), (0, -1, 0, 0), (0, float("inf"), 0, 0), (0, 0, -1, 0)]
)
def test_senseless_options_are_refused(values: tuple[float, float, int, int]) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        EditOptions(*values)


def test_a_scale_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="scale"):
        edit(disc(9, 9, 3), 0, EditOptions(feather=1))
