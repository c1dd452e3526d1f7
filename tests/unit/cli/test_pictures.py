"""Results as files: the same values and the same profile, whatever the layer was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from bridge_client import Matte, Pixels
from bshm_bridge.cli.pictures import write_results

WIDTH, HEIGHT = 40, 30
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("profile", [b"", PROFILE], ids=["sRGB", "profile"])
@pytest.mark.parametrize("depth", ["u8", "u16"])
@pytest.mark.parametrize(("layout", "channels"), [("RGB", 3), ("RGBA", 4), ("GRAY", 1)])
def test_files_hold_what_the_service_answered(
    layout: str, channels: int, depth: str, profile: bytes, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (HEIGHT, WIDTH, channels), np.uint8)
    alpha = rng.integers(0, 65536, (HEIGHT, WIDTH)).astype("<u2")
    if depth == "u8":
        alpha = (alpha >> 8).astype("u1")
    layer = Pixels(picture.tobytes(), WIDTH, HEIGHT, layout, icc_profile=profile)  # type: ignore[arg-type]
    matte = Pixels(alpha.tobytes(), WIDTH, HEIGHT, "GRAY", depth)  # type: ignore[arg-type]
    write_results(Matte(matte, None, "classic", "classic", "CPU"), layer, tmp_path)
    with Image.open(tmp_path / "alpha.png") as file:
        assert np.array_equal(np.asarray(file), alpha)
        assert "icc_profile" not in file.info
    with Image.open(tmp_path / "rgba.png") as file:
        cut_out = np.asarray(file)
        assert file.info.get("icc_profile", b"") == profile
    colours = min(channels, 3)
    assert np.array_equal(cut_out[..., :colours], picture[..., :colours])
    expected = alpha if depth == "u8" else np.round(alpha / 257)
    assert np.array_equal(cut_out[..., -1], expected)
    assert {path.name for path in tmp_path.iterdir()} == {"alpha.png", "rgba.png"}
