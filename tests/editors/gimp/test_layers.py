"""Every kind of layer, in the real GIMP: the result is what the service answers, in place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bridge_client import Matte, MatteOptions, Pixels
from bridge_client.types import CHANNELS, Depth, Layout
from tests.editors.gimp.picture import FIGURE, SIZE, figure, picture
from tests.editors.gimp.runner import GimpRunner
from tests.editors.service import TestService

WIDTH, HEIGHT = SIZE
Format = tuple[Layout, Depth]
# What GIMP must have sent of each case's layers; the result is a mask.
MASKED: dict[str, Format] = {
    "large": ("RGBA", "u8"),  # 24 megapixels
    "rgba": ("RGBA", "u8"),
    "opaque": ("RGB", "u8"),
    "soft": ("RGBA", "u8"),
    "sixteen_bit": ("RGBA", "u16"),
    "sixteen_bit_linear": ("RGBA", "u16"),
    "eight_bit_linear": ("RGBA", "u8"),
    "thirty_two_bit": ("RGBA", "f32"),
    "half": ("RGBA", "f32"),
    "float": ("RGBA", "f32"),
    "float_linear": ("RGBA", "f32"),
    "double_linear": ("RGBA", "f32"),
    "grayscale": ("GRAYA", "u8"),
    "grayscale_opaque": ("GRAY", "u16"),
    "indexed": ("RGBA", "u8"),
    "colour_managed": ("RGBA", "u8"),
    "off_canvas": ("RGBA", "u8"),
    "several": ("RGBA", "u8"),
    "invisible": ("RGBA", "u8"),
    "locked": ("RGBA", "u8"),
    "group": ("RGBA", "u8"),
    "text": ("RGBA", "u8"),
}
# These too, but something else than a plain mask comes out.
OTHERS: dict[str, Format] = {
    "intersect": ("RGBA", "u8"),
    "replace": ("RGBA", "u8"),
    "in_a_group": ("RGBA", "u8"),
    "cutout": ("RGBA", "u8"),
    "cutout_unclean": ("RGBA", "u8"),
    "cutout_opaque": ("RGB", "u16"),
    "cutout_gray": ("GRAYA", "u8"),
    "selection": ("RGBA", "u8"),
    "background": ("RGBA", "u8"),
}
SENTENCES = {
    "wholly_off_canvas": "No person was found",
    "nobody": "No person was found",
    "selection_unused": "No person was found",
    "unknown_model": "There is no model",
    "indexed_cutout": "An indexed image cannot hold soft edges",
    "dot": "No person was found",
    "empty": "The layer is empty",
    "channel": "A channel is selected",
    "no_layer": "No layer is selected",
    "one_of_two_fails": "The layer is empty",
}
TYPES = {"u8": np.uint8, "u16": np.uint16, "f32": np.float32}


class Cases:
    """What the plug-in did to every case, and what the service says to the same pixels."""

    def __init__(self, folder: Path, service: TestService, stderr: str) -> None:
        self.results: dict[str, dict[str, Any]] = json.loads((folder / "results.json").read_text())
        self.stderr = stderr
        self._folder = folder
        self._service = service

    def mask(self, case: str, number: int = 0) -> NDArray[Any]:
        depth = (MASKED | OTHERS)[case][1]
        kind = np.uint8 if depth == "u8" else np.uint16
        width, height = self.results[case]["sizes"][number]
        file = self._folder / f"{case}.{number}.mask"
        return np.fromfile(file, kind).reshape(height, width)

    def layer(self, case: str, number: int = 0) -> NDArray[Any]:
        """Return pixels that are in the image now, H×W×C, in the format that was sent."""
        layout, depth = (MASKED | OTHERS)[case]
        width, height = self.results[case]["layers"][number]["size"]
        pixels = np.fromfile(self._folder / f"{case}.{number}.out", TYPES[depth])
        return pixels.reshape(height, width, CHANNELS[layout])

    def selection(self, case: str, width: int, height: int) -> NDArray[np.uint8]:
        return np.fromfile(self._folder / f"{case}.selection", np.uint8).reshape(height, width)

    def sent(self, case: str, number: int = 0) -> NDArray[Any]:
        layout, depth = (MASKED | OTHERS)[case]
        width, height = self.results[case]["sizes"][number]
        pixels = np.fromfile(self._folder / f"{case}.{number}.sent", TYPES[depth])
        return pixels.reshape(height, width, CHANNELS[layout])

    def matte(self, case: str, number: int = 0, **options: Any) -> Matte:
        """Return the service's answer to what must have been sent."""
        layout, depth = (MASKED | OTHERS)[case]
        width, height = self.results[case]["sizes"][number]
        hint = (self._folder / f"{case}.{number}.hint").read_bytes()
        profile = self._folder / f"{case}.icc"
        return self._service.client.matte(
            Pixels(
                (self._folder / f"{case}.{number}.sent").read_bytes(),
                width,
                height,
                layout,
                depth,
                icc_profile=profile.read_bytes() if profile.exists() else b"",
            ),
            hint=Pixels(hint, width, height, "GRAY") if any(hint) else None,
            options=MatteOptions(depth="u8" if depth == "u8" else "u16", **options),
        )

    def alpha(self, case: str, number: int = 0, **options: Any) -> NDArray[Any]:
        alpha = self.matte(case, number, **options).alpha
        kind = np.uint8 if alpha.depth == "u8" else np.uint16
        return np.frombuffer(alpha.data, kind).reshape(alpha.height, alpha.width)


