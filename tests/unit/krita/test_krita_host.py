from __future__ import annotations

import pytest

from krita.bshm_remove_background.colours import SRGB
from krita.bshm_remove_background.host import Area, CutOut, LayerProblem
from krita.bshm_remove_background.krita_host import KritaHost
from krita.bshm_remove_background.settings import Settings
from tests.unit.krita.fake_krita import Api, Document, GroupLayer, Node, Selection

W, H = 8, 6


def opened(space: tuple[str, str, str] = ("RGBA", "U8", SRGB)) -> tuple[Api, KritaHost, Document]:
    api = Api()
    document = api.Krita.createDocument(W, H, "photo", *space, 72.0)
    return api, KritaHost(api), document


def painted(document: Document, x: int = 0, y: int = 0, w: int = 4, h: int = 3) -> Node:
    layer = document.createNode("hair", "paintlayer")
    layer.setPixelData(bytes(index % 251 for index in range(w * h * layer._size())), x, y, w, h)
    return added(document, layer)


def added(document: Document, layer: Node) -> Node:
    document.rootNode().addChildNode(layer, None)
    document.setActiveNode(layer)
    document._history.clear()
    return layer


def test_no_document_and_no_layer_are_sentences() -> None:
    _, host, document = opened()
    with pytest.raises(LayerProblem, match="Choose a layer"):
        host.targets(False)
    document.close()
    with pytest.raises(LayerProblem, match="Open an image"):
        host.targets(False)


def test_active_mask_means_its_layer_and_each_layer_counts_once() -> None:
    api, host, document = opened()
    layer, other = painted(document), painted(document)
    mask = document.createTransparencyMask("m")
    layer.addChildNode(mask, None)
    document.setActiveNode(mask)
    assert [target.node_id for target in host.targets(False)] == [layer.uniqueId()]
    api.Krita._selected = [mask, layer, other, document.createNode("x", "selectionmask")]
    found = [target.node_id for target in host.targets(True)]
    assert found == [layer.uniqueId(), other.uniqueId()]


def test_pixels_of_a_paint_layer_off_the_canvas_are_whole() -> None:
    _, host, document = opened()
    layer = painted(document, -3, 4)
    snapshot = host.snapshot(host.targets(False)[0], Settings(), None)
    assert snapshot.area == Area(-3, 4, 4, 3)
    assert snapshot.data == layer.pixelData(-3, 4, 4, 3)
    assert document._history == []


def test_masks_of_a_paint_layer_are_not_in_its_pixels_and_of_a_group_neither() -> None:
    api, host, document = opened()
    layer = painted(document)
    layer.addChildNode(document.createTransparencyMask("m"), None)
    target = host.targets(False)[0]
    assert host.snapshot(target, Settings(), None).data == layer.pixelData(0, 0, 4, 3)

    group = GroupLayer(document, "group")
    group._rect = (-2, 0, 20, 6)
    added(document, group)
    group.addChildNode(document.createTransparencyMask("m"), None)
    document._history.clear()
    snapshot = host.snapshot(host.targets(False)[0], Settings(), None)
    assert snapshot.area == Area(0, 0, W, H)
    assert set(snapshot.data) == {ord("P")}
    assert document._history == []
    assert api.Krita.documents() == [document]
    assert group.childNodes()[0].visible()


def test_layer_with_effects_is_read_as_it_is_shown() -> None:
    _, host, document = opened()
    layer = painted(document)
    layer.addChildNode(Node(document, "blur", "filtermask"), None)
    assert set(host.snapshot(host.targets(False)[0], Settings(), None).data) == {ord("P")}
    layer.childNodes()[0].setVisible(False)
    snapshot = host.snapshot(host.targets(False)[0], Settings(), None)
    assert snapshot.data == layer.pixelData(0, 0, 4, 3)


def test_other_colour_spaces_are_converted_outside_of_the_users_history() -> None:
    api, host, document = opened(("CMYKA", "U16", "Chemical proof"))
    layer = painted(document)
    snapshot = host.snapshot(host.targets(False)[0], Settings(), None)
    assert snapshot.space.model == "RGBA"
    assert snapshot.wire.layout == "BGRA"
    assert layer.colorModel() == "CMYKA"
    assert document._history == []
    assert api.Krita.documents() == [document]


def test_selection_comes_along_where_it_is_wanted() -> None:
    _, host, document = opened()
    painted(document)
    target = host.targets(False)[0]
    assert host.snapshot(target, Settings(), None).selection is None
    selection = Selection()
    document.setSelection(selection)
    assert host.snapshot(target, Settings(), None).selection is None
    selection.setPixelData(b"\xff", 1, 1, 1, 1)
    assert host.snapshot(target, Settings(), None).selection == b"S" * 12
    assert host.snapshot(target, Settings(use_selection=False), None).selection is None


