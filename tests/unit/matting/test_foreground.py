from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bshm_bridge.errors import JobCancelled
from bshm_bridge.matting.foreground import foreground

from .pictures import disc, strands

F32 = NDArray[np.float32]


def composite(alpha: F32) -> tuple[F32, F32]:
    """A red subject that darkens to the right, on green: the picture and the subject alone."""
    height, width = alpha.shape
    ramp = np.linspace(1, 0.6, width, dtype=np.float32)[None, :, None]
    subject = np.broadcast_to(np.array([0.8, 0.2, 0.1], np.float32) * ramp, (height, width, 3))
    ground = np.array([0.1, 0.7, 0.2], np.float32)
    image = ground + alpha[..., None] * (subject - ground)
    return image.astype(np.float32), subject


@pytest.mark.parametrize("soft", [1.0, 6.0])
def test_the_old_background_leaves_the_edge(soft: float) -> None:
    alpha = disc(200, 300, 70, soft)
    image, subject = composite(alpha)
    band = (alpha > 0.05) & (alpha < 0.95)
    found = foreground(image, alpha)
    assert np.abs(found - subject)[band].mean() < 0.02
    assert np.abs(found - subject)[band].mean() < 0.1 * np.abs(image - subject)[band].mean()


def test_thin_strands_get_their_colour_without_any_opaque_pixel_near() -> None:
    _layer, alpha, _ = strands()
    faint = 0.6 * alpha
    dark = np.array([0.15, 0.1, 0.1], np.float32)
    light = np.array([0.9, 0.8, 0.6], np.float32)
    image = light + faint[..., None] * (dark - light)
    band = faint > 0.3
    found = foreground(image, faint)
    assert np.abs(found - dark)[band].mean() < 0.5 * np.abs(image - dark)[band].mean()


def test_pixels_outside_the_band_are_the_image() -> None:
    alpha = disc(150, 220, 50, 2)
    alpha[alpha < 0.01], alpha[alpha > 0.99] = 0, 1
    layer = np.random.default_rng(0).integers(0, 65535, (150, 220, 3), np.uint16)
    found = foreground(layer, alpha)
    hard = (alpha == 0) | (alpha == 1)
    np.testing.assert_array_equal(found[hard], layer[hard])


@pytest.mark.parametrize("level", [0, 100, 255])
def test_flat_alphas(level: int) -> None:
    layer = np.full((40, 60, 3), (30, 90, 200), np.uint8)
    found = foreground(layer, np.full((40, 60), level, np.uint8))
    np.testing.assert_allclose(found, layer, atol=1)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from([np.uint8, np.uint16, np.float16, np.float32]),
    st.sampled_from([np.uint8, np.uint16, np.float32]),
    st.integers(0, 2**32 - 1),
)
def test_any_size_and_depth_keeps_type_and_inputs(
    height: int, width: int, dtype: Any, of_alpha: Any, seed: int
) -> None:
    rng = np.random.default_rng(seed)

    def values(shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
        top = 1 if np.dtype(kind).kind == "f" else np.iinfo(kind).max
        return (rng.random(shape) * top).astype(kind)

    layer, alpha = values((height, width, 3), dtype), values((height, width), of_alpha)
    copies = layer.copy(), alpha.copy()
    found = foreground(layer, alpha)
    assert found.shape == layer.shape and found.dtype == dtype
    assert np.isfinite(found.astype(np.float32)).all()
    np.testing.assert_array_equal(layer, copies[0])
    np.testing.assert_array_equal(alpha, copies[1])


def test_wild_values_of_a_float_layer_do_no_harm_around_them() -> None:
    alpha = disc(150, 220, 50, 4)
    image, subject = composite(alpha)
    wild = image.copy()
    wild[60:64, 60:64] = np.nan
    wild[90, 100] = 40
    found = foreground(wild, alpha)
    band = (alpha > 0.2) & (alpha < 0.95)
    assert np.isfinite(found[band]).all()
    assert np.abs(found - subject)[band].mean() < 0.03
    assert found[band].max() <= 1


def test_the_result_does_not_depend_on_the_tiling(monkeypatch: pytest.MonkeyPatch) -> None:
    alpha = disc(300, 420, 120, 8)
    image, _ = composite(alpha)
    usual = foreground(image, alpha)
    monkeypatch.setattr("bshm_bridge.matting.foreground._TILE", 64)
    assert np.abs(foreground(image, alpha) - usual).max() < 0.02


@pytest.mark.parametrize("shape", [(8, 8, 4), (8, 8), (8, 9, 3)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        foreground(np.zeros(shape, np.uint8), np.zeros((8, 8), np.uint8))


def test_a_cancelled_estimate_stops() -> None:
    def check() -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        foreground(np.zeros((50, 50, 3), np.uint8), np.full((50, 50), 99, np.uint8), check=check)