@pytest.fixture(scope="module")
def cases(
    gimp: GimpRunner, service: TestService, tmp_path_factory: pytest.TempPathFactory
) -> Cases:
    folder = tmp_path_factory.mktemp("layers")
    (folder / "picture").write_bytes(picture().tobytes())
    arguments = {
        "folder": folder,
        "picture": folder / "picture",
        "width": WIDTH,
        "height": HEIGHT,
        "figure": FIGURE,
    }
    finished = gimp.console("layers.py", arguments, timeout=280).check()
    return Cases(folder, service, finished.stderr)


def test_every_case_was_tried(cases: Cases) -> None:
    raised = {name: case for name, case in cases.results.items() if case["status"] == "raised"}
    assert raised == {}
    assert set(cases.results) == {*MASKED, *OTHERS, *SENTENCES}


@pytest.mark.parametrize("case", MASKED)
def test_mask_is_the_services_matte_bit_for_bit(cases: Cases, case: str) -> None:
    result = cases.results[case]
    assert (result["status"], result["error"]) == ("success", "")
    for number in range(len(result["masks"])):
        mask, alpha = cases.mask(case, number), cases.alpha(case, number)
        if case == "half":  # GIMP keeps 11 bits of each value of such a mask
            assert np.abs(mask.astype(int) - alpha).max() <= 65535 / 2**11
        else:
            assert np.array_equal(mask, alpha)


@pytest.mark.parametrize("case", MASKED)
def test_mask_has_the_layers_size_and_place(cases: Cases, case: str) -> None:
    result = cases.results[case]
    for mask, size, offset in zip(
        result["masks"], result["sizes"], result["after"]["offsets"], strict=True
    ):
        assert mask == [*size, *offset]


@pytest.mark.parametrize("case", [*MASKED, "replace", "intersect"])
def test_everything_but_the_mask_is_as_before(cases: Cases, case: str) -> None:
    assert cases.results[case]["before"] == cases.results[case]["after"]


OTHER_PICTURES = {"large", "text"}


@pytest.mark.parametrize("case", sorted({*MASKED, "replace", "selection"} - OTHER_PICTURES))
def test_result_shows_the_figure(cases: Cases, case: str) -> None:
    if case == "selection":
        canvas = cases.selection(case, WIDTH - 40, HEIGHT + 20)
        shown, wanted = canvas[26:, :] > 127, figure()[: HEIGHT - 6, 18 : WIDTH - 22]
    else:
        mask = cases.mask(case)
        shown, wanted = mask > np.iinfo(mask.dtype).max // 2, figure()
    assert (shown & wanted).sum() / (shown | wanted).sum() > 0.9


@pytest.mark.parametrize("case", ["sixteen_bit", "float_linear", "grayscale_opaque"])
def test_deep_images_get_masks_of_more_than_256_values(cases: Cases, case: str) -> None:
    assert (cases.mask(case) % 257 != 0).any()


def test_existing_mask_keeps_hidden_what_it_hides(cases: Cases) -> None:
    old = np.arange(WIDTH) * 255 // WIDTH
    wanted = np.minimum(cases.alpha("intersect"), old)
    assert np.array_equal(cases.mask("intersect"), wanted)


def test_existing_mask_is_forgotten_when_asked(cases: Cases) -> None:
    assert np.array_equal(cases.mask("replace"), cases.alpha("replace"))


def new_layers(cases: Cases, case: str) -> list[tuple[str, bool, bool]]:
    layers = cases.results[case]["layers"]
    return [(layer["name"], layer["visible"], layer["active"]) for layer in layers]


