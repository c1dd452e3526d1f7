"""A layer named “trimap” decides where it is black or white."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.editors.krita.cases import case, each
from tests.editors.krita.cases.stage import PROFILES, as_sent

SIDE = 240  # of the photo
PLACE = (12, -15, 210, 230)  # the trimap on the photo: x, y, width, height
SPACES = {
    "RGBA-U8": ("RGBA", "U8"),
    "RGBA-F32": ("RGBA", "F32"),
    "GRAYA-U8": ("GRAYA", "U8"),
    "GRAYA-U16": ("GRAYA", "U16"),
    "CMYKA-U8": ("CMYKA", "U8"),
    "LABA-U16": ("LABA", "U16"),
}


def _known(x: int, y: int) -> int:
    """Return what the trimap says of a pixel of the photo: lopsided in both directions."""
    inside = PLACE[0] <= x < PLACE[0] + PLACE[2] and PLACE[1] <= y < PLACE[1] + PLACE[3]
    if not inside or (30 <= x < 60 and y >= 200):
        return 128
    if ((x - 95) / 35) ** 2 + ((y - 130) / 60) ** 2 < 1 or (x < 40 and 150 <= y < 190):
        return 255
    return 0 if y < 12 or x >= 190 or (x < 30 and y < 120) else 128


def _painted() -> bytes:
    """Return the trimap's pixels over its own place; one corner is not painted at all."""
    x, y, width, height = PLACE
    rows = []
    for row in range(y, y + height):
        for column in range(x, x + width):
            value = _known(column, row)
            opacity = 0 if 30 <= column < 60 and row >= 200 else 255
            rows.append(bytes([value, value, value, opacity]))
    return b"".join(rows)


def _trimap(stage: Any, document: Any, x: int, y: int) -> Any:
    """Add the trimap for a photo that lies at (x, y)."""
    layer = document.createNode("Trimap", "paintlayer")
    layer.setPixelData(_painted(), x + PLACE[0], y + PLACE[1], PLACE[2], PLACE[3])
    return stage.added(document, layer)


def _follows(stage: Any, photo: Any, rectangle: tuple[int, int, int, int]) -> Iterator[Any]:
    """Remove the photo's background and compare with what the trimap says."""
    expected = bytes(_known(x, y) for y in range(SIDE) for x in range(SIDE))
    stage.keep_sent(as_sent(photo, rectangle))
    stage.keep("trimap", expected)
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    assert "The trimap layer was followed." in stage.widget("bshm_message").text()
    mask = bytes(photo.childNodes()[-1].pixelData(*rectangle))
    assert all(known == 128 or value == known for known, value in zip(expected, mask, strict=True))
    assert len({value for known, value in zip(expected, mask, strict=True) if known == 128}) > 20
    stage.keep("mask", mask)


@each("trimap_in", SPACES)
def _trimap_in(stage: Any, space: tuple[str, str]) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    photo = document.topLevelNodes()[-1]
    _trimap(stage, document, 0, 0)
    if space != ("RGBA", "U8"):
        assert document.setColorSpace(*space, PROFILES[space])
    document.refreshProjection()
    document.waitForDone()
    yield from stage.chosen(document, photo)
    yield from _follows(stage, photo, (0, 0, SIDE, SIDE))


@case
def hidden_trimap_in_a_group_is_mapped_to_a_layer_elsewhere(stage: Any) -> Iterator[Any]:
    document = stage.document(200, 260, "RGBA", "U8")
    yield stage.active(document)
    photo = stage.pasted(document, -45, 60)
    group = stage.added(document, document.createGroupLayer("notes"))
    trimap = document.createNode("TRIMAP", "paintlayer")
    trimap.setPixelData(_painted(), PLACE[0] - 45, PLACE[1] + 60, PLACE[2], PLACE[3])
    group.addChildNode(trimap, None)
    group.setVisible(False)
    document.refreshProjection()
    document.waitForDone()
    before = bytes(trimap.pixelData(-45, 60, SIDE, SIDE))
    yield from stage.chosen(document, photo)
    undo = stage.undo_text()
    yield from _follows(stage, photo, (-45, 60, SIDE, SIDE))
    yield from stage.undone(document, lambda: photo.childNodes() == [])
    yield stage.history_is(undo)
    assert trimap.childNodes() == []
    assert bytes(trimap.pixelData(-45, 60, SIDE, SIDE)) == before


@case
def trimap_is_followed_while_edges_change(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    photo = document.topLevelNodes()[-1]
    _trimap(stage, document, 0, 0)
    yield from stage.chosen(document, photo)
    yield from _follows(stage, photo, (0, 0, SIDE, SIDE))
    live = stage.widget("bshm_panel").live
    stage.widget("bshm_edge_shift").setValue(-2.0)
    yield lambda: live.settled and live.updates
    stage.values["options"] = {"edge_shift": -2.0}
    stage.keep("mask", photo.childNodes()[-1].pixelData(0, 0, SIDE, SIDE))


@case
def trimap_alone_is_one_sentence_and_beside_the_photo_no_target(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    photo = document.topLevelNodes()[-1]
    trimap = _trimap(stage, document, 0, 0)
    yield from stage.chosen(document, trimap)
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "failed", stage.controller.state
    assert "choose the photo's layer" in stage.widget("bshm_message").text()
    stage.application.action("select_all_layers").trigger()
    yield from stage.chosen(document, photo, trimap)
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    assert len(photo.childNodes()) == 1
    assert trimap.childNodes() == []