def test_mask_is_one_step_and_lies_on_the_layer() -> None:
    _, host, document = opened()
    layer = painted(document, -3, 4)
    alpha = bytes(range(12))
    applied = host.add_mask(host.targets(False)[0], Area(-3, 4, 4, 3), alpha, Settings())
    assert applied is not None
    assert document._history == ["Add Layer"]
    assert layer.childNodes()[0].pixelData(-3, 4, 4, 3) == alpha
    changed = host.change_mask(applied, alpha[::-1])
    assert changed is not None
    assert layer.childNodes()[0].pixelData(-3, 4, 4, 3) == alpha[::-1]
    assert document._history == ["Add Layer"]
    layer.childNodes()[0].setPixelData(alpha, -3, 4, 4, 3)
    assert host.change_mask(changed, alpha) is None
    layer.childNodes()[0].remove()
    assert host.change_mask(changed, alpha) is None


def test_replacing_is_one_step_that_keeps_the_old_masks_pixels_in_the_history() -> None:
    _, host, document = opened()
    layer = painted(document)
    old = document.createTransparencyMask("by hand")
    old.setPixelData(b"\x42" * (W * H), 0, 0, W, H)
    layer.addChildNode(old, None)
    document._history.clear()
    settings = Settings(existing="replace")
    host.add_mask(host.targets(False)[0], Area(0, 0, 4, 3), bytes(12), settings)
    assert document._history == ["Convert to a Selection Mask"]
    assert [mask.name() for mask in layer.childNodes()] == ["Background Removed"]
    assert old.pixelData(0, 0, W, H) == b"\x42" * (W * H)


def test_locked_and_pass_through_are_said_before_the_work() -> None:
    _, host, document = opened()
    layer = painted(document)
    layer._locked = True
    with pytest.raises(LayerProblem, match="locked"):
        host.snapshot(host.targets(False)[0], Settings(), None)
    group = GroupLayer(document, "group")
    group._rect = (0, 0, W, H)
    added(document, group)
    group.setPassThroughMode(True)
    with pytest.raises(LayerProblem, match="pass-through"):
        host.snapshot(host.targets(False)[0], Settings(), None)
    assert host.snapshot(host.targets(False)[0], Settings(output="selection"), None)


def test_cut_out_is_in_the_documents_space_above_the_layer() -> None:
    _, host, document = opened(("CMYKA", "U8", "Chemical proof"))
    layer = painted(document)
    top = painted(document)
    document.setActiveNode(layer)
    target = host.targets(False)[0]
    snapshot = host.snapshot(target, Settings(output="layer"), None)
    host.add_layer(target, CutOut(snapshot.area, snapshot.data, snapshot.space))
    below, made, above = document.rootNode().childNodes()
    assert (below, above) == (layer, top)
    assert made.colorModel() == "CMYKA"
    assert made.name() == "hair without background"
    assert document._history == ["Add Layer"]


def test_animation_is_one_added_layer_and_time_stands_still() -> None:
    _, host, document = opened()
    layer = painted(document, 0, 0, W, H)
    layer._frames = {0: b"a", 4: b"b"}
    document.setCurrentTime(2)
    target = host.targets(False)[0]
    assert target.frames == (0, 4)
    frames = {}
    for time in target.frames:
        snapshot = host.snapshot(target, Settings(output="layer"), time)
        frames[time] = CutOut(snapshot.area, snapshot.data, snapshot.space)
    host.add_animation(target, frames)
    made = document.rootNode().childNodes()[-1]
    assert {time: data[:1] for time, data in made._frames.items()} == {0: b"a", 4: b"b"}
    assert document.currentTime() == 2
    assert document._history == ["Add Layer"]


def test_closed_document_and_deleted_layer_are_sentences() -> None:
    _, host, document = opened()
    layer = painted(document)
    target = host.targets(False)[0]
    layer.remove()
    with pytest.raises(LayerProblem, match="deleted"):
        host.add_mask(target, Area(0, 0, 4, 3), bytes(12), Settings())
    document.close()
    with pytest.raises(LayerProblem, match="closed"):
        host.select(target, Area(0, 0, 4, 3), bytes(12))


def test_empty_layer_is_a_sentence() -> None:
    _, host, document = opened()
    added(document, document.createNode("nothing", "paintlayer"))
    with pytest.raises(LayerProblem, match="empty"):
        host.snapshot(host.targets(False)[0], Settings(), None)
