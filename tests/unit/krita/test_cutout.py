from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import krita.bshm_remove_background.cutout as cutout
from krita.bshm_remove_background.colours import WireFormat

TYPES: dict[str, Any] = {"u8": np.uint8, "u16": np.uint16, "f16": np.float16, "f32": np.float32}
FULL: dict[str, float] = {"u8": 255, "u16": 65535, "f16": 1.0, "f32": 1.0}
ORDER = {"BGRA": [2, 1, 0], "RGBA": [0, 1, 2], "GRAYA": [0]}
FORMATS = [
    WireFormat("BGRA", "u8", False),
    WireFormat("BGRA", "u16", True),
    WireFormat("RGBA", "f16", True),
    WireFormat("RGBA", "f32", True),
    WireFormat("GRAYA", "u8", False),
    WireFormat("GRAYA", "u16", False),
    WireFormat("GRAYA", "f32", True),
]


def values(count: int, channels: int, depth: str, seed: int) -> NDArray[Any]:
    chance = np.random.default_rng(seed).random((count, channels))
    return (chance * FULL[depth]).astype(TYPES[depth])


@pytest.mark.parametrize("wire", FORMATS, ids=lambda wire: f"{wire.layout}-{wire.depth}")
@pytest.mark.parametrize("opaque", [True, False])
@pytest.mark.parametrize("clean", [True, False])
def test_equals_numpy(
    wire: WireFormat, opaque: bool, clean: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutout, "STRIPE", 64)  # several stripes, the last one short
    count = 150
    order = ORDER[wire.layout]
    layer = values(count, len(order) + 1, wire.depth, 1)
    if opaque:
        layer[:, -1] = FULL[wire.depth]
    matte = values(count, 1, "u8" if wire.depth == "u8" else "u16", 2)[:, 0]
    matte[:2] = [0, 255 if wire.depth == "u8" else 65535]
    foreground = values(count, len(order), wire.depth, 3)

    made = cutout.cut_out_pixels(
        layer.tobytes(), matte.tobytes(), foreground.tobytes() if clean else None, wire
    )

    result = np.frombuffer(made, TYPES[wire.depth]).reshape(layer.shape)
    colours = foreground[:, order] if clean else layer[:, :-1]
    np.testing.assert_array_equal(result[:, :-1], colours)
    share = matte / (255 if wire.depth == "u8" else 65535)
    expected = layer[:, -1].astype(np.float64) * share
    tolerance = {"u8": 0.501, "u16": 0.501, "f16": 5e-4, "f32": 1e-6}[wire.depth]
    assert np.abs(result[:, -1].astype(np.float64) - expected).max() <= tolerance


def test_layer_is_not_written_to() -> None:
    layer = bytes(range(40))
    cutout.cut_out_pixels(layer, bytes(10), None, WireFormat("BGRA", "u8", False))
    assert layer == bytes(range(40))
