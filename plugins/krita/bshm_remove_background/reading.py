"""Pixels out of Krita: what a layer looks like before its transparency masks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import colours
from .colours import ColourSpace
from .host import Area, LayerProblem, Snapshot
from .i18n import tr
from .trimap import Trimap, is_trimap, trimap_in

_BLACK_AND_WHITE = b"\0\0\0\xff\xff\xff\xff\xff"  # two pixels of colours.PLAIN

# Masks that change what a layer shows or where; transparency masks only hide.
_EFFECTS = {"filtermask", "transformmask", "colorizemask"}


def read_layer(application: Any, document: Any, node: Any, frame: int | None) -> Snapshot:
    """Return the pixels of a layer in a format that the service knows.

    Parameters
    ----------
    application
        ``Krita.instance()``.
    document, node
        The layer and where it is.
    frame
        Time of a keyframe of an animated paint layer; None for what is shown now.

    Raises
    ------
    LayerProblem
        The layer is empty, or Krita did not give its pixels.
    """
    document.waitForDone()
    if frame is not None:
        area = _united(_bounds(node), _canvas(document))
        data = node.pixelDataAtTime(area.x, area.y, area.width, area.height, frame)
    elif node.type() == "paintlayer" and not _effects(node):
        area = _bounds(node)
        _check_not_empty(area, node)
        data = node.pixelData(area.x, area.y, area.width, area.height)
    else:
        area = _canvas(document)
        if "transformmask" not in _effects(node):
            area = _common(_bounds(node), area)
        _check_not_empty(area, node)
        data = _projection(application, document, node, area)
    space = space_of(node)
    wire = colours.wire_format(space)
    if wire is None:
        wanted = colours.converted(space)
        data = converted(application, data, area, space, wanted)
        space, wire = wanted, colours.wire_format(wanted)
        assert wire is not None
    if len(data) != area.width * area.height * wire.pixel_size:
        raise LayerProblem(tr("Krita could not read the layer “{name}”.", name=node.name()))
    return Snapshot(area, data, space, wire)


def read_trimap(application: Any, document: Any, area: Area, frame: int | None) -> Trimap | None:
    """Return what the document's trimap layer says of `area`; None where it does not reach.

    Its own pixels count, whether it is visible or not; `frame` is as in `read_layer`.
    """
    node = trimap_in(document.rootNode())
    place = _common(_bounds(node), area) if node is not None else None
    if place is None or place.width < 1 or place.height < 1:
        return None
    rectangle = (place.x, place.y, place.width, place.height)
    if frame is not None and node.animated():
        data = node.pixelDataAtTime(*rectangle, frame)
    else:
        data = node.pixelData(*rectangle)
    space = space_of(node)
    wire = colours.wire_format(space)
    ends = _BLACK_AND_WHITE
    if wire is None or wire.depth != "u8" or wire.linear:
        data = converted(application, data, place, space, colours.PLAIN)
        # Not every profile has a black as deep as sRGB's: it is what sRGB's becomes in it.
        two = Area(0, 0, 2, 1)
        there = converted(application, ends, two, colours.PLAIN, space)
        ends = bytes(converted(application, there, two, space, colours.PLAIN))
        wire = colours.wire_format(colours.PLAIN)
        assert wire is not None
    if len(data) != place.width * place.height * wire.pixel_size:
        raise LayerProblem(tr("Krita could not read the layer “{name}”.", name=node.name()))
    return Trimap(data, wire.pixel_size, place, area, ends[:4], ends[4:])


def space_of(owner: Any) -> ColourSpace:
    """Return the colour space of a node or a document."""
    return ColourSpace(owner.colorModel(), owner.colorDepth(), owner.colorProfile())


def converted(
    application: Any, data: Any, area: Area, space: ColourSpace, wanted: ColourSpace
) -> Any:
    """Return pixels in another colour space, as Krita converts them.

    Raises
    ------
    LayerProblem
        Krita cannot convert between the two.
    """
    if space == wanted:
        return data
    rectangle = (area.x, area.y, area.width, area.height)
    with aside(application, 16, 16, space) as document:
        carrier = document.createNode("", "paintlayer")
        carrier.setPixelData(data, *rectangle)
        if not carrier.setColorSpace(wanted.model, wanted.depth, wanted.profile):
            raise LayerProblem(tr("Krita could not convert the layer's colours."))
        return carrier.pixelData(*rectangle)


@contextmanager
def aside(application: Any, width: int, height: int, space: ColourSpace) -> Iterator[Any]:
    """Lend a document that nobody sees: what is done in it is in no user's history.

    Even nodes that are in no tree write into the history of the document that made them.
    """
    document = application.createDocument(
        width, height, "", space.model, space.depth, space.profile, 72.0
    )
    if document is None:
        raise LayerProblem(tr("Krita could not convert the layer's colours."))
    try:
        yield document
    finally:
        document.setModified(False)
        document.close()


def _projection(application: Any, document: Any, node: Any, area: Area) -> Any:
    """Return what a layer shows, without its transparency masks and a trimap in a group."""
    rectangle = (area.x, area.y, area.width, area.height)
    if not _to_hide(node) and _shown(node) and not _passes_through(node):
        return node.projectionPixelData(*rectangle)
    space = space_of(document)
    with aside(application, document.width(), document.height(), space) as elsewhere:
        duplicate = node.duplicate()
        for hidden in _to_hide(duplicate):
            hidden.setVisible(False)
        duplicate.setVisible(True)
        if _passes_through(duplicate):
            duplicate.setPassThroughMode(False)
        elsewhere.rootNode().addChildNode(duplicate, None)
        elsewhere.refreshProjection()
        elsewhere.waitForDone()
        return duplicate.projectionPixelData(*rectangle)


def _effects(node: Any) -> set[str]:
    return {mask.type() for mask in node.childNodes() if mask.visible()} & _EFFECTS


def _to_hide(node: Any) -> list[Any]:
    masks = [mask for mask in node.childNodes() if mask.type() == "transparencymask"]
    return [child for child in [*masks, *_trimaps(node)] if child.visible()]


def _trimaps(node: Any) -> list[Any]:
    found = []
    for child in node.childNodes():
        found += [child] if is_trimap(child) else _trimaps(child)
    return found


def _shown(node: Any) -> bool:
    while node is not None:
        if not node.visible():
            return False
        node = node.parentNode()
    return True


def _passes_through(node: Any) -> bool:
    return node.type() == "grouplayer" and bool(node.passThroughMode())


def _check_not_empty(area: Area, node: Any) -> None:
    if area.width < 1 or area.height < 1:
        raise LayerProblem(
            tr("The layer “{name}” is empty, or all of it outside the image.", name=node.name())
        )


def _bounds(node: Any) -> Area:
    bounds = node.bounds()
    return Area(bounds.x(), bounds.y(), bounds.width(), bounds.height())


def _canvas(document: Any) -> Area:
    return Area(0, 0, document.width(), document.height())


def _common(one: Area, other: Area) -> Area:
    x, y = max(one.x, other.x), max(one.y, other.y)
    right = min(one.x + one.width, other.x + other.width)
    bottom = min(one.y + one.height, other.y + other.height)
    return Area(x, y, max(0, right - x), max(0, bottom - y))


def _united(one: Area, other: Area) -> Area:
    if one.width < 1 or one.height < 1:
        return other
    x, y = min(one.x, other.x), min(one.y, other.y)
    right = max(one.x + one.width, other.x + other.width)
    bottom = max(one.y + one.height, other.y + other.height)
    return Area(x, y, right - x, bottom - y)
