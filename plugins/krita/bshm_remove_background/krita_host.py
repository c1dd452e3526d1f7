"""Krita's documents and layers: which ones are meant, and results into them.

All of it on the main thread.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .colours import ColourSpace
from .host import Applied, Area, CutOut, LayerProblem, Snapshot, Target
from .i18n import tr
from .reading import converted, read_layer, read_trimap, space_of
from .settings import Settings
from .trimap import is_trimap

_LAYERS = {
    "paintlayer",
    "grouplayer",
    "filelayer",
    "clonelayer",
    "vectorlayer",
    "filllayer",
}
_PICTURE = 256  # pixels, the longer side


class KritaHost:
    """Implements `host.Host`.

    Parameters
    ----------
    api
        The ``krita`` module.
    """

    def __init__(self, api: Any) -> None:
        self._api = api

    @property
    def _application(self) -> Any:
        return self._api.Krita.instance()

    # ------------------------------------------------------------ finding layers

    def targets(self, every_selected: bool) -> list[Target]:
        document = self._application.activeDocument()
        if document is None:
            raise LayerProblem(tr("Open an image first."))
        nodes = self._selected() if every_selected else []
        if not nodes:
            active = document.activeNode()
            nodes = [active] if active is not None else []
        chosen: list[Any] = []
        for node in map(_layer_of, nodes):
            if node is not None and all(node.uniqueId() != one.uniqueId() for one in chosen):
                chosen.append(node)
        layers = [node for node in chosen if not is_trimap(node)]
        if chosen and not layers:
            raise LayerProblem(
                tr(
                    "The layer “{name}” tells subject and background apart for other layers: "
                    "choose the photo's layer.",
                    name=chosen[0].name(),
                )
            )
        if not layers:
            raise LayerProblem(tr("Choose a layer with pixels first."))
        return [
            Target(document, layer.uniqueId(), layer.name(), _keyframes(document, layer))
            for layer in layers
        ]

    def _selected(self) -> list[Any]:
        window = self._application.activeWindow()
        view = window.activeView() if window is not None else None
        return list(view.selectedNodes()) if view is not None else []

    def _node(self, target: Target) -> Any:
        if all(target.document != document for document in self._application.documents()):
            raise LayerProblem(tr("The image was closed: nothing was changed."))
        node = target.document.nodeByUniqueID(target.node_id)
        if node is None or node.parentNode() is None:
            raise LayerProblem(
                tr("The layer “{name}” was deleted: nothing was changed.", name=target.name)
            )
        return node

    def snapshot(self, target: Target, settings: Settings, frame: int | None) -> Snapshot:
        node = self._node(target)
        if settings.output == "mask" and frame is None:
            _check_takes_masks(node)
        snapshot = read_layer(self._application, target.document, node, frame)
        area = snapshot.area
        selection = target.document.selection() if settings.use_selection else None
        over_area = None
        if selection is not None and selection.width() > 0 and selection.height() > 0:
            over_area = selection.pixelData(area.x, area.y, area.width, area.height)
        trimap = read_trimap(self._application, target.document, area, frame)
        scale = min(1.0, _PICTURE / max(area.width, area.height))
        size = (max(1, round(area.width * scale)), max(1, round(area.height * scale)))
        picture = node.thumbnail(*size)
        return replace(snapshot, selection=over_area, trimap=trimap, picture=picture)

    # ------------------------------------------------------------ results

    def add_mask(
        self, target: Target, area: Area, alpha: bytes, settings: Settings
    ) -> Applied | None:
        node = self._node(target)
        _check_takes_masks(node)
        document = target.document
        existing = [mask for mask in node.childNodes() if mask.type() == "transparencymask"]
        if settings.existing == "replace" and existing:
            mask = self._replace_masks(document, node, existing, area, alpha)
            return Applied(target, mask.uniqueId(), area, alpha)
        mask = document.createTransparencyMask(tr("Background Removed"))
        # Pixels before the tree: only so is it one step of undo.
        mask.setPixelData(alpha, area.x, area.y, area.width, area.height)
        if not node.addChildNode(mask, None):
            raise LayerProblem(
                tr("Krita did not accept a mask on the layer “{name}”.", name=target.name)
            )
        document.waitForDone()
        return Applied(target, mask.uniqueId(), area, alpha)

    def _replace_masks(
        self, document: Any, node: Any, existing: list[Any], area: Area, alpha: bytes
    ) -> Any:
        """Put a new mask in place of the one there is, in one step of undo.

        Krita's API adds a node and removes a node in two steps. Its own command that
        converts a mask to a transparency mask adds a copy and removes the original in one:
        so the old mask gets the new pixels, is converted, and gets its own pixels back in
        the history, where undo finds it.
        """
        if len(existing) > 1:
            raise LayerProblem(
                tr(
                    "The layer “{name}” has several transparency masks: merge or delete some, "
                    "or choose to keep existing masks.",
                    name=node.name(),
                )
            )
        old = existing[0]
        rectangle = _rectangle(_cover(old.bounds(), area))
        saved = old.pixelData(*rectangle)
        before = {child.uniqueId() for child in node.childNodes()}
        document.setActiveNode(old)
        document.waitForDone()
        try:
            old.setPixelData(bytes(len(saved)), *rectangle)
            old.setPixelData(alpha, area.x, area.y, area.width, area.height)
            action = self._application.action("convert_to_transparency_mask")
            enabled = action.isEnabled()
            action.setEnabled(True)
            action.trigger()
            action.setEnabled(enabled)
            document.waitForDone()
        finally:
            old.setPixelData(saved, *rectangle)
        made = [child for child in node.childNodes() if child.uniqueId() not in before]
        if len(made) != 1:
            document.refreshProjection()
            raise LayerProblem(
                tr("Krita did not replace the mask of the layer “{name}”.", name=node.name())
            )
        made[0].setName(tr("Background Removed"))
        document.refreshProjection()
        return made[0]

    def add_layer(self, target: Target, cut_out: CutOut) -> None:
        node = self._node(target)
        document = target.document
        layer = document.createNode(tr("{name} without background", name=target.name), "paintlayer")
        data = self._in_space(cut_out, space_of(layer))
        layer.setPixelData(data, *_rectangle(cut_out.area))
        self._put_above(target, node, layer)

    def add_animation(self, target: Target, frames: dict[int, CutOut]) -> None:
        node = self._node(target)
        document = target.document
        # Only a duplicate has keyframes before it is in the document.
        layer = node.duplicate()
        layer.setName(tr("{name} without background", name=target.name))
        now = document.currentTime()
        try:
            for time, cut_out in frames.items():
                own = converted(document, cut_out.data, cut_out.area, cut_out.space, space_of(node))
                document.setCurrentTime(time)
                document.waitForDone()
                layer.setPixelData(own, *_rectangle(cut_out.area))
        finally:
            document.setCurrentTime(now)
            document.waitForDone()
        self._put_above(target, node, layer)

    def _in_space(self, cut_out: CutOut, wanted: ColourSpace) -> Any:
        return converted(self._application, cut_out.data, cut_out.area, cut_out.space, wanted)

    def _put_above(self, target: Target, node: Any, layer: Any) -> None:
        if not node.parentNode().addChildNode(layer, node):
            raise LayerProblem(tr("Krita did not accept the new layer."))
        target.document.waitForDone()

    def select(self, target: Target, area: Area, alpha: bytes) -> None:
        self._node(target)
        document = target.document
        # Krita's API keeps this out of the history; see wording.undo_text.
        selection = self._api.Selection()
        selection.setPixelData(alpha, area.x, area.y, area.width, area.height)
        document.setSelection(selection)
        document.waitForDone()

    # ------------------------------------------------------------ live changes

    def change_mask(self, applied: Applied, alpha: bytes) -> Applied | None:
        try:
            self._node(applied.target)
        except LayerProblem:
            return None
        document = applied.target.document
        mask = document.nodeByUniqueID(applied.mask_id)
        if mask is None or mask.parentNode() is None:
            return None
        rectangle = _rectangle(applied.area)
        if bytes(mask.pixelData(*rectangle)) != applied.alpha:
            return None
        mask.setPixelData(alpha, *rectangle)
        document.refreshProjection()
        return replace(applied, alpha=alpha)


def _layer_of(node: Any) -> Any:
    """Return the layer that `node` is, or whose mask it is; None for other kinds."""
    if node.type().endswith("mask"):
        node = node.parentNode()
    return node if node is not None and node.type() in _LAYERS else None


def _keyframes(document: Any, node: Any) -> tuple[int, ...]:
    """Return the times of a paint layer's keyframes; none where it does not change."""
    if node.type() != "paintlayer" or not node.animated():
        return ()
    last = max(document.animationLength(), document.fullClipRangeEndTime(), document.currentTime())
    times = tuple(time for time in range(last + 1) if node.hasKeyframeAtTime(time))
    return times if len(times) > 1 else ()


def _check_takes_masks(node: Any) -> None:
    if node.locked():
        raise LayerProblem(
            tr("The layer “{name}” is locked: unlock it and try again.", name=node.name())
        )
    if node.type() == "grouplayer" and node.passThroughMode():
        raise LayerProblem(
            tr(
                "The group “{name}” is in pass-through mode, where Krita ignores masks: "
                "switch that off and try again.",
                name=node.name(),
            )
        )


def _rectangle(area: Area) -> tuple[int, int, int, int]:
    return area.x, area.y, area.width, area.height


def _cover(bounds: Any, area: Area) -> Area:
    """Return the rectangle around a mask's bounds and `area`."""
    x, y = min(bounds.x(), area.x), min(bounds.y(), area.y)
    right = max(bounds.x() + bounds.width(), area.x + area.width)
    bottom = max(bounds.y() + bounds.height(), area.y + area.height)
    return Area(x, y, right - x, bottom - y)
