from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bshm_bridge.matting.trimap import (
    UNKNOWN,
    distances,
    from_alpha,
    from_selection,
    levels,
    merged,
    resized,
)


def edge(width: int = 200, height: int = 100, at: int = 80, soft: int = 10) -> np.ndarray:
    """Return alpha that goes from 0 to 1 within `soft` pixels around a column."""
    x = np.arange(width, dtype=np.float32)
    row = np.clip((x - at) / soft + 0.5, 0, 1)
    return np.repeat(row[None], height, axis=0)


def test_the_band_of_a_matte_lies_around_its_edge() -> None:
    alpha = edge()
    trimap = from_alpha(alpha, band=0.02)
    unknown = np.flatnonzero(trimap[50] == UNKNOWN)
    # Soft from 75 to 85, and 2 % of 200 pixels more on both sides.
    assert abs(int(unknown[0]) - (75 - 4)) <= 1
    assert abs(int(unknown[-1]) - (85 + 4)) <= 1
    assert set(trimap[50, : unknown[0]]) == {0}
    assert set(trimap[50, unknown[-1] + 1 :]) == {255}


def test_the_band_follows_the_matte_to_where_it_is() -> None:
    for at in (40, 120):
        trimap = from_alpha(edge(at=at))
        unknown = np.flatnonzero(trimap[0] == UNKNOWN)
        assert abs(unknown.mean() - at) < 1


def test_a_flat_matte_leaves_nothing_unknown() -> None:
    for value in (0.0, 1.0):
        flat = np.full((20, 30), value, np.float32)
        assert set(np.unique(from_alpha(flat))) == {int(255 * value)}


def test_a_matte_without_a_sure_pixel_is_unknown_all_over() -> None:
    assert (from_alpha(np.full((20, 30), 0.5, np.float32)) == UNKNOWN).all()


def test_a_selections_band_is_wider_where_it_is_feathered() -> None:
    hard = (edge(soft=1) > 0.5).astype(np.uint8) * 255
    soft = (edge(soft=40) * 255).astype(np.uint8)
    widths = [np.count_nonzero(from_selection(it)[0] == UNKNOWN) for it in (hard, soft)]
    assert 8 <= widths[0] <= 16  # 3 % of 200 pixels on both sides
    assert widths[1] >= widths[0] + 30


def test_only_black_and_white_are_known() -> None:
    trimap = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert list(np.unique(levels(trimap))) == [0, UNKNOWN, 255]
    assert np.count_nonzero(levels(trimap) != UNKNOWN) == 2


def test_a_pixel_of_several_is_known_only_where_all_agree() -> None:
    trimap = np.full((64, 64), 255, np.uint8)
    trimap[:32] = 0
    trimap[10, 10] = trimap[50, 50] = UNKNOWN
    small = resized(trimap, (16, 16))
    assert small[2, 2] == small[12, 12] == UNKNOWN
    assert np.count_nonzero(small == UNKNOWN) == 2
    assert (small[:8] != 255).all() and (small[8:] != 0).all()
    odd = resized(trimap, (9, 9))  # a row that lies across the border
    assert (odd[4] == UNKNOWN).all()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 60), st.integers(1, 60))
def test_any_size_goes(width: int, height: int, to_width: int, to_height: int) -> None:
    trimap = np.random.default_rng(width).choice([0, 9, 128, 255], (height, width)).astype(np.uint8)
    found = resized(trimap, (to_width, to_height))
    assert found.shape == (to_height, to_width)
    assert set(np.unique(found)) <= {0, UNKNOWN, 255}


def test_what_is_known_wins_over_the_network() -> None:
    trimap = np.array([[0, UNKNOWN, 255]], np.uint8)
    alpha = np.full((1, 3), 0.3, np.float32)
    np.testing.assert_allclose(merged(alpha, trimap), [[0, 0.3, 1]])


def test_distances_are_in_pixels_and_infinite_from_nothing() -> None:
    trimap = np.full((5, 9), UNKNOWN, np.uint8)
    trimap[2, 1] = 0
    found = distances(trimap)
    assert found.shape == (5, 9, 2)
    assert found[2, 1, 0] == 0
    np.testing.assert_allclose(found[4, 5, 0], np.hypot(2, 4), atol=1e-3)
    assert np.isinf(found[..., 1]).all()
