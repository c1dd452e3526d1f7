"""Every kind of layer, in the real GIMP: the result is what the service answers, in place."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from bridge_client import Matte, MatteOptions, Pixels
from bridge_client.types import CHANNELS, Depth, Layout
from bshm_bridge import samples
from tests.editors.gimp.picture import FIGURE, SIZE, figure, picture
from tests.editors.gimp.runner import GimpRunner, complaints
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
    "thirty_two_bit_linear": ("RGBA", "f32"),
    "half_linear": ("RGBA", "f32"),
    "grayscale": ("GRAYA", "u8"),
    "grayscale_opaque": ("GRAY", "u16"),
    "indexed": ("RGBA", "u8"),
    "managed": ("RGBA", "u8"),
    "managed_float": ("RGBA", "f32"),
    "managed_gray": ("GRAYA", "u8"),
    "off_canvas": ("RGBA", "u8"),
    "wholly_off_canvas": ("RGBA", "u8"),
    "several": ("RGBA", "u8"),
    "invisible": ("RGBA", "u8"),
    "locked": ("RGBA", "u8"),
    "group": ("RGBA", "u8"),
    "pass_through_group": ("RGBA", "u8"),
    "text": ("RGBA", "u8"),
    "trimap_elsewhere": ("RGBA", "u8"),
}
# So do these, by a trimap that marks something else than the figure: its offsets in the layers.
BY_TRIMAP: dict[str, tuple[Format, list[tuple[int, int]]]] = {
    "trimap": (("RGBA", "u8"), [(36, -16)]),
    "trimap_float": (("RGBA", "f32"), [(36, -16)]),
    "trimap_gray": (("GRAYA", "u16"), [(36, -16)]),
    "trimap_indexed": (("RGBA", "u8"), [(36, -16)]),
    "trimap_off_canvas": (("RGBA", "u8"), [(36, -16)]),
    "trimap_and_several": (("RGBA", "u8"), [(36, -16), (41, -12)]),
}
# These too, but something else than a plain mask comes out.
OTHERS: dict[str, Format] = {
    "intersect": ("RGBA", "u8"),
    "replace": ("RGBA", "u8"),
    "masked_cutout": ("RGBA", "u8"),
    "in_a_group": ("RGBA", "u8"),
    "cutout": ("RGBA", "u8"),
    "cutout_unclean": ("RGBA", "u8"),
    "cutout_opaque": ("RGB", "u16"),
    "cutout_gray": ("GRAYA", "u8"),
    "group_cutout": ("RGBA", "u8"),
    "text_cutout": ("RGBA", "u8"),
    "selection": ("RGBA", "u8"),
    "selection_deep": ("RGBA", "f32"),
    "selection_indexed": ("RGBA", "u8"),
    "background": ("RGBA", "u8"),
    "background_indexed": ("RGBA", "u8"),
}
FORMATS = {**MASKED, **OTHERS, **{case: form for case, (form, _places) in BY_TRIMAP.items()}}
SENTENCES = {
    "selection_elsewhere": "No person was found",
    "nobody": "No person was found",
    "selection_unused": "No person was found",
    "unknown_model": "There is no model",
    "indexed_cutout": "An indexed image cannot hold soft edges",
    "dot": "No person was found",
    "empty": "The layer is empty",
    "empty_group": "The layer is empty",
    "floating": "There is a floating selection",
    "trimap_alone": "The layer “trimap” only says where the subject is",
    "channel": "A channel is selected",
    "no_layer": "No layer is selected",
    "one_of_two_fails": "The layer is empty",
}
TRIMAP_SIZE = (200, 270)


def trimap_picture() -> NDArray[np.uint8]:
    """Return a trimap as it might be painted, H×W×4: soft values, and a hole at the top."""
    width, height = TRIMAP_SIZE
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[..., :3] = 128
    picture[60:220, 20:180, :3] = 3  # about black …
    picture[90:190, 50:150, :3] = 120
    picture[100:181, 61:140, :3] = 252  # … and white
    picture[60:80, 20:180, 3] = 0
    return picture


def placed_trimap(size: tuple[int, int], offset: tuple[int, int], *, holes: bool = True) -> Any:
    """Return what the trimap says about a layer of `size`, H×W: 0, 128 or 255.

    Parameters
    ----------
    offset
        Of the trimap in the layer.
    holes
        Whether the trimap has transparency.
    """
    painted = trimap_picture()
    gray = painted[..., 0]
    values = np.select([gray <= 5, gray >= 250], [0, 255], 128)
    if holes:
        values[painted[..., 3] < 128] = 128
    width, height = size
    placed = np.full((height + 600, width + 600), 128, np.uint8)
    x, y = 300 + offset[0], 300 + offset[1]
    placed[y : y + gray.shape[0], x : x + gray.shape[1]] = values
    return placed[300 : 300 + height, 300 : 300 + width]


TYPES = {"u8": np.uint8, "u16": np.uint16, "f32": np.float32}


class Cases:
    """What the plug-in did to every case, and what the service says to the same pixels."""

    def __init__(self, folder: Path, service: TestService, stderr: str) -> None:
        self.results: dict[str, dict[str, Any]] = json.loads((folder / "results.json").read_text())
        self.stderr = stderr
        self._folder = folder
        self._service = service

    def mask(self, case: str, number: int = 0) -> NDArray[Any]:
        depth = FORMATS[case][1]
        kind = np.uint8 if depth == "u8" else np.uint16
        width, height = self.results[case]["sizes"][number]
        file = self._folder / f"{case}.{number}.mask"
        return np.fromfile(file, kind).reshape(height, width)

    def layer(self, case: str, number: int = 0) -> NDArray[Any]:
        """Return pixels that are in the image now, H×W×C, in the format that was sent."""
        layout, depth = FORMATS[case]
        width, height = self.results[case]["layers"][number]["size"]
        pixels = np.fromfile(self._folder / f"{case}.{number}.out", TYPES[depth])
        return pixels.reshape(height, width, CHANNELS[layout])

    def selection(self, case: str, width: int, height: int) -> NDArray[np.uint8]:
        return np.fromfile(self._folder / f"{case}.selection", np.uint8).reshape(height, width)

    def sent(self, case: str, number: int = 0) -> NDArray[Any]:
        layout, depth = FORMATS[case]
        width, height = self.results[case]["sizes"][number]
        pixels = np.fromfile(self._folder / f"{case}.{number}.sent", TYPES[depth])
        return pixels.reshape(height, width, CHANNELS[layout])

    def matte(self, case: str, number: int = 0, **options: Any) -> Matte:
        """Return the service's answer to what must have been sent."""
        layout, depth = FORMATS[case]
        width, height = self.results[case]["sizes"][number]
        hint = (self._folder / f"{case}.{number}.hint").read_bytes()
        trimap = self.trimap(case, number)
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
            trimap=None if trimap is None else Pixels(trimap.tobytes(), width, height, "GRAY"),
            options=MatteOptions(depth="u8" if depth == "u8" else "u16", **options),
        )

    def trimap(self, case: str, number: int = 0) -> NDArray[np.uint8] | None:
        """Return what must have been sent as the trimap."""
        if case not in BY_TRIMAP:
            return None
        offset = BY_TRIMAP[case][1][number]
        width, height = self.results[case]["sizes"][number]
        return np.asarray(
            placed_trimap((width, height), offset, holes=case != "trimap_float"), np.uint8
        )

    def profile(self, case: str) -> bytes:
        return (self._folder / f"{case}.icc").read_bytes()

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
    (folder / "trimap").write_bytes(trimap_picture().tobytes())
    with Image.open(samples.portrait()) as file:
        portrait = file.convert("RGB")
    (folder / "portrait").write_bytes(portrait.tobytes())
    arguments = {
        "folder": folder,
        "picture": folder / "picture",
        "width": WIDTH,
        "height": HEIGHT,
        "figure": FIGURE,
        "portrait": folder / "portrait",
        "portrait_size": portrait.size,
        "trimap": folder / "trimap",
        "trimap_size": TRIMAP_SIZE,
    }
    finished = gimp.console("layers.py", arguments, timeout=900).check()
    return Cases(folder, service, finished.stderr)


