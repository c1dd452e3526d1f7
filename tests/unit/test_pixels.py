"""Decoding of every layout, depth and stride against a plain float64 computation."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from bshm_bridge.errors import InvalidInput
from bshm_bridge.matting.pixels import (
    CHANNELS,
    DTYPES,
    PixelFormat,
    fill_transparent,
    rgb_view,
    to_gray8,
    to_rgb8,
    transparent,
    view,
)

COLOUR = {
    "RGB": (0, 1, 2),
    "RGBA": (0, 1, 2),
    "BGRA": (2, 1, 0),
    "BGR": (2, 1, 0),
    "GRAY": (0, 0, 0),
    "GRAYA": (0, 0, 0),
}
ALPHA = {"RGBA": 3, "BGRA": 3, "GRAYA": 1}


@st.composite
def layers(draw: st.DrawFn) -> tuple[PixelFormat, np.ndarray, np.ndarray]:
    """Draw a format, its values H×W×C, and the padded buffer that holds them."""
    layout = draw(st.sampled_from(sorted(CHANNELS)))
    depth = draw(st.sampled_from(sorted(DTYPES)))
    width, height = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    shape = (height, width, CHANNELS[layout])
    if depth.startswith("u"):
        values = random.integers(0, np.iinfo(DTYPES[depth]).max, shape, endpoint=True)
        values[random.random(shape) < 0.2] = 0
    else:
        values = random.uniform(-0.2, 1.2, shape)
        values[random.random(shape) < 0.1] = np.nan
        values[random.random(shape) < 0.1] = np.inf
    values = values.astype(DTYPES[depth])
    rows = values.reshape(height, -1).view(np.uint8)
    padding = draw(st.integers(0, 17))
    buffer = random.integers(0, 255, (height, rows.shape[1] + padding), np.uint8)
    buffer[:, : rows.shape[1]] = rows
    fmt = PixelFormat(
        width,
        height,
        layout,
        depth,
        row_stride=buffer.shape[1] if padding else 0,
        linear=draw(st.booleans()),
    )
    return fmt, values, buffer.reshape(-1)


def reference(values: np.ndarray, fmt: PixelFormat) -> np.ndarray:
    """Return the exact 0 to 255 RGB of a layer, in float64, unrounded."""
    unit = values[..., COLOUR[fmt.layout]].astype(np.float64)
    if fmt.depth.startswith("u"):
        unit /= np.iinfo(DTYPES[fmt.depth]).max
    unit = np.clip(np.where(np.isnan(unit), 0, unit), 0, 1)
    if fmt.linear:
        unit = np.where(unit <= 0.0031308, unit * 12.92, 1.055 * unit ** (1 / 2.4) - 0.055)
    return unit * 255


@settings(max_examples=400, deadline=None)
@given(layers())
def test_decoding_equals_the_reference(layer: tuple[PixelFormat, Any, Any]) -> None:
    fmt, values, buffer = layer
    before = buffer.copy()
    rgb = to_rgb8(view(buffer, fmt), fmt)
    assert rgb.shape == (fmt.height, fmt.width, 3)
    assert rgb.dtype == np.uint8
    # Rounded to nearest; a value within float32's error of a half may go either way.
    assert np.abs(rgb - reference(values, fmt)).max() <= 0.5 + 1e-3
    assert np.array_equal(buffer, before), "the layer's own bytes were changed"


@settings(max_examples=200, deadline=None)
@given(layers())
def test_the_view_holds_the_very_values(layer: tuple[PixelFormat, Any, Any]) -> None:
    fmt, values, buffer = layer
    assert np.array_equal(view(buffer, fmt), values, equal_nan=values.dtype.kind == "f")
    own = rgb_view(view(buffer, fmt), fmt.layout)
    expected = values[..., COLOUR[fmt.layout]]
    expected = expected if own.shape[2] == 3 else expected[..., :1]
    assert np.array_equal(own, expected, equal_nan=values.dtype.kind == "f")


@settings(max_examples=200, deadline=None)
@given(layers())
def test_only_fully_transparent_pixels_are_hidden(layer: tuple[PixelFormat, Any, Any]) -> None:
    fmt, values, buffer = layer
    hidden = transparent(view(buffer, fmt), fmt.layout)
    expected = np.zeros((fmt.height, fmt.width), bool)
    if fmt.layout in ALPHA:
        alpha = values[..., ALPHA[fmt.layout]]
        expected = ~(alpha > 0)
    assert (hidden is None) == (not expected.any())
    if hidden is not None:
        assert np.array_equal(hidden, expected)
        filled = fill_transparent(to_rgb8(view(buffer, fmt), fmt), hidden)
        assert (filled[hidden] == 128).all()
        assert np.array_equal(filled[~hidden], to_rgb8(view(buffer, fmt), fmt)[~hidden])


def test_rgb_u8_is_not_copied() -> None:
    buffer = np.arange(60, dtype=np.uint8)
    fmt = PixelFormat(5, 4, "RGB")
    assert np.shares_memory(to_rgb8(view(buffer, fmt), fmt), buffer)


def test_a_selection_is_read_as_grey() -> None:
    fmt = PixelFormat(2, 1, "GRAY", "u16")
    values = np.array([0, 65535], "<u2").view(np.uint8)
    assert to_gray8(view(values, fmt), fmt).tolist() == [[0, 255]]


def test_a_short_buffer_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        view(np.zeros(11, np.uint8), PixelFormat(2, 2, "RGB"))
    assert caught.value.reason == "short-data"


@pytest.mark.parametrize(
    ("fmt", "reason"),
    [
        (PixelFormat(0, 1, "RGB"), "bad-size"),
        (PixelFormat(2, 2, "RGB", row_stride=5), "bad-stride"),
        (PixelFormat(2, 2, "CMYK"), "bad-format"),
        (PixelFormat(2, 2, "RGB", "f64"), "bad-format"),
    ],
)
def test_formats_that_make_no_sense_are_refused(fmt: PixelFormat, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        fmt.check()
    assert caught.value.reason == reason


def test_a_profile_is_converted_to_srgb() -> None:
    lab = ImageCms.createProfile("LAB")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    values = np.random.default_rng(3).integers(0, 255, (6, 5, 3), np.uint8)
    fmt = PixelFormat(5, 6, "RGB", icc_profile=srgb)
    assert np.abs(to_rgb8(values, fmt).astype(int) - values).max() <= 1
    with pytest.raises(InvalidInput) as caught:
        profile = ImageCms.ImageCmsProfile(lab).tobytes()
        to_rgb8(values, PixelFormat(5, 6, "RGB", icc_profile=profile))
    assert caught.value.reason == "bad-profile"


def test_a_wide_profile_changes_colours_as_littlecms_does() -> None:
    profile = _swapped_profile()
    values = np.random.default_rng(4).integers(0, 255, (6, 5, 3), np.uint8)
    expected = ImageCms.profileToProfile(
        Image.fromarray(values),
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
    )
    fmt = PixelFormat(5, 6, "RGB", icc_profile=profile)
    converted = to_rgb8(values, fmt)
    assert np.array_equal(converted, np.asarray(expected))
    assert not np.array_equal(converted, values)


def test_linear_values_have_srgbs_primaries_whatever_the_profile() -> None:
    values = np.random.default_rng(5).integers(0, 255, (6, 5, 3), np.uint8)
    plain = to_rgb8(values, PixelFormat(5, 6, "RGB", linear=True))
    fmt = PixelFormat(5, 6, "RGB", linear=True, icc_profile=_swapped_profile())
    assert np.array_equal(to_rgb8(values, fmt), plain)


def _swapped_profile() -> bytes:
    """Return sRGB's profile with the red and the green primary exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(data[128:132], "big")
    places = {}
    for entry in range(count):
        start = 132 + 12 * entry
        places[bytes(data[start : start + 4])] = start
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)
