"""As much of Krita's API as the plugin's layer code uses, with a history of undo steps.

A case inside the real Krita checks that every method here is there too, with the same
number of arguments.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

_PIXEL = {"U8": 1, "U16": 2, "F16": 2, "F32": 4}
_CHANNELS = {"RGBA": 4, "GRAYA": 2, "CMYKA": 5, "LABA": 4}
_ids = itertools.count(1)


class Rect:
    def __init__(self, x: int, y: int, w: int, h: int) -> None:
        self._values = (x, y, w, h)

    def x(self) -> int:
        return self._values[0]

    def y(self) -> int:
        return self._values[1]

    def width(self) -> int:
        return self._values[2]

    def height(self) -> int:
        return self._values[3]


class Node:
    def __init__(self, document: Document, name: str, kind: str) -> None:
        self._document = document
        self._id = next(_ids)
        self._name = name
        self._kind = kind
        self._space = (document._space[0], document._space[1], document._space[2])
        self._rect = (0, 0, 0, 0)
        self._data = b""
        self._children: list[Node] = []
        self._parent: Node | None = None
        self._locked = False
        self._visible = True
        self._frames: dict[int, bytes] = {}

    def name(self) -> str:
        return self._name

    def setName(self, value: str) -> None:
        self._name = value

    def type(self) -> str:
        return self._kind

    def uniqueId(self) -> int:
        return self._id

    def parentNode(self) -> Node | None:
        return self._parent

    def childNodes(self) -> list[Node]:
        return list(self._children)

    def locked(self) -> bool:
        return self._locked

    def visible(self) -> bool:
        return self._visible

    def setVisible(self, value: bool) -> None:
        self._visible = value

    def animated(self) -> bool:
        return bool(self._frames)

    def hasKeyframeAtTime(self, time: int) -> bool:
        return time in self._frames

    def bounds(self) -> Rect:
        return Rect(*self._rect)

    def colorModel(self) -> str:
        return self._space[0]

    def colorDepth(self) -> str:
        return self._space[1]

    def colorProfile(self) -> str:
        return self._space[2]

    def setColorSpace(self, model: str, depth: str, profile: str) -> bool:
        # As in Krita: a step in the history of the document that made the node.
        self._document._history.append("Convert Layer Color Space")
        self._space = (model, depth, profile)
        self._data = b"%" * (self._rect[2] * self._rect[3] * self._size())
        return True

    def pixelData(self, x: int, y: int, w: int, h: int) -> bytes:
        size = self._size()
        ox, oy, ow, oh = self._rect
        rows = []
        for row in range(y, y + h):
            line = bytearray(w * size)
            for column in range(x, x + w):
                if ox <= column < ox + ow and oy <= row < oy + oh:
                    at = ((row - oy) * ow + column - ox) * size
                    line[(column - x) * size : (column - x + 1) * size] = self._data[at : at + size]
            rows.append(bytes(line))
        return b"".join(rows)

    def pixelDataAtTime(self, x: int, y: int, w: int, h: int, time: int) -> bytes:
        return self._frames[time][:1] * (w * h * self._size())

    def projectionPixelData(self, x: int, y: int, w: int, h: int) -> bytes:
        hidden = any(m._kind == "transparencymask" and m._visible for m in self._children)
        return (b"M" if hidden else b"P") * (w * h * self._size())

    def setPixelData(self, data: bytes, x: int, y: int, w: int, h: int) -> None:
        assert len(data) == w * h * self._size()
        self._rect, self._data = (x, y, w, h), bytes(data)
        self._frames[self._document._time] = bytes(data) if self._frames else b""
        if self._frames == {self._document._time: b""}:
            self._frames = {}

    def thumbnail(self, w: int, h: int) -> tuple[int, int]:
        return w, h

    def duplicate(self) -> Node:
        twin: Node = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._id, twin._parent, twin._frames = next(_ids), None, dict(self._frames)
        twin._children = [child.duplicate() for child in self._children]
        for child in twin._children:
            child._parent = twin
        return twin

    def addChildNode(self, child: Node, above: Node | None) -> bool:
        child._parent = self
        at = len(self._children) if above is None else self._children.index(above) + 1
        self._children.insert(at, child)
        self._document._history.append("Add Layer")
        return True

    def remove(self) -> bool:
        assert self._parent is not None
        self._parent._children.remove(self)
        self._parent = None
        return True

    def _size(self) -> int:
        if self._kind.endswith("mask"):
            return 1
        return _CHANNELS[self._space[0]] * _PIXEL[self._space[1]]


class GroupLayer(Node):
    def __init__(self, document: Document, name: str) -> None:
        super().__init__(document, name, "grouplayer")
        self._passes = False

    def passThroughMode(self) -> bool:
        return self._passes

    def setPassThroughMode(self, value: bool) -> None:
        self._passes = value


class Selection:
    def __init__(self) -> None:
        self._rect = (0, 0, 0, 0)
        self._data = b""

    def width(self) -> int:
        return self._rect[2]

    def height(self) -> int:
        return self._rect[3]

    def pixelData(self, x: int, y: int, w: int, h: int) -> bytes:
        return b"S" * (w * h)

    def setPixelData(self, data: bytes, x: int, y: int, w: int, h: int) -> None:
        self._rect, self._data = (x, y, w, h), bytes(data)


class Document:
    def __init__(self, krita: Krita, width: int, height: int, space: tuple[str, str, str]) -> None:
        self._krita = krita
        self._size = (width, height)
        self._space = space
        self._history: list[str] = []
        self._time = 0
        self._selection: Selection | None = None
        self._root = Node(self, "root", "grouplayer")
        self._active: Node | None = None

    def width(self) -> int:
        return self._size[0]

    def height(self) -> int:
        return self._size[1]

    def colorModel(self) -> str:
        return self._space[0]

    def colorDepth(self) -> str:
        return self._space[1]

    def colorProfile(self) -> str:
        return self._space[2]

    def rootNode(self) -> Node:
        return self._root

    def activeNode(self) -> Node | None:
        return self._active

    def setActiveNode(self, node: Node) -> None:
        self._active = node

    def nodeByUniqueID(self, id: int) -> Node | None:
        def search(node: Node) -> Node | None:
            if node._id == id:
                return node
            return next(filter(None, map(search, node._children)), None)

        return search(self._root)

    def createNode(self, name: str, kind: str) -> Node:
        return Node(self, name, kind)

    def createTransparencyMask(self, name: str) -> Node:
        return Node(self, name, "transparencymask")

    def selection(self) -> Selection | None:
        return self._selection

    def setSelection(self, selection: Selection) -> None:
        self._selection = selection

    def currentTime(self) -> int:
        return self._time

    def setCurrentTime(self, time: int) -> None:
        self._time = time

    def animationLength(self) -> int:
        return 10

    def fullClipRangeEndTime(self) -> int:
        return 10

    def refreshProjection(self) -> None:
        pass

    def waitForDone(self) -> None:
        pass

    def setModified(self, value: bool) -> None:
        pass

    def close(self) -> bool:
        self._krita._documents.remove(self)
        return True


class View:
    def __init__(self, krita: Krita) -> None:
        self._krita = krita

    def selectedNodes(self) -> list[Node]:
        return list(self._krita._selected)


class Window:
    def __init__(self, krita: Krita) -> None:
        self._krita = krita

    def activeView(self) -> View:
        return View(self._krita)


class Action:
    """Qt's, not Krita's."""

    def __init__(self, run: Callable[[], None]) -> None:
        self._run = run

    def isEnabled(self) -> bool:
        return False

    def setEnabled(self, value: bool) -> None:
        pass

    def trigger(self) -> None:
        self._run()


class Krita:
    def __init__(self) -> None:
        self._documents: list[Document] = []
        self._selected: list[Node] = []

    def instance(self) -> Krita:
        return self

    def documents(self) -> list[Document]:
        return list(self._documents)

    def activeDocument(self) -> Document | None:
        return self._documents[0] if self._documents else None

    def activeWindow(self) -> Window:
        return Window(self)

    def createDocument(
        self,
        width: int,
        height: int,
        name: str,
        colorModel: str,
        colorDepth: str,
        profile: str,
        resolution: float,
    ) -> Document:
        document = Document(self, width, height, (colorModel, colorDepth, profile))
        self._documents.append(document)
        return document

    def action(self, name: str) -> Action:
        assert name == "convert_to_transparency_mask", name
        return Action(self._convert)

    def _convert(self) -> None:
        document = self._documents[0]
        old = document._active
        assert old is not None and old._parent is not None
        new = Node(document, "Transparency Mask 2", "transparencymask")
        new._rect, new._data, new._parent = old._rect, old._data, old._parent
        old._parent._children[old._parent._children.index(old)] = new
        old._parent = None
        document._history.append("Convert to a Selection Mask")


class Api:
    """Stands for the module ``krita``."""

    def __init__(self) -> None:
        self.Krita = Krita()
        self.Selection = Selection


CHECKED = (Node, GroupLayer, Selection, Document, View, Window, Krita)
"""Classes whose public methods the real API must have."""