@pytest.mark.parametrize("case", ["cutout", "cutout_opaque", "cutout_gray", "cutout_unclean"])
def test_cutout_is_a_new_layer_and_the_original_is_hidden(cases: Cases, case: str) -> None:
    assert new_layers(cases, case) == [
        ("portrait cut-out", True, True),
        ("portrait", False, False),
    ]
    result = cases.results[case]
    assert result["layers"][0]["offset"] == result["layers"][1]["offset"]
    assert not any(layer["mask"] for layer in result["layers"])
    assert result["before"]["pixels"] == result["after"]["pixels"]


def test_cutout_in_a_group_stays_in_it(cases: Cases) -> None:
    names = [layer["name"] for layer in cases.results["in_a_group"]["layers"]]
    assert names == ["group", "inner cut-out", "inner"]


def test_cutout_has_the_subjects_colours_and_the_product_of_both_alphas(cases: Cases) -> None:
    matte = cases.matte("cutout", foreground=True)
    assert matte.foreground is not None
    colours = np.frombuffer(matte.foreground.data, np.uint8).reshape(HEIGHT, WIDTH, 3)
    alpha = np.frombuffer(matte.alpha.data, np.uint8).reshape(HEIGHT, WIDTH)
    found = cases.layer("cutout", 0)
    product = alpha.astype(float) * cases.sent("cutout")[..., 3] / 255
    assert np.abs(found[..., 3] - product).max() <= 1
    there = found[..., 3] > 0
    assert np.array_equal(found[there, :3], colours[there])
    assert not np.array_equal(colours[there], cases.sent("cutout")[there, :3])


def test_opaque_deep_cutout_has_the_subjects_colours(cases: Cases) -> None:
    matte = cases.matte("cutout_opaque", foreground=True)
    assert matte.foreground is not None
    colours = np.frombuffer(matte.foreground.data, np.uint16).reshape(HEIGHT, WIDTH, 3)
    there = np.frombuffer(matte.alpha.data, np.uint16).reshape(HEIGHT, WIDTH) > 0
    assert np.array_equal(cases.layer("cutout_opaque", 0)[there], colours[there])


def test_gray_cutout_is_gray(cases: Cases) -> None:
    matte = cases.matte("cutout_gray", foreground=True)
    assert matte.foreground is not None
    channels = CHANNELS[matte.foreground.layout]
    colours = np.frombuffer(matte.foreground.data, np.uint8).reshape(HEIGHT, WIDTH, channels)
    found = cases.layer("cutout_gray", 0)
    there = found[..., 1] > 0
    assert np.array_equal(found[there, 0], colours[there, 0])


def test_cutout_keeps_the_layers_colours_when_they_are_not_to_be_cleaned(cases: Cases) -> None:
    found = cases.layer("cutout_unclean", 0)
    there = found[..., 3] > 0
    assert np.array_equal(found[there, :3], cases.sent("cutout_unclean")[there, :3])
    assert np.array_equal(found[..., 3], cases.alpha("cutout_unclean"))


def test_selection_is_the_matte_where_the_layer_is(cases: Cases) -> None:
    assert cases.results["selection"]["status"] == "success"
    wanted = np.zeros((HEIGHT + 20, WIDTH - 40), np.uint8)
    wanted[26:, :] = cases.alpha("selection")[: HEIGHT - 6, 18 : WIDTH - 22]
    assert np.array_equal(cases.selection("selection", WIDTH - 40, HEIGHT + 20), wanted)
    assert new_layers(cases, "selection") == [("portrait", True, True)]


def test_background_lies_below_and_edge_options_count(cases: Cases) -> None:
    assert new_layers(cases, "background") == [
        ("above", True, False),
        ("portrait", True, True),
        ("Background", True, False),
    ]
    edited = cases.alpha("background", edge_shift=-2.0, feather=1.5)
    assert np.array_equal(cases.mask("background"), edited)
    assert not np.array_equal(edited, cases.alpha("background"))
    assert (cases.layer("background", 2) == 255).all()


@pytest.mark.parametrize("case", SENTENCES)
def test_problem_is_a_sentence_and_the_image_is_unchanged(cases: Cases, case: str) -> None:
    result = cases.results[case]
    assert result["status"] == "execution-error"
    assert result["error"].startswith(SENTENCES[case])
    assert result["before"] == result["after"]
    assert not any(layer["mask"] for layer in result["layers"])


def test_gimp_says_nothing_about_the_plug_in_on_stderr(cases: Cases) -> None:
    lines = cases.stderr.splitlines()
    ours = [line for line in lines if "bshm_remove_background" in line or "Traceback" in line]
    assert ours == []
