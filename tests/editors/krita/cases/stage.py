"""What the cases do with Krita: documents, clicks, undo, and evidence for the outside."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.editors.krita.cases.freezing import Frozen

_SRGB, _LINEAR = "sRGB-elle-V2-srgbtrc.icc", "sRGB-elle-V2-g10.icc"
_GRAY, _LINEAR_GRAY = "Gray-D50-elle-V2-srgbtrc.icc", "Gray-D50-elle-V2-g10.icc"

# What Krita itself proposes for a new document.
PROFILES = {
    ("RGBA", "U8"): _SRGB,
    ("RGBA", "U16"): _LINEAR,
    ("RGBA", "F16"): _LINEAR,
    ("RGBA", "F32"): _LINEAR,
    ("GRAYA", "U8"): _GRAY,
    ("GRAYA", "U16"): _LINEAR_GRAY,
    ("GRAYA", "F16"): _LINEAR_GRAY,
    ("GRAYA", "F32"): _LINEAR_GRAY,
    **{("CMYKA", depth): "Chemical proof" for depth in ("U8", "U16", "F32")},
    **{("LABA", depth): "Lab identity built-in" for depth in ("U8", "U16", "F32")},
}


# Not needed here, and in the docker's place.
HIDDEN = {"Advanced Color Selector", "Specific Color Selector", "Brush Presets", "Tool Options"}


class Stage:
    """One per start of Krita.

    Parameters
    ----------
    plan
        ``evidence`` names the folder into which pixels are written; the rest is for cases.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        import krita

        self.plan = plan
        self.krita = krita
        self.application = krita.Krita.instance()
        self.window = self.application.activeWindow()
        self.name = ""
        self.values: dict[str, Any] = {}
        self._widgets: dict[str, Any] = {}
        self.arrange()
        self._installed = bool(plan.get("installed", True))
        if self._installed:
            self.loaded_settings = self.controller.settings

    def arrange(self) -> None:
        """Give the docker a place where all of it can be seen.

        Krita shows its dockers again when the first document opens.
        """
        from PyQt5.QtCore import Qt

        main = self.window.qwindow()
        main.setGeometry(0, 0, 1600, 1000)
        for docker in self.application.dockers():
            if docker.windowTitle().replace("&", "") in HIDDEN:
                docker.setVisible(False)
        for docker in self.application.dockers():
            if docker.objectName() == "bshm_remove_background_docker":
                docker.setVisible(True)
                docker.raise_()
                main.resizeDocks([docker], [680], Qt.Vertical)

    # ------------------------------------------------------------ the driver's side

    def begin(self, name: str) -> None:
        self.name = name
        self.values = {}
        if self._installed:
            self.settings()
            self.controller._show(type(self.controller.state)())  # as after Krita's start

    def end(self) -> Iterator[Any]:
        """Leave nothing at work and nothing open for the next case."""
        if self._installed:
            self.controller.cancel()
            yield lambda: self.idle() and self.widget("bshm_panel").live.settled
        for document in self.application.documents():
            document.waitForDone()
        yield 0.1  # what Krita draws of them is on its way
        for document in self.application.documents():
            document.setModified(False)
            document.close()

    def describe(self) -> str:
        return f"state: {self.controller.state}; next undo: {self.undo_text()}"

    # ------------------------------------------------------------ the plugin

    @property
    def controller(self) -> Any:
        return self.widget("bshm_panel").controller

    def widget(self, name: str) -> Any:
        """Return the docker's widget of that object name in the first window."""
        from PyQt5.QtWidgets import QWidget

        if name not in self._widgets:  # searching Krita's window takes a tenth of a second
            found = self.window.qwindow().findChild(QWidget, name)
            assert found is not None, name
            self._widgets[name] = found
        return self._widgets[name]

    def click(self, name: str) -> None:
        from PyQt5.QtCore import Qt
        from PyQt5.QtTest import QTest

        QTest.mouseClick(self.widget(name), Qt.MouseButton.LeftButton)

    def press(self, name: str) -> Iterator[Any]:
        """Move the real pointer onto a widget and click; yield until the widget had it."""
        widget = self.widget(name)
        pressed: list[bool] = []
        widget.pressed.connect(lambda: pressed.append(True))
        yield lambda: widget.isEnabled() and not widget.visibleRegion().isEmpty()
        yield 0.1  # its place in the layout is what is drawn
        middle = widget.mapToGlobal(widget.rect().center())
        move = ["xdotool", "mousemove", "--sync", str(middle.x()), str(middle.y())]
        yield from self._run(move)
        yield from self._run(["xdotool", "click", "1"])
        yield lambda: pressed and not widget.isDown()

    def _run(self, command: list[str]) -> Iterator[Any]:
        process = subprocess.Popen(command)
        yield lambda: process.poll() is not None
        assert process.returncode == 0, command

    def menu_texts(self, title: str) -> list[str]:
        """Return the entries of a menu below Tools."""
        for menu in self.window.qwindow().menuBar().actions():
            for entry in menu.menu().actions() if menu.menu() else []:
                if entry.menu() and entry.text().replace("&", "") == title:
                    return [action.text().replace("&", "") for action in entry.menu().actions()]
        return []

    def settings(self, **changes: Any) -> None:
        """Choose the settings that are the default, but for `changes`."""
        kind = type(self.controller.settings)
        self.controller.change_settings(kind(**changes))

    def client(self, name: str = "krita") -> Any:
        """Return a client of the service, beside the plugin's own."""
        from bshm_remove_background.vendoring import (  # type: ignore[import-not-found]
            use_vendored,
        )

        use_vendored()
        from bridge_client import BridgeClient

        return BridgeClient(name)

    def idle(self) -> bool:
        """Whether nothing is in work; for waiting."""
        return not self.controller.working

    @contextmanager
    def frozen(self, stage: str = "running", detail: str = "inference") -> Iterator[Frozen]:
        """Hold the service still once the next job is at that step."""
        frozen = Frozen(self.controller._worker, self.service_pid, stage, detail)
        try:
            yield frozen
        finally:
            frozen.thaw()

    def at(self, stage: str = "running", detail: str = "inference") -> Callable[[], bool]:
        """Return a condition: the job in work is at that step, where it is frozen."""

        def there() -> bool:
            step = self.controller.state.progress
            if not self.controller.working or step is None:
                return False
            return (step.stage, step.detail) == (stage, detail)

        return there

    # ------------------------------------------------------------ documents

    def document(self, width: int, height: int, model: str, depth: str, profile: str = "") -> Any:
        """Open an empty document in a view; yield until it is the active one."""
        document = self.application.createDocument(
            width, height, self.name, model, depth, profile, 120.0
        )
        assert document is not None
        self.window.addView(document)
        return document

    def photograph(
        self, model: str = "RGBA", depth: str = "U8", profile: str = "", size: str = "small"
    ) -> Any:
        """Open the portrait as a document of that colour space; its one layer holds it."""
        portrait = self.plan["portraits"][size]
        width, height = portrait["width"], portrait["height"]
        document = self.document(width, height, "RGBA", "U8")
        layer = document.topLevelNodes()[-1]
        layer.setPixelData(Path(portrait["bgra"]).read_bytes(), 0, 0, width, height)
        if (model, depth) != ("RGBA", "U8") or profile:
            names = self.application.profiles(model, depth)
            chosen = profile or PROFILES[model, depth]
            assert chosen in names, (chosen, names)
            assert document.setColorSpace(model, depth, chosen)
        document.refreshProjection()
        document.waitForDone()
        return document

    def mark(self, document: Any, layer: Any) -> None:
        """Make the layer's pixels such as the service has not seen, so that it takes its time."""
        layer.setPixelData((os.urandom(3) + b"\xff") * 9, 0, 0, 3, 3)
        document.refreshProjection()

    def pasted(self, document: Any, x: int, y: int, size: str = "small") -> Any:
        """Add a layer with exactly the portrait's pixels at a place of its own; it is active."""
        portrait = self.plan["portraits"][size]
        layer = document.createNode("portrait", "paintlayer")
        data = Path(portrait["bgra"]).read_bytes()
        layer.setPixelData(data, x, y, portrait["width"], portrait["height"])
        return self.added(document, layer)

    def added(self, document: Any, layer: Any) -> Any:
        """Put a layer on top, make it the active one, and return it."""
        document.rootNode().addChildNode(layer, None)
        document.refreshProjection()
        document.waitForDone()
        document.setActiveNode(layer)
        return layer

    def chosen(self, document: Any, *layers: Any) -> Iterator[Any]:
        """Make a layer the selected one, or wait for several that are selected by other means.

        Krita selects a layer that was added some time after it was added.
        """
        wanted = {layer.uniqueId().toString() for layer in layers}
        since: list[float] = []

        def known() -> bool:
            nodes = self.window.activeView().selectedNodes()
            if {node.uniqueId().toString() for node in nodes} != wanted:
                since.clear()
                if len(layers) == 1:
                    document.setActiveNode(layers[0])
                return False
            since.append(time.monotonic())
            return since[-1] - since[0] > 0.2

        document.waitForDone()
        yield known

    def at_time(self, document: Any, time: int) -> Iterator[Any]:
        """Go to a time of an animation; yield until Krita is there."""
        document.setCurrentTime(time)
        document.waitForDone()
        yield lambda: document.currentTime() == time
        yield 0.2

    def settled(self, document: Any, layer: Any) -> Iterator[Any]:
        """Yield until a layer that Krita draws by and by shows something, always the same."""
        rectangle = (0, 0, document.width(), document.height())
        seen: list[tuple[float, bytes]] = []

        def still() -> bool:
            now, shown = time.monotonic(), bytes(layer.projectionPixelData(*rectangle))
            if not seen or seen[0][1] != shown:
                seen[:] = [(now, shown)]
            return any(shown) and now - seen[0][0] > 0.3

        document.refreshProjection()
        document.waitForDone()
        yield still

    def active(self, document: Any) -> Any:
        """Return a condition: the document is the active one and Krita's menus know it.

        And the docker is seen: Krita hides it behind others when the first document opens.
        """
        since: list[float] = []

        def condition() -> bool:
            if self.application.activeDocument() != document or document.activeNode() is None:
                return False
            since.append(time.monotonic())
            if len(since) == 1:
                self.arrange()
            if self._installed and self.widget("bshm_panel").visibleRegion().isEmpty():
                return False
            return since[-1] - since[0] > 0.15

        return condition

    def undone(self, document: Any, gone: Callable[[], object]) -> Iterator[Any]:
        """Undo one step and yield until `gone()`.

        Krita's menu learns of a step some time after it was made; whoever is faster than
        that leaves it with the text of a step that is undone. And where Krita is at work on
        the image, it undoes later.
        """
        yield 0.4
        yield from self._stepped(document, "edit_undo", gone)

    def redone(self, document: Any, back: Callable[[], object]) -> Iterator[Any]:
        """Redo one step and yield until `back()`."""
        yield from self._stepped(document, "edit_redo", back)

    def _stepped(self, document: Any, name: str, made: Callable[[], object]) -> Iterator[Any]:
        document.waitForDone()
        action = self.application.action(name)
        yield action.isEnabled
        action.trigger()
        document.waitForDone()
        yield made
        yield 0.1

    def undo_text(self) -> str:
        """Return what the next undo would take back."""
        text: str = self.application.action("edit_undo").text()
        return text

    def history_is(self, text: str) -> Any:
        """Return a condition: the next undo is again what it was."""
        return lambda: self.undo_text() == text

    # ------------------------------------------------------------ evidence

    def keep_sent(self, sent: dict[str, Any]) -> None:
        """Keep what the service should get, for the outside to send it too."""
        self.keep("layer", sent.pop("data"))
        self.values["sent"] = sent

    def keep(self, label: str, data: Any) -> None:
        """Write bytes for the outside to compare; their path is in the case's values."""
        safe = "".join(letter if letter.isalnum() else "-" for letter in f"{self.name}-{label}")
        path = Path(self.plan["evidence"]) / safe
        path.write_bytes(bytes(data))
        self.values[label] = str(path)

    def keep_window(self, label: str) -> None:
        """Keep a picture of Krita's window."""
        path = Path(self.plan["evidence"]) / f"{label}.png"
        window = self.window.qwindow()
        window.screen().grabWindow(window.winId()).save(str(path))
        self.values[label] = str(path)

    def service_pid(self) -> int:
        file = Path(os.environ["BSHM_HOME"]) / "run" / "service.json"
        return int(json.loads(file.read_text())["pid"])

    def prepare_launch(self, delay: float = 0) -> None:
        """Say how the service is started from in here, and how much longer that takes.

        A starting service writes down its own command, which works outside only where Krita
        runs in a chroot.
        """
        launch = json.loads(self.plan["launch"])
        if delay:
            later = f'sleep {delay}; exec "$0" "$@"'
            launch["command"] = ["/bin/sh", "-c", later, *launch["command"]]
        (Path(os.environ["BSHM_HOME"]) / "launch.json").write_text(json.dumps(launch))


def as_sent(layer: Any, rectangle: tuple[int, int, int, int], data: Any = None) -> dict[str, Any]:
    """Return a layer's pixels as the service should get them, and how they are described.

    A plain description of what the plugin is to do, beside the plugin's own code.
    """
    data = layer.pixelData(*rectangle) if data is None else data
    model, depth, profile = layer.colorModel(), layer.colorDepth(), layer.colorProfile()
    if profile not in (_SRGB, _LINEAR, _GRAY, _LINEAR_GRAY):
        import krita

        elsewhere = krita.Krita.instance().createDocument(9, 9, "", model, depth, profile, 72.0)
        copy = elsewhere.createNode("copy", "paintlayer")
        copy.setPixelData(data, *rectangle)
        copy.setColorSpace("RGBA", depth, _SRGB)
        data = copy.pixelData(*rectangle)
        model, profile = "RGBA", _SRGB
        elsewhere.close()
    return {
        "data": bytes(data),
        "width": rectangle[2],
        "height": rectangle[3],
        "layout": "GRAYA" if model == "GRAYA" else "BGRA" if depth[0] == "U" else "RGBA",
        "depth": depth.lower(),
        "linear": profile in (_LINEAR, _LINEAR_GRAY),
    }
