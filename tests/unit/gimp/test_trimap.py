from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bshm_gimp.trimap import is_trimap, trimap_values


@pytest.mark.parametrize("name", ["trimap", "Trimap", "TRIMAP", " trimap "])
def test_layer_is_a_trimap_by_its_name(name: str) -> None:
    assert is_trimap(name)


@pytest.mark.parametrize("name", ["", "trimap copy", "my trimap", "portrait"])
def test_other_layers_are_none(name: str) -> None:
    assert not is_trimap(name)


@pytest.mark.parametrize(
    ("gray", "value"), [(0, 0), (5, 0), (6, 128), (128, 128), (249, 128), (250, 255), (255, 255)]
)
def test_nearly_black_and_nearly_white_are_known(gray: int, value: int) -> None:
    other = 255 if value < 255 else 0
    assert trimap_values(bytes([gray, 255, other, 255])) == bytes([value, other])


@pytest.mark.parametrize(("alpha", "value"), [(0, 128), (127, 128), (128, 255), (255, 255)])
def test_transparent_is_unknown(alpha: int, value: int) -> None:
    assert trimap_values(bytes([255, alpha, 0, 255])) == bytes([value, 0])


pixels = st.tuples(st.integers(0, 255), st.integers(0, 255))


@given(st.lists(pixels, min_size=1, max_size=60))
def test_every_pixel_keeps_its_place(pixels: list[tuple[int, int]]) -> None:
    def value(gray: int, alpha: int) -> int:
        if alpha < 128:
            return 128
        return 0 if gray <= 5 else 255 if gray >= 250 else 128

    wanted = [value(*pixel) for pixel in pixels]
    found = trimap_values(bytes(byte for pixel in pixels for byte in pixel))
    assert (found is None) == (set(wanted) == {128})
    assert found is None or list(found) == wanted
