from __future__ import annotations

import pytest

from bridge_client import Matte, Pixels
from krita.bshm_remove_background.colours import SRGB
from krita.bshm_remove_background.host import Area, LayerProblem
from krita.bshm_remove_background.requests import finish_matte, matte_request
from krita.bshm_remove_background.settings import Settings
from krita.bshm_remove_background.trimap import Trimap, is_trimap, trimap_in
from tests.unit.krita.fake_krita import Document, GroupLayer, Node
from tests.unit.krita.test_krita_host import H, W, added, opened, painted

BLACK, WHITE, GREY, CLEAR = b"\0\0\0\xff", b"\xff" * 4, b"\x80\x80\x80\xff", bytes(4)


def trimap(document: Document, pixels: bytes, area: Area, name: str = "trimap") -> Node:
    layer = document.createNode(name, "paintlayer")
    layer.setPixelData(pixels, area.x, area.y, area.width, area.height)
    return added(document, layer)


def values(pixels: bytes, channels: int = 4) -> bytes | None:
    row = Area(0, 0, len(pixels) // channels, 1)
    return Trimap(pixels, channels, row, row).values()


@pytest.mark.parametrize(
    ("pixel", "value"),
    [
        (BLACK, 0),
        (b"\5\5\5\xff", 0),
        (b"\6\5\5\xff", 128),
        (WHITE, 255),
        (b"\xfa\xfa\xfa\xff", 255),
        (b"\xff\xff\xf9\xff", 128),
        (GREY, 128),
        (b"\0\xff\0\xff", 128),
        (CLEAR, 128),
        (b"\xff\xff\xff\x80", 128),
        (b"\0\0\0\xf9", 128),
        (b"\0\0\0\xfa", 0),
    ],
)
def test_a_pixel_is_known_where_it_is_opaque_and_near_black_or_near_white(
    pixel: bytes, value: int
) -> None:
    assert values(pixel + BLACK + WHITE) == bytes([value, 0, 255])


def test_grey_pixels_of_two_channels_are_read_alike() -> None:
    assert values(b"\0\xff" + b"\xff\xff" + b"\x80\xff" + b"\xff\0", 2) == bytes([0, 255, 128, 128])


def test_black_and_white_may_be_other_values_after_a_conversion() -> None:
    row = Area(0, 0, 5, 1)
    pixels = b"".join(bytes([value, value, value, 255]) for value in (20, 35, 41, 245, 240))
    black, white = b"\x23\x23\x23\xff", b"\xfa\xfa\xfa\xff"
    found = Trimap(pixels, 4, row, row, black, white).values()
    assert found == bytes([0, 0, 128, 255, 128])


def test_every_pixel_of_a_large_trimap_keeps_its_place() -> None:
    count = (1 << 17) + 3
    found = values(BLACK * (count - 1) + WHITE)
    assert found == bytes(count - 1) + b"\xff"


def test_outside_of_the_trimap_is_unknown() -> None:
    place, area = Area(1, -1, 2, 2), Area(0, -2, 4, 4)
    found = Trimap(BLACK + WHITE + WHITE + GREY, 4, place, area).values()
    assert found is not None
    assert [list(found[row * 4 : row * 4 + 4]) for row in range(4)] == [
        [128, 128, 128, 128],
        [128, 0, 255, 128],
        [128, 255, 128, 128],
        [128, 128, 128, 128],
    ]


def test_trimap_that_knows_nothing_is_none() -> None:
    assert values(GREY + CLEAR) is None


def test_name_counts_in_any_case_and_only_of_paint_layers() -> None:
    _, _, document = opened()
    for name in ("trimap", "Trimap", " TRIMAP "):
        assert is_trimap(document.createNode(name, "paintlayer"))
    assert not is_trimap(document.createNode("trimap 2", "paintlayer"))
    assert not is_trimap(document.createNode("trimap", "vectorlayer"))


def test_topmost_trimap_counts_in_groups_too() -> None:
    _, _, document = opened()
    area = Area(0, 0, 1, 1)
    assert trimap_in(document.rootNode()) is None
    trimap(document, WHITE, area)
    group = GroupLayer(document, "group")
    added(document, group)
    inner = document.createNode("Trimap", "paintlayer")
    group.addChildNode(inner, None)
    painted(document)
    assert trimap_in(document.rootNode()) is inner


def test_trimap_goes_out_with_the_layer_mapped_to_its_place() -> None:
    _, host, document = opened()
    layer = painted(document, -1, 2, 3, 2)
    marks = trimap(document, WHITE + BLACK, Area(0, 3, 2, 1))
    marks.setVisible(False)
    document.setActiveNode(layer)
    snapshot = host.snapshot(host.targets(False)[0], Settings(), None)
    sent = matte_request(snapshot, Settings())[1]["trimap"]
    assert (sent.width, sent.height, sent.layout, sent.depth) == (3, 2, "GRAY", "u8")
    assert sent.data == bytes([128, 128, 128, 128, 255, 0])
    matte = Matte(Pixels(bytes(6), 3, 2, "GRAY"), None, "classic", "classic", "CPU")
    assert finish_matte(matte, snapshot, Settings()).trimap
    assert document._history == []


@pytest.mark.parametrize("area", [Area(6, 0, 2, 1), Area(0, 0, 0, 0)])
def test_trimap_that_does_not_reach_the_layer_is_not_sent(area: Area) -> None:
    _, host, document = opened()
    layer = painted(document)
    trimap(document, WHITE * (area.width * area.height), area)
    document.setActiveNode(layer)
    snapshot = host.snapshot(host.targets(False)[0], Settings(), None)
    assert matte_request(snapshot, Settings())[1]["trimap"] is None
    matte = Matte(Pixels(bytes(12), 4, 3, "GRAY"), None, "classic", "classic", "CPU")
    assert not finish_matte(matte, snapshot, Settings()).trimap


def test_trimap_in_another_colour_space_is_converted_outside_of_the_history() -> None:
    api, host, document = opened(("CMYKA", "U16", "Chemical proof"))
    layer = painted(document)
    trimap(document, bytes(10 * 4), Area(0, 0, 2, 2))
    document.setActiveNode(layer)
    snapshot = host.snapshot(host.targets(False)[0], Settings(), None)
    assert snapshot.trimap is not None
    assert document._history == []
    assert api.Krita.documents() == [document]


def test_trimap_is_never_worked_on_itself() -> None:
    api, host, document = opened(("RGBA", "U8", SRGB))
    layer = painted(document)
    marks = trimap(document, WHITE, Area(0, 0, 1, 1), "Trimap")
    with pytest.raises(LayerProblem, match="“Trimap” tells subject and background apart"):
        host.targets(False)
    mask = document.createTransparencyMask("m")
    marks.addChildNode(mask, None)
    document.setActiveNode(mask)
    with pytest.raises(LayerProblem, match="choose the photo's layer"):
        host.targets(False)
    api.Krita._selected = [marks, layer]
    assert [target.node_id for target in host.targets(True)] == [layer.uniqueId()]


def test_visible_trimap_in_a_group_is_not_in_the_groups_picture() -> None:
    api, host, document = opened()
    group = GroupLayer(document, "group")
    group._rect = (0, 0, W, H)
    added(document, group)
    marks = document.createNode("trimap", "paintlayer")
    group.addChildNode(marks, None)
    shown: list[bool] = []
    projection = GroupLayer.projectionPixelData

    class Watched(GroupLayer):
        def projectionPixelData(self, x: int, y: int, w: int, h: int) -> bytes:
            shown.append(any(child.visible() for child in self.childNodes()))
            return projection(self, x, y, w, h)

    group.__class__ = Watched
    host.snapshot(host.targets(False)[0], Settings(), None)
    assert shown == [False]
    assert marks.visible()
    assert api.Krita.documents() == [document]
