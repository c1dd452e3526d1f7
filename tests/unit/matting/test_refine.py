from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bshm_bridge.errors import JobCancelled, Unavailable
from bshm_bridge.matting import metrics
from bshm_bridge.matting.fit import area_average, fit_size
from bshm_bridge.matting.refine import Depth, Mode, refine

from .pictures import disc, strands

F32 = NDArray[np.float32]


def unit(matte: NDArray[Any]) -> F32:
    return matte.astype(np.float32) / np.float32(np.iinfo(matte.dtype).max)


def soft_cells(alpha: F32, grow: int) -> NDArray[np.bool_]:
    soft = ((alpha > 0.01) & (alpha < 0.99)).astype(np.uint8)
    grown = cv2.dilate(soft, np.ones((2 * grow + 1,) * 2, np.uint8))
    return np.asarray(grown.reshape(alpha.shape) > 0)


def test_fast_is_the_cubic_enlargement() -> None:
    layer, _, small = strands()
    levels = np.round(small * 255).astype(np.uint8)
    expected = cv2.resize(levels, layer.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    np.testing.assert_array_equal(refine(levels, layer, mode="fast"), expected)


def test_best_finds_strands_that_cubic_blurs() -> None:
    layer, alpha, small = strands()
    cubic, best = (unit(refine(small, layer, mode=mode)) for mode in ("fast", "best"))
    assert metrics.mad(best, alpha) < 0.25 * metrics.mad(cubic, alpha)
    assert metrics.gradient_error(best, alpha) < 0.1 * metrics.gradient_error(cubic, alpha)


def test_best_takes_no_texture_of_the_background_for_alpha() -> None:
    rng = np.random.default_rng(0)
    alpha = disc(240, 320, 80, soft=20)
    ground = cv2.GaussianBlur(rng.random((240, 320), np.float32), (0, 0), 1.2)
    ground = (ground - ground.mean()) / ground.std() * 0.12 + 0.5
    image = np.repeat((ground + alpha * (0.6 - ground))[..., None], 3, axis=2)
    layer = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    small = area_average(alpha, (80, 60))
    cubic, best = (unit(refine(small, layer, mode=mode, depth="u16")) for mode in ("fast", "best"))
    assert metrics.mad(best, alpha) <= 1.02 * metrics.mad(cubic, alpha)


def test_nothing_changes_away_from_the_soft_band() -> None:
    layer = np.random.default_rng(1).integers(0, 255, (400, 600, 3), np.uint8)
    small = disc(100, 150, 30)
    fast, best = refine(small, layer, mode="fast"), refine(small, layer)
    near = np.kron(soft_cells(small, 2), np.ones((4, 4))) > 0
    np.testing.assert_array_equal(best[~near], fast[~near])
    assert (best != fast).any()


def test_area_means_are_the_networks_alpha() -> None:
    layer, _, small = strands()
    back = area_average(unit(refine(small, layer, depth="u16")), small.shape[::-1])
    assert np.abs(back - small)[soft_cells(small, 1)].mean() < 1 / 255


@pytest.mark.parametrize("ratio", [1.3, 2.0, 3.65, 7.1])
def test_area_means_hold_at_ratios_that_are_not_whole(ratio: float) -> None:
    layer, alpha, _ = strands(230, 310)
    size = round(310 / ratio), round(230 / ratio)
    small = area_average(alpha, size)
    back = area_average(unit(refine(small, layer, depth="u16")), size)
    assert np.abs(back - small)[soft_cells(small, 1)].mean() < 2 / 255


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("mode", ["fast", "best"])
def test_a_flat_alpha_stays_flat(level: float, mode: Mode) -> None:
    layer = np.random.default_rng(2).integers(0, 255, (90, 130, 3), np.uint8)
    matte = refine(np.full((20, 30), level, np.float32), layer, mode=mode)
    np.testing.assert_allclose(matte, level * 255, atol=1)


def test_an_alpha_without_a_band_is_the_same_in_both_modes() -> None:
    layer = np.random.default_rng(2).integers(0, 255, (80, 120, 3), np.uint8)
    small = np.zeros((20, 30), np.float32)
    small[5:15, 5:20] = 1
    np.testing.assert_array_equal(refine(small, layer), refine(small, layer, mode="fast"))


def test_a_band_over_the_whole_picture() -> None:
    layer, alpha, _ = strands()
    veil: F32 = (0.3 + 0.4 * alpha).astype(np.float32)
    small = area_average(veil, (80, 60))
    cubic, best = (unit(refine(small, layer, mode=mode)) for mode in ("fast", "best"))
    assert metrics.mad(best, veil) < 0.3 * metrics.mad(cubic, veil)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 70),
    st.integers(1, 70),
    st.integers(1, 40),
    st.sampled_from([np.uint8, np.uint16, np.float16, np.float32]),
    st.sampled_from(["u8", "u16"]),
    st.integers(0, 2**32 - 1),
)
def test_any_size_and_depth_gives_a_matte_of_the_layers_size_and_leaves_the_inputs(
    height: int, width: int, long_side: int, dtype: Any, depth: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    top = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    layer = (rng.random((height, width, 3)) * top).astype(dtype)
    w, h = fit_size(width, height, long_side)
    small = rng.random((h, w)).astype(np.float32)
    copies = layer.copy(), small.copy()
    matte = refine(small, layer, depth=cast(Depth, depth))
    assert matte.shape == (height, width)
    assert matte.dtype == (np.uint8 if depth == "u8" else np.uint16)
    np.testing.assert_array_equal(layer, copies[0])
    np.testing.assert_array_equal(small, copies[1])


@settings(deadline=None, max_examples=20)
@given(st.integers(60, 160), st.integers(60, 160), st.integers(20, 30), st.integers(0, 2**32 - 1))
def test_area_means_hold_whatever_the_layer_shows(
    height: int, width: int, long_side: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    layer = rng.integers(0, 255, (height, width, 3), np.uint8)
    w, h = fit_size(width, height, long_side)
    noise = cv2.GaussianBlur(rng.standard_normal((h, w)).astype(np.float32), (0, 0), 1)
    small = np.clip(0.5 + 1.5 * noise.reshape(h, w), 0, 1)
    back = area_average(unit(refine(small, layer, depth="u16")), (w, h))
    assert np.abs(back - small).mean() < 2 / 255


@pytest.mark.parametrize("shape", [(1, 400), (400, 1), (1, 1), (2, 500)])
def test_layers_of_one_row_or_column(shape: tuple[int, int]) -> None:
    w, h = fit_size(shape[1], shape[0], 100)
    ramp = np.linspace(0, 1, h * w, dtype=np.float32).reshape(h, w)
    layer = np.full((*shape, 3), 90, np.uint8)
    assert refine(ramp, layer).shape == shape


def test_depths_of_the_layer_agree() -> None:
    layer, _, small = strands()
    of_u8 = refine(small, layer, depth="u16").astype(int)
    of_u16 = refine(small, layer.astype(np.uint16) * 257, depth="u16").astype(int)
    of_f32 = refine(small, layer.astype(np.float32) / 255, depth="u16").astype(int)
    # The layer's small version is rounded to the layer's own depth.
    assert np.abs(of_u8 - of_u16).mean() < 65535 * 0.004
    assert np.abs(of_f32 - of_u16).mean() < 65535 * 0.0005


def test_depths_of_the_result_agree() -> None:
    layer, _, small = strands()
    small = np.round(small * 255).astype(np.float32) / np.float32(255)
    fine, coarse = refine(small, layer, depth="u16"), refine(small, layer)
    assert np.abs(unit(fine) - unit(coarse)).mean() < 0.002


def test_integer_alpha_spans_its_range() -> None:
    layer, _, small = strands()
    levels = np.round(small * 255).astype(np.uint8)
    np.testing.assert_array_equal(
        refine(levels, layer), refine(levels.astype(np.float32) / 255, layer)
    )


def test_values_of_a_float_layer_outside_0_to_1_are_clipped() -> None:
    layer, _, small = strands()
    wild = layer.astype(np.float32) / 255 * 3 - 1
    wild[10:20, 10:20] = np.nan
    wild[40, 50], wild[41, 50] = np.inf, -np.inf
    tame = np.clip(np.nan_to_num(wild, nan=0, posinf=1, neginf=0), 0, 1)
    wild_matte, tame_matte = refine(small, wild), refine(small, tame)
    assert np.abs(unit(wild_matte) - unit(tame_matte)).max() < 0.02


def test_values_of_alpha_outside_0_to_1_are_clipped() -> None:
    layer, _, small = strands()
    wild = small * 4 - 1.5
    np.testing.assert_array_equal(refine(wild, layer), refine(np.clip(wild, 0, 1), layer))


def test_an_alpha_that_is_not_a_number_is_an_error_with_a_way_out() -> None:
    layer, _, small = strands()
    small[3, 3] = np.nan
    with pytest.raises(Unavailable, match="Try another model") as caught:
        refine(small, layer)
    assert caught.value.reason == "bad-matte"


@pytest.mark.parametrize("mode", ["fast", "best"])
def test_an_alpha_of_the_layers_size_is_returned_as_it_is(mode: Mode) -> None:
    layer, alpha, _ = strands()
    levels = np.round(alpha * 255).astype(np.uint8)
    np.testing.assert_array_equal(refine(levels, layer, mode=mode), levels)


def test_an_alpha_larger_than_the_layer_is_averaged() -> None:
    layer, alpha, _ = strands()
    matte = refine(alpha, layer[:60, :80])
    np.testing.assert_allclose(unit(matte), area_average(alpha, (80, 60)), atol=0.005)


@pytest.mark.parametrize(
    ("alpha", "layer"),
    [((4, 4, 1), (8, 8, 3)), ((4, 4), (8, 8)), ((4, 4), (8, 8, 4)), ((0, 4), (8, 8, 3))],
)
def test_wrong_shapes_are_refused(alpha: tuple[int, ...], layer: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        refine(np.zeros(alpha, np.float32), np.zeros(layer, np.uint8))


def test_unknown_options_are_refused() -> None:
    layer, _, small = strands()
    with pytest.raises(ValueError, match="unknown mode"):
        refine(small, layer, mode=cast(Mode, "finest"))
    with pytest.raises(ValueError, match="depth"):
        refine(small, layer, depth=cast(Depth, "f64"))


def test_a_cancelled_refinement_stops() -> None:
    layer, _, small = strands(800, 1200)
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        refine(small, layer, check=check)
    assert calls == 3


def test_the_result_does_not_depend_on_the_tiling(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, _, small = strands(300, 460)
    usual = refine(small, layer, depth="u16").astype(int)
    monkeypatch.setattr("bshm_bridge.matting.band._TILE", 50)
    monkeypatch.setattr("bshm_bridge.matting.band._STRIP", 11)
    assert np.abs(refine(small, layer, depth="u16").astype(int) - usual).max() <= 3


def test_a_view_of_a_larger_layer_serves_as_guide() -> None:
    layer, _, small = strands()
    rgba = np.dstack([layer, np.full(layer.shape[:2], 255, np.uint8)])
    np.testing.assert_array_equal(refine(small, rgba[..., :3]), refine(small, layer))
