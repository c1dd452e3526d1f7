from __future__ import annotations

import pytest

from krita.bshm_remove_background.colours import SRGB, ColourSpace, converted, wire_format

LINEAR = "sRGB-elle-V2-g10.icc"


@pytest.mark.parametrize(
    ("space", "layout", "depth", "linear", "size"),
    [
        (("RGBA", "U8", SRGB), "BGRA", "u8", False, 4),
        (("RGBA", "U16", LINEAR), "BGRA", "u16", True, 8),
        (("RGBA", "F16", LINEAR), "RGBA", "f16", True, 8),
        (("RGBA", "F32", SRGB), "RGBA", "f32", False, 16),
        (("GRAYA", "U8", "Gray-D50-elle-V2-srgbtrc.icc"), "GRAYA", "u8", False, 2),
        (("GRAYA", "F32", "Gray-D50-elle-V2-g10.icc"), "GRAYA", "f32", True, 8),
    ],
)
def test_known_spaces_travel_as_they_are(
    space: tuple[str, str, str], layout: str, depth: str, linear: bool, size: int
) -> None:
    wire = wire_format(ColourSpace(*space))
    assert wire is not None
    assert (wire.layout, wire.depth, wire.linear, wire.pixel_size) == (layout, depth, linear, size)


@pytest.mark.parametrize(
    "space",
    [
        ("CMYKA", "U8", "Chemical proof"),
        ("LABA", "U16", "Lab identity built-in"),
        ("XYZA", "F16", "XYZ identity built-in"),
        ("RGBA", "U8", "ClayRGB-elle-V2-g22.icc"),
        ("RGBA", "U8", "a camera's own profile"),
        ("GRAYA", "U16", "Gray-D50-elle-V2-labl.icc"),
    ],
)
def test_other_spaces_are_converted_and_keep_their_depth(space: tuple[str, str, str]) -> None:
    assert wire_format(ColourSpace(*space)) is None
    chosen = converted(ColourSpace(*space))
    assert chosen.depth == space[1]
    assert wire_format(chosen) is not None
