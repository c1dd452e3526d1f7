"""Every kind of layer, masks that are there already, and the other outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.editors.krita.cases import case, each
from tests.editors.krita.cases.stage import as_sent

FILL = (
    '<!DOCTYPE color><color channeldepth="U8">'
    '<sRGB r="1" g="0.5" b="0" space="sRGB-elle-V2-srgbtrc.icc"/></color>'
)


def _group(stage: Any, document: Any) -> Any:
    group = document.createGroupLayer("group")
    background = document.topLevelNodes()[0]
    copy = background.duplicate()
    stage.added(document, group)
    group.addChildNode(copy, None)
    return group


def _clone(stage: Any, document: Any) -> Any:
    clone = document.createCloneLayer("clone", document.topLevelNodes()[0])
    return stage.added(document, clone)


def _file(stage: Any, document: Any) -> Any:
    layer = document.createFileLayer("file", stage.plan["portraits"]["small"]["png"], "None")
    return stage.added(document, layer)


def _vector(stage: Any, document: Any) -> Any:
    layer = document.createVectorLayer("vector")
    stage.added(document, layer)
    layer.addShapesFromSvg(
        '<svg xmlns="http://www.w3.org/2000/svg" width="240px" height="240px" '
        'viewBox="0 0 240 240"><ellipse cx="90" cy="70" rx="40" ry="50" fill="#c09070"/>'
        '<path d="M20 240 L60 130 L130 130 L180 240 Z" fill="#203060"/></svg>'
    )
    return layer


def _fill(stage: Any, document: Any) -> Any:
    info = stage.krita.InfoObject()
    info.setProperties({"color": FILL})
    everything = stage.krita.Selection()
    everything.select(0, 0, document.width(), document.height(), 255)
    layer = document.createFillLayer("fill", "color", info, everything)
    return stage.added(document, layer)


KINDS: dict[str, Callable[[Any, Any], Any]] = {
    "group": _group,
    "clone": _clone,
    "file": _file,
    "vector": _vector,
    "fill": _fill,
}


def _hint(stage: Any, document: Any) -> bytes:
    """Select an off-centre ellipse and return the selection's bytes over the canvas."""
    width, height = document.width(), document.height()
    rows = []
    for y in range(height):
        inside = [
            255 if ((x - 0.45 * width) / 80) ** 2 + ((y - 0.5 * height) / 105) ** 2 < 1 else 0
            for x in range(width)
        ]
        rows.append(bytes(inside))
    selection = stage.krita.Selection()
    selection.setPixelData(b"".join(rows), 0, 0, width, height)
    document.setSelection(selection)
    return b"".join(rows)


def _cropped(data: bytes, width: int, area: Any) -> bytes:
    return b"".join(
        data[row * width + area.x() : row * width + area.x() + area.width()]
        for row in range(area.y(), area.y() + area.height())
    )


@each("mask_of_layer_kind", KINDS)
def _mask_of_kind(stage: Any, make: Callable[[Any, Any], Any]) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    layer = make(stage, document)
    yield from stage.settled(document, layer)
    yield from stage.chosen(document, layer)
    hint = _hint(stage, document)
    area = layer.bounds().intersected(document.bounds())
    rectangle = (area.x(), area.y(), area.width(), area.height())
    shown = bytes(layer.projectionPixelData(*rectangle))
    undo = stage.undo_text()
    stage.keep_sent(as_sent(layer, rectangle, shown))
    stage.keep("hint", _cropped(hint, document.width(), area))
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    mask = layer.childNodes()[-1]
    assert mask.type() == "transparencymask"
    stage.keep("mask", mask.pixelData(*rectangle))

    def masked() -> bool:
        return any(child.type() == "transparencymask" for child in layer.childNodes())

    yield from stage.undone(document, lambda: not masked())
    yield stage.history_is(undo)
    yield lambda: bytes(layer.projectionPixelData(*rectangle)) == shown
    yield from stage.redone(document, masked)