def test_every_case_was_tried(cases: Cases) -> None:
    raised = {name: case for name, case in cases.results.items() if case["status"] == "raised"}
    assert raised == {}
    assert set(cases.results) == {*FORMATS, *SENTENCES}


@pytest.mark.parametrize("case", [*MASKED, *BY_TRIMAP])
def test_mask_is_the_services_matte_bit_for_bit(cases: Cases, case: str) -> None:
    result = cases.results[case]
    assert (result["status"], result["error"]) == ("success", "")
    for number in range(len(result["masks"])):
        mask, alpha = cases.mask(case, number), cases.alpha(case, number)
        if case in ("half", "half_linear"):  # GIMP keeps 11 bits of each value of such a mask
            assert np.abs(mask.astype(int) - alpha).max() <= 65535 / 2**11
        else:
            assert np.array_equal(mask, alpha)


@pytest.mark.parametrize("case", [*MASKED, *BY_TRIMAP])
def test_mask_has_the_layers_size_and_place(cases: Cases, case: str) -> None:
    result = cases.results[case]
    for mask, size, offset in zip(
        result["masks"], result["sizes"], result["after"]["offsets"], strict=True
    ):
        assert mask == [*size, *offset]


@pytest.mark.parametrize("case", [*MASKED, *BY_TRIMAP, "replace", "intersect"])
def test_everything_but_the_mask_is_as_before(cases: Cases, case: str) -> None:
    assert cases.results[case]["before"] == cases.results[case]["after"]


