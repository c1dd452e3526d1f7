from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bshm_bridge.matting.sampling import apply, enlarge, resample, share

sizes = st.tuples(st.integers(1, 30), st.integers(1, 90)).map(lambda s: (min(s), max(s)))


@settings(deadline=None)
@given(sizes, sizes, st.booleans())
def test_a_window_of_an_enlargement_is_that_of_opencv(
    rows: tuple[int, int], columns: tuple[int, int], cubic: bool
) -> None:
    (h, height), (w, width) = rows, columns
    plane = np.random.default_rng(h * 31 + w).random((h, w), np.float32)
    how = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    expected = cv2.resize(plane, (width, height), interpolation=how).reshape(height, width)
    top, left = height // 3, width // 3
    window = resample(
        plane,
        enlarge(h, height, top, height, cubic=cubic),
        enlarge(w, width, left, width, cubic=cubic),
    )
    np.testing.assert_allclose(window, expected[top:, left:], atol=2e-3)


@settings(deadline=None)
@given(sizes, st.integers(1, 89))
def test_shares_of_two_stretches_add_up_to_the_area_means(axis: tuple[int, int], cut: int) -> None:
    small, large = axis
    cut = min(cut, large - 1)
    samples = np.random.default_rng(large).random(large).astype(np.float32)
    means = np.zeros(small, np.float32)
    for begin, end in ((0, cut), (cut, large)):
        if begin < end:
            part = share(small, large, begin, end)
            means[part.start : part.stop] += part.weights @ samples[begin:end]
    fine = np.repeat(samples, small).reshape(small, large).mean(axis=1)
    np.testing.assert_allclose(means, fine, atol=1e-4)


@pytest.mark.parametrize("n", [64, 127, 300])
def test_products_in_blocks_equal_the_whole_product(n: int) -> None:
    rng = np.random.default_rng(n)
    planes = rng.random((2, n, n), np.float32)
    axis = enlarge(n, 2 * n, 0, 2 * n)
    expected = axis.weights @ planes @ axis.weights.T
    np.testing.assert_allclose(apply(planes, axis, axis), expected, rtol=1e-4, atol=1e-5)