@case
def masked_hidden_group_is_read_without_its_mask(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    group = _group(stage, document)
    yield from stage.settled(document, group)
    rectangle = (0, 0, document.width(), document.height())
    shown = bytes(group.projectionPixelData(*rectangle))
    mask = document.createTransparencyMask("by hand")
    mask.setPixelData(bytes([60]) * (rectangle[2] * rectangle[3]), *rectangle)
    group.addChildNode(mask, None)
    group.setVisible(False)
    document.refreshProjection()
    document.waitForDone()
    yield from stage.chosen(document, group)
    undo = stage.undo_text()
    stage.keep_sent(as_sent(group, rectangle, shown))
    documents = len(stage.application.documents())
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    assert len(stage.application.documents()) == documents
    assert not group.visible()
    assert [child.type() for child in group.childNodes()][-2:] == ["transparencymask"] * 2
    stage.keep("mask", group.childNodes()[-1].pixelData(*rectangle))
    yield from stage.undone(document, lambda: group.childNodes()[-1].name() == "by hand")
    yield stage.history_is(undo)


@case
def layer_with_filter_mask_is_seen_as_shown(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    selection = stage.krita.Selection()
    selection.select(0, 0, document.width(), document.height(), 255)
    mask = document.createFilterMask("invert", stage.application.filter("invert"), selection)
    layer.addChildNode(mask, None)
    yield from stage.settled(document, layer)
    yield from stage.chosen(document, layer)
    rectangle = (0, 0, document.width(), document.height())
    shown = bytes(layer.projectionPixelData(*rectangle))
    assert shown != bytes(layer.pixelData(*rectangle))
    stage.keep_sent(as_sent(layer, rectangle, shown))
    stage.keep("hint", _hint(stage, document))
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    stage.keep("mask", layer.childNodes()[-1].pixelData(*rectangle))


@case
def pass_through_group_is_one_sentence(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    group = _group(stage, document)
    group.setPassThroughMode(True)
    yield from stage.chosen(document, group)
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "failed", stage.controller.state
    assert "pass-through" in stage.widget("bshm_message").text()


@case
def existing_mask_is_replaced_in_one_step(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    rectangle = (0, 0, document.width(), document.height())
    old = document.createTransparencyMask("by hand")
    painted = bytes(index % 251 for index in range(rectangle[2] * rectangle[3]))
    old.setPixelData(painted, *rectangle)
    layer.addChildNode(old, None)
    document.waitForDone()
    yield from stage.chosen(document, layer)
    undo = stage.undo_text()
    stage.settings(existing="replace")
    stage.keep_sent(as_sent(layer, rectangle))
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    masks = layer.childNodes()
    assert [mask.type() for mask in masks] == ["transparencymask"]
    assert masks[0].name() != "by hand"
    alpha = bytes(masks[0].pixelData(*rectangle))
    stage.keep("mask", alpha)
    yield from stage.undone(
        document, lambda: [mask.name() for mask in layer.childNodes()] == ["by hand"]
    )
    masks = layer.childNodes()
    assert bytes(masks[0].pixelData(*rectangle)) == painted
    yield stage.history_is(undo)
    yield lambda: bytes(layer.projectionPixelData(*rectangle))[3::4] == painted
    yield from stage.redone(
        document, lambda: [mask.name() for mask in layer.childNodes()] == ["Background Removed"]
    )
    masks = layer.childNodes()
    assert bytes(masks[0].pixelData(*rectangle)) == alpha
    yield lambda: bytes(layer.projectionPixelData(*rectangle))[3::4] == alpha


@case
def existing_mask_is_intersected(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    width, height = document.width(), document.height()
    rectangle = (0, 0, width, height)
    left = (b"\xff" * (width // 2) + b"\0" * (width - width // 2)) * height
    old = document.createTransparencyMask("left half")
    old.setPixelData(left, *rectangle)
    layer.addChildNode(old, None)
    document.waitForDone()
    yield from stage.chosen(document, layer)
    stage.click("bshm_remove")
    yield stage.idle
    document.refreshProjection()
    document.waitForDone()
    alpha = bytes(layer.childNodes()[-1].pixelData(*rectangle))
    assert any(alpha[width // 2 + 10 :: width])
    expected = bytes(a if b else 0 for a, b in zip(alpha, left, strict=True))
    yield lambda: bytes(layer.projectionPixelData(*rectangle))[3::4] == expected


@case
def selection_output_selects_and_leaves_the_history_alone(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    rectangle = (0, 0, document.width(), document.height())
    former = stage.krita.Selection()
    former.setPixelData(b"\xc8" * 400, 100, 60, 20, 20)
    document.setSelection(former)
    stage.settings(output="selection", use_selection=False)
    stage.keep_sent(as_sent(layer, rectangle))
    yield 0.1
    undo = stage.undo_text()
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    stage.keep("mask", document.selection().pixelData(*rectangle))
    assert layer.childNodes() == []
    yield stage.history_is(undo)
    assert "Deselect" in stage.widget("bshm_remove").toolTip()


CUT_OUTS = {
    "RGBA-U8": ("RGBA", "U8", ""),
    "RGBA-U16": ("RGBA", "U16", ""),
    "RGBA-F32": ("RGBA", "F32", ""),
    "GRAYA-U8": ("GRAYA", "U8", ""),
    "CMYKA-U8": ("CMYKA", "U8", ""),
}


@each("cut_out_of", CUT_OUTS)
def _cut_out(stage: Any, space: tuple[str, str, str]) -> Iterator[Any]:
    document = stage.photograph(*space)
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    rectangle = (0, 0, document.width(), document.height())
    before = bytes(layer.pixelData(*rectangle))
    undo = stage.undo_text()
    stage.settings(output="layer", clean_edges=True)
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    made = document.topLevelNodes()[-1]
    assert made.uniqueId() != layer.uniqueId()
    assert [node.uniqueId() for node in document.topLevelNodes()][-2] == layer.uniqueId()
    assert (made.colorModel(), made.colorDepth()) == space[:2]
    assert made.colorProfile() == layer.colorProfile()
    assert bytes(layer.pixelData(*rectangle)) == before
    assert layer.childNodes() == []
    stage.values["cut_out_of"] = space[0]
    if space == CUT_OUTS["RGBA-U8"]:
        stage.keep("before", before)
        stage.keep("cut_out", made.pixelData(*rectangle))
    else:
        # Soft, hard and empty places: alpha is the matte whatever the colour space.
        alpha = bytes(made.thumbnail(240, 240).convertToFormat(5).constBits().asarray(230400))
        alpha = alpha[3::4]
        assert alpha.count(0) > 1000
        assert alpha.count(255) > 1000
        assert len(set(alpha)) > 20
    yield from stage.undone(document, lambda: len(document.topLevelNodes()) == 1)
    assert document.topLevelNodes()[-1].uniqueId() == layer.uniqueId()
    yield stage.history_is(undo)
    yield from stage.redone(document, lambda: len(document.topLevelNodes()) == 2)


@case
def selection_is_a_hint(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    layer = stage.pasted(document, 30, -20)
    yield from stage.chosen(document, layer)
    selection = stage.krita.Selection()
    selection.setPixelData(b"\xff" * 12000, 90, 40, 100, 120)
    document.setSelection(selection)
    rectangle = (30, -20, 240, 240)
    stage.keep_sent(as_sent(layer, rectangle))
    hint = bytearray(240 * 240)
    for row in range(120):
        begin = (row + 60) * 240 + 60
        hint[begin : begin + 100] = b"\xff" * 100
    stage.keep("hint", hint)
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    stage.keep("mask", layer.childNodes()[-1].pixelData(*rectangle))


@case
def several_selected_layers_are_one_batch(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    first = document.topLevelNodes()[-1]
    empty = stage.added(document, document.createNode("nothing", "paintlayer"))
    second = stage.pasted(document, -10, 15)
    yield from stage.chosen(document, second)
    stage.application.action("select_all_layers").trigger()
    yield lambda: len(stage.window.activeView().selectedNodes()) == 3
    undo = stage.undo_text()
    stage.application.action("bshm_remove_background_selected").trigger()
    yield stage.idle
    state = stage.controller.state
    assert state.phase == "failed"
    assert "2" in state.message
    assert "nothing" in state.message
    assert len(first.childNodes()) == 1
    assert len(second.childNodes()) == 1
    assert empty.childNodes() == []

    def masks() -> int:
        return len(first.childNodes()) + len(second.childNodes())

    yield from stage.undone(document, lambda: masks() == 1)
    yield from stage.undone(document, lambda: masks() == 0)
    yield stage.history_is(undo)


@case
def animated_layer_becomes_an_animated_cut_out(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    layer = stage.pasted(document, 0, 0)
    yield from stage.chosen(document, layer)
    layer.enableAnimation()
    rectangle = (0, 0, 240, 240)
    duplicate = stage.application.action("add_duplicate_frame")
    for time in (0, 4):
        yield from stage.at_time(document, time)
        yield duplicate.isEnabled
        duplicate.trigger()
        document.waitForDone()
        yield lambda time=time: layer.hasKeyframeAtTime(time)
    pixels = bytes(layer.pixelData(*rectangle))
    mirrored = b"".join(
        b"".join(pixels[row * 960 + x * 4 : row * 960 + x * 4 + 4] for x in range(239, -1, -1))
        for row in range(240)
    )
    layer.setPixelData(mirrored, *rectangle)
    yield from stage.at_time(document, 2)
    times = [time for time in range(20) if layer.hasKeyframeAtTime(time)]
    assert times == [0, 4]
    count = len(document.topLevelNodes())
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    assert layer.childNodes() == []
    assert document.currentTime() == 2
    made = document.topLevelNodes()[-1]
    assert len(document.topLevelNodes()) == count + 1
    assert [time for time in range(20) if made.hasKeyframeAtTime(time)] == times
    frames = [bytes(made.pixelDataAtTime(*rectangle, time))[3::4] for time in times]
    assert frames[0] != frames[1]
    for alpha in frames:
        assert alpha.count(0) > 5000
        assert alpha.count(255) > 5000
    assert bytes(layer.pixelDataAtTime(*rectangle, 0)) == pixels
    assert bytes(layer.pixelDataAtTime(*rectangle, 4)) == mirrored
    yield from stage.undone(document, lambda: len(document.topLevelNodes()) == count)


@case
def closed_document_is_one_sentence(stage: Any) -> Iterator[Any]:
    other = stage.photograph()
    yield stage.active(other)
    document = stage.photograph(size="second")
    yield stage.active(document)
    stage.mark(document, document.topLevelNodes()[-1])
    document.waitForDone()
    stage.client().status(start=True)
    with stage.frozen():
        stage.click("bshm_remove")
        yield stage.at()
        document.setModified(False)
        document.close()
    yield stage.idle
    assert stage.controller.state.phase == "failed", stage.controller.state
    assert "closed" in stage.widget("bshm_message").text()
    assert other.topLevelNodes()[-1].childNodes() == []


@case
def deleted_layer_is_one_sentence(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    layer = stage.pasted(document, -7, -7)
    stage.mark(document, layer)
    yield from stage.chosen(document, layer)
    stage.client().status(start=True)
    with stage.frozen():
        stage.click("bshm_remove")
        yield stage.at()
        layer.remove()
        document.waitForDone()
    yield stage.idle
    assert stage.controller.state.phase == "failed", stage.controller.state
    assert "deleted" in stage.widget("bshm_message").text()
    assert document.topLevelNodes()[-1].childNodes() == []


@case
def no_document_is_one_sentence(stage: Any) -> Iterator[Any]:
    yield 0.1
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "failed", stage.controller.state
    assert stage.widget("bshm_message").text() == "Open an image first."