OTHER_PICTURES = {"large", "text", "wholly_off_canvas"}


@pytest.mark.parametrize("case", sorted({*MASKED, "replace", "selection"} - OTHER_PICTURES))
def test_result_shows_the_figure(cases: Cases, case: str) -> None:
    if case == "selection":
        canvas = cases.selection(case, WIDTH - 40, HEIGHT + 20)
        shown, wanted = canvas[26:, :] > 127, figure()[: HEIGHT - 6, 18 : WIDTH - 22]
    else:
        mask = cases.mask(case)
        shown, wanted = mask > np.iinfo(mask.dtype).max // 2, figure()
    assert (shown & wanted).sum() / (shown | wanted).sum() > 0.9


@pytest.mark.parametrize("case", BY_TRIMAP)
def test_mask_follows_the_trimap_to_the_pixel(cases: Cases, case: str) -> None:
    for number in range(len(cases.results[case]["masks"])):
        mask, trimap = cases.mask(case, number), cases.trimap(case, number)
        assert (mask[trimap == 255] == np.iinfo(mask.dtype).max).all()
        assert (mask[trimap == 0] == 0).all()


@pytest.mark.parametrize("case", ["managed", "managed_float"])
def test_colours_are_sent_with_the_profile_that_they_are_in(cases: Cases, case: str) -> None:
    sent = cases.sent(case)[..., :3]
    if sent.dtype != np.uint8:
        sent = np.rint(sent.clip(0, 1) * 255).astype(np.uint8)
    profile = ImageCms.ImageCmsProfile(io.BytesIO(cases.profile(case)))
    seen = ImageCms.profileToProfile(Image.fromarray(sent), profile, ImageCms.createProfile("sRGB"))
    assert seen is not None
    assert np.abs(np.asarray(seen).astype(int) - picture()).mean() < 2
    assert np.abs(sent.astype(int) - picture()).mean() > 4  # else it would show nothing


@pytest.mark.parametrize("case", ["sixteen_bit", "float_linear", "grayscale_opaque"])
def test_deep_images_get_masks_of_more_than_256_values(cases: Cases, case: str) -> None:
    assert (cases.mask(case) % 257 != 0).any()


def test_existing_mask_keeps_hidden_what_it_hides(cases: Cases) -> None:
    old = np.arange(WIDTH) * 255 // WIDTH
    wanted = np.minimum(cases.alpha("intersect"), old)
    assert np.array_equal(cases.mask("intersect"), wanted)


def test_cutout_of_a_masked_layer_hides_what_its_mask_hides(cases: Cases) -> None:
    cutout, original = cases.results["masked_cutout"]["layers"]
    assert (cutout["mask"], original["mask"]) == (False, True)
    wanted = np.minimum(cases.alpha("masked_cutout"), np.arange(WIDTH) * 255 // WIDTH)
    assert np.array_equal(cases.layer("masked_cutout", 0)[..., 3], wanted)


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


def test_group_gets_a_cutout_of_all_that_is_in_it(cases: Cases) -> None:
    assert new_layers(cases, "group_cutout") == [
        ("group cut-out", True, True),
        ("group", False, False),
        ("inner", True, False),
    ]
    first, second, _inner = cases.results["group_cutout"]["layers"]
    assert (first["offset"], first["size"]) == (second["offset"], second["size"])
    found = cases.layer("group_cutout", 0)
    assert np.array_equal(found[..., 3], cases.alpha("group_cutout"))


def test_text_stays_text_below_its_cutout(cases: Cases) -> None:
    assert new_layers(cases, "text_cutout") == [("W cut-out", True, True), ("W", False, False)]
    result = cases.results["text_cutout"]
    assert result["after"]["kinds"] == result["before"]["kinds"] == ["TextLayer"]
    product = cases.alpha("text_cutout").astype(float) * cases.sent("text_cutout")[..., 3] / 255
    assert np.abs(cases.layer("text_cutout", 0)[..., 3] - product).max() <= 1


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


@pytest.mark.parametrize("case", ["selection_deep", "selection_indexed"])
def test_selection_of_other_images_is_the_matte_too(cases: Cases, case: str) -> None:
    alpha = cases.alpha(case)
    wanted = np.rint(alpha / (np.iinfo(alpha.dtype).max / 255))
    assert np.abs(cases.selection(case, WIDTH, HEIGHT) - wanted).max() <= 1


def test_background_of_an_indexed_image_lies_below(cases: Cases) -> None:
    assert new_layers(cases, "background_indexed") == [
        ("portrait", True, True),
        ("Background", True, False),
    ]
    assert np.array_equal(cases.mask("background_indexed"), cases.alpha("background_indexed"))


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


def test_gimp_and_plug_in_complain_of_nothing(cases: Cases) -> None:
    assert complaints(cases.stderr) == []
