from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bshm_gimp.formats import STRIPE_BYTES, LayerFormat, layer_format, overlap, stripes


@pytest.mark.parametrize(
    ("gray", "alpha", "precision", "expected", "babl", "size"),
    [
        (False, True, "u8-non-linear", LayerFormat("RGBA", "u8"), "R'G'B'A u8", 4),
        (False, False, "u8-linear", LayerFormat("RGB", "u8"), "R'G'B' u8", 3),
        (False, True, "u16-perceptual", LayerFormat("RGBA", "u16"), "R'G'B'A u16", 8),
        (False, True, "u32-non-linear", LayerFormat("RGBA", "f32"), "R'G'B'A float", 16),
        (True, True, "half-linear", LayerFormat("GRAYA", "f32"), "Y'A float", 8),
        (True, False, "double-linear", LayerFormat("GRAY", "f32"), "Y' float", 4),
    ],
)
def test_layer_is_read_in_the_smallest_format_that_loses_nothing(
    gray: bool, alpha: bool, precision: str, expected: LayerFormat, babl: str, size: int
) -> None:
    found = layer_format(gray=gray, alpha=alpha, precision=precision)
    assert found == expected
    assert (found.babl, found.pixel_bytes) == (babl, size)


@given(st.integers(1, 300_000), st.integers(1, 300_000), st.sampled_from([1, 4, 16]))
def test_stripes_cover_every_row_once_and_stay_small(
    width: int, height: int, pixel_bytes: int
) -> None:
    pieces = list(stripes(width, height, pixel_bytes))
    expected_top = 0
    for top, rows in pieces:
        assert top == expected_top
        expected_top += rows
    assert expected_top == height
    assert all(rows == 1 or rows * width * pixel_bytes <= STRIPE_BYTES for _top, rows in pieces)


coordinates = st.integers(-50, 50)
sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))


@given(st.tuples(coordinates, coordinates), sizes, sizes)
def test_overlap_is_what_layer_and_canvas_share(
    offset: tuple[int, int], size: tuple[int, int], canvas: tuple[int, int]
) -> None:
    shared = {
        (x, y)
        for x in range(size[0])
        for y in range(size[1])
        if 0 <= x + offset[0] < canvas[0] and 0 <= y + offset[1] < canvas[1]
    }
    found = overlap(offset, size, canvas)
    if found is None:
        assert not shared
    else:
        x, y, width, height = found
        assert shared == {(x + i, y + j) for i in range(width) for j in range(height)}
