"""Every colour space and depth: the mask is right, undo is one step, pixels stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.editors.krita.cases import case, each
from tests.editors.krita.cases.stage import as_sent

FORMATS = {
    "RGBA-U8": ("RGBA", "U8", ""),
    "RGBA-U16-linear": ("RGBA", "U16", ""),
    "RGBA-U16-sRGB": ("RGBA", "U16", "sRGB-elle-V2-srgbtrc.icc"),
    "RGBA-F32": ("RGBA", "F32", ""),
    "RGBA-F16": ("RGBA", "F16", ""),
    "RGBA-U8-own-profile": ("RGBA", "U8", "ClayRGB-elle-V2-g22.icc"),
    "GRAYA-U8": ("GRAYA", "U8", ""),
    "GRAYA-U16": ("GRAYA", "U16", ""),
    "GRAYA-F16": ("GRAYA", "F16", ""),
    "GRAYA-F32": ("GRAYA", "F32", ""),
    "CMYKA-U8": ("CMYKA", "U8", ""),
    "CMYKA-U16": ("CMYKA", "U16", ""),
    "CMYKA-F32": ("CMYKA", "F32", ""),
    "LABA-U8": ("LABA", "U8", ""),
    "LABA-U16": ("LABA", "U16", ""),
    "LABA-F32": ("LABA", "F32", ""),
}


def _one_mask(stage: Any, document: Any, layer: Any) -> Iterator[Any]:
    """Remove the background of `layer` and keep what the outside compares."""
    bounds = layer.bounds()
    rectangle = (bounds.x(), bounds.y(), bounds.width(), bounds.height())
    before = bytes(layer.pixelData(*rectangle))
    children = len(layer.childNodes())
    undo = stage.undo_text()
    stage.keep_sent(as_sent(layer, rectangle))
    stage.click("bshm_remove")
    yield stage.idle
    state = stage.controller.state
    assert state.phase == "done", state
    masks = layer.childNodes()
    assert [mask.type() for mask in masks] == ["transparencymask"] * (children + 1)
    mask = masks[-1]
    alpha = bytes(mask.pixelData(*rectangle))
    stage.keep("mask", alpha)
    # Outside of the layer everything is hidden.
    around = bytes(mask.pixelData(bounds.x() - 1, bounds.y() - 1, 1, 1))
    assert around == b"\0", around
    assert bytes(layer.pixelData(*rectangle)) == before

    yield from stage.undone(document, lambda: len(layer.childNodes()) == children)
    yield stage.history_is(undo)
    assert bytes(layer.pixelData(*rectangle)) == before
    yield from stage.redone(document, lambda: len(layer.childNodes()) == children + 1)
    assert bytes(layer.childNodes()[-1].pixelData(*rectangle)) == alpha


@each("mask_of", FORMATS)
def _mask_of(stage: Any, space: tuple[str, str, str]) -> Iterator[Any]:
    document = stage.photograph(*space)
    yield stage.active(document)
    yield from _one_mask(stage, document, document.topLevelNodes()[-1])


@case
def mask_of_24_megapixels(stage: Any) -> Iterator[Any]:
    document = stage.photograph(size="large")
    yield stage.active(document)
    yield from _one_mask(stage, document, document.topLevelNodes()[-1])


PLACES = {
    "partly-off-canvas": (240, 240, -70, 45),
    "larger-than-canvas": (150, 130, -40, -60),
    "smaller-than-canvas": (400, 300, 120, 30),
    "beside-the-canvas": (100, 100, -260, 20),
}


@each("mask_of_layer", PLACES)
def _mask_of_layer(stage: Any, place: tuple[int, int, int, int]) -> Iterator[Any]:
    width, height, x, y = place
    document = stage.document(width, height, "RGBA", "U8")
    yield stage.active(document)
    layer = stage.pasted(document, x, y)
    yield from stage.chosen(document, layer)
    bounds = layer.bounds()
    assert (bounds.x(), bounds.y(), bounds.width(), bounds.height()) == (x, y, 240, 240)
    yield from _one_mask(stage, document, layer)


@case
def every_depth_that_krita_has_is_tried(stage: Any) -> Iterator[Any]:
    yield 0
    for model in ("RGBA", "GRAYA", "CMYKA", "LABA"):
        tried = {depth for name, depth, _ in FORMATS.values() if name == model}
        assert tried == set(stage.application.colorDepths(model)), (model, tried)


@case
def existing_mask_is_not_baked_in(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    mask = document.createTransparencyMask("by hand")
    width, height = document.width(), document.height()
    mask.setPixelData(bytes([90]) * (width * height), 0, 0, width, height)
    layer.addChildNode(mask, None)
    document.waitForDone()
    yield from stage.chosen(document, layer)
    yield from _one_mask(stage, document, layer)
