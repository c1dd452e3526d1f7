"""What the rest of the plugin knows of the editor: layers come in as pixels, results go out.

`krita_host` implements `Host`; nothing else touches Krita's documents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .colours import ColourSpace, WireFormat
from .settings import Settings

if TYPE_CHECKING:
    from .trimap import Trimap


class LayerProblem(Exception):
    """A layer cannot be read or changed; the text is a sentence for the user."""


@dataclass(frozen=True)
class Area:
    """A rectangle in the document's pixels; `x` and `y` may be negative."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Target:
    """A layer that was chosen, by handles that stay valid when it or its document is gone.

    Attributes
    ----------
    frames
        Times of the keyframes of an animated layer; empty for others.
    """

    document: Any
    node_id: Any
    name: str
    frames: tuple[int, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """A layer's pixels at one moment.

    Attributes
    ----------
    area
        Where the layer lies.
    data
        Rows from the top without padding, in `wire`'s format.
    space
        Colour space of `data`.
    selection
        The selection over `area`, one byte per pixel; None where nothing is selected.
    trimap
        What the document's trimap layer says of `area`; None where it says nothing.
    picture
        A small picture of the layer for people, of the editor's own kind; None for none.
    """

    area: Area
    data: Any = field(repr=False)
    space: ColourSpace
    wire: WireFormat
    selection: Any = field(default=None, repr=False)
    trimap: Trimap | None = field(default=None, repr=False)
    picture: Any = None


@dataclass(frozen=True)
class CutOut:
    """A finished cut-out: pixels in `space`, as the editor stores them."""

    area: Area
    data: Any = field(repr=False)
    space: ColourSpace


@dataclass(frozen=True)
class Applied:
    """A mask that was added and that live edge settings may still change.

    Attributes
    ----------
    alpha
        What was written into it, to see whether somebody else changed it since.
    """

    target: Target
    mask_id: Any
    area: Area
    alpha: bytes = field(repr=False)


class Host(Protocol):
    """The editor. Every method runs on the main thread and may raise `LayerProblem`."""

    def targets(self, every_selected: bool) -> list[Target]:
        """Return the active layer, or every selected one."""

    def snapshot(self, target: Target, settings: Settings, frame: int | None) -> Snapshot:
        """Return a layer's pixels without its transparency masks, at a time or as it is now."""

    def add_mask(
        self, target: Target, area: Area, alpha: bytes, settings: Settings
    ) -> Applied | None:
        """Give the layer a transparency mask in one undo step."""

    def add_layer(self, target: Target, cut_out: CutOut) -> None:
        """Put a cut-out above the layer in one undo step."""

    def add_animation(self, target: Target, frames: dict[int, CutOut]) -> None:
        """Put an animated cut-out above the layer in one undo step."""

    def select(self, target: Target, area: Area, alpha: bytes) -> None:
        """Make the matte the document's selection, outside of its history."""

    def change_mask(self, applied: Applied, alpha: bytes) -> Applied | None:
        """Write new opacities into a mask; None where it is gone or was changed by hand."""
