"""The plugin under PyQt6, as Krita 6 loads it, with the fake of Krita's documents.

The first argument names a JSON file: where the repository and the installed plugin are, the
portrait, and where the evidence goes.
"""

import json
import sys
import time
import types
from pathlib import Path

from PyQt6 import QtCore, QtGui, QtWidgets
from PyQt6.QtTest import QTest

plan = json.loads(Path(sys.argv[1]).read_text())
sys.path[:0] = [plan["repository"], plan["pykrita"]]

from tests.unit.krita import fake_krita

SRGB = "sRGB-elle-V2-srgbtrc.icc"


class Node(fake_krita.Node):
    def thumbnail(self, w, h):
        width, height = self._rect[2:]
        image = QtGui.QImage(self._data, width, height, QtGui.QImage.Format.Format_ARGB32)
        return image.scaled(w, h)


class Notifier(QtCore.QObject):
    applicationClosing = QtCore.pyqtSignal()

    def setActive(self, value):
        pass


class Application(fake_krita.Krita):
    def __init__(self):
        super().__init__()
        self.kept = {}
        self.extensions, self.factories = [], []
        self._notifier = Notifier()

    def version(self):
        return "6.0 (stand-in)"

    def notifier(self):
        return self._notifier

    def readSetting(self, group, name, default):
        return self.kept.get((group, name), default)

    def writeSetting(self, group, name, value):
        self.kept[group, name] = value

    def addExtension(self, extension):
        self.extensions.append(extension)

    def addDockWidgetFactory(self, factory):
        self.factories.append(factory)


class Extension(QtCore.QObject):
    def __init__(self, parent):
        super().__init__()  # the stand-in for Krita is no object of Qt's


class Window(QtWidgets.QMainWindow):
    def createAction(self, name, text, place):
        action = QtGui.QAction(text, self)
        action.setObjectName(name)
        self.addAction(action)
        return action


def wait(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, condition
        QTest.qWait(20)


def main():
    qt = QtWidgets.QApplication(["krita"])
    application = Application()
    krita = types.ModuleType("krita")
    krita.Krita = application
    krita.Selection = fake_krita.Selection
    krita.Extension = Extension
    krita.DockWidget = QtWidgets.QDockWidget
    krita.DockWidgetFactoryBase = types.SimpleNamespace(DockRight=1)
    krita.DockWidgetFactory = lambda name, place, made: made
    sys.modules["krita"] = krita
    import bshm_remove_background  # noqa: F401

    window = Window()
    application.extensions[0].setup()
    application.extensions[0].createActions(window)
    docker = application.factories[0]()
    window.addDockWidget(QtCore.Qt.DockWidgetArea.RightDockWidgetArea, docker)
    window.resize(280, 800)
    window.show()
    docker.canvasChanged(None)

    def find(name):
        found = window.findChild(QtWidgets.QWidget, name)
        assert found is not None, name
        return found

    def click(name):
        QTest.mouseClick(find(name), QtCore.Qt.MouseButton.LeftButton)

    controller, live = find("bshm_panel").controller, find("bshm_panel").live
    click("bshm_remove")
    assert controller.state.phase == "failed"
    assert find("bshm_message").text() == "Open an image first."

    portrait = plan["portrait"]
    width, height = portrait["width"], portrait["height"]
    document = application.createDocument(width, height, "photo", "RGBA", "U8", SRGB, 72.0)
    layer = Node(document, "photo", "paintlayer")
    layer.setPixelData(Path(portrait["bgra"]).read_bytes(), 0, 0, width, height)
    document.rootNode().addChildNode(layer, None)
    document.setActiveNode(layer)
    window.actions()[0].trigger()
    assert controller.working
    wait(lambda: not controller.working)
    assert controller.state.phase == "done", controller.state
    (mask,) = layer.childNodes()
    Path(plan["mask"]).write_bytes(mask.pixelData(0, 0, width, height))
    wait(lambda: find("bshm_service_line").text() in plan["resting"])
    assert find("bshm_pictures").isVisible()

    slider = find("bshm_edge_shift_slider")
    slider.setSliderDown(True)
    slider.setValue(-20)
    wait(lambda: live.settled and live.updates)
    slider.setSliderDown(False)
    wait(lambda: live.settled and live.settled_best)
    assert application.kept["bshm_remove_background", "edge_shift"] == "-2.0"
    Path(plan["shifted"]).write_bytes(mask.pixelData(0, 0, width, height))

    find("bshm_output").setCurrentIndex(1)
    assert find("bshm_clean_edges").isEnabled()
    click("bshm_diagnostics")
    assert "PyQt 6." in qt.clipboard().text()
    click("bshm_cancel")
    window.grab().save(plan["picture"])
    assert not any(name.startswith("PyQt5") for name in sys.modules)
    print("done", QtCore.PYQT_VERSION_STR)


main()
