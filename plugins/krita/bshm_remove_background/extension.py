"""Puts the plugin into Krita: actions, docker, and the one controller behind them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from . import settings as keeping
from .controller import Controller
from .docker import docker_class
from .i18n import krita_language, tr, use_language
from .krita_host import KritaHost
from .live import LiveEdges
from .qt import QtCore
from .vendoring import use_vendored
from .worker import Client, Worker

ID = "bshm_remove_background"


class MainThread(QtCore.QObject):  # type: ignore[misc]
    """Runs functions on the thread that made it, from any other."""

    _called = QtCore.pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._called.connect(self._call, QtCore.Qt.ConnectionType.QueuedConnection)

    def post(self, function: Callable[[], None]) -> None:
        """Run `function` soon on the main thread."""
        # Where Krita ends, Qt's half of this object may be gone already.
        with contextlib.suppress(RuntimeError):
            self._called.emit(function)

    def _call(self, function: Callable[[], None]) -> None:
        function()


def connect() -> Client:
    """Return a client of the service; imports what is vendored, so not at Krita's start."""
    use_vendored()
    from bridge_client import BridgeClient

    return BridgeClient(name="krita")


def register(api: Any) -> None:
    """Add the docker and the actions to Krita.

    Parameters
    ----------
    api
        The ``krita`` module.
    """
    application = api.Krita.instance()
    use_language(krita_language(QtCore.QLocale().name()))
    main_thread = MainThread()
    host = KritaHost(api)
    worker = Worker(main_thread.post, connect)
    controller = Controller(
        host,
        worker,
        keeping.load(application.readSetting),
        lambda settings: keeping.save(settings, application.writeSetting),
    )
    live = LiveEdges(controller, host, worker)

    class RemoveBackground(api.Extension):  # type: ignore[misc]
        def __init__(self, parent: Any) -> None:
            super().__init__(parent)
            self.main_thread = main_thread  # lives as long as the extension

        def setup(self) -> None:
            application.notifier().setActive(True)
            application.notifier().applicationClosing.connect(controller.cancel)

        def createActions(self, window: Any) -> None:
            for name, text, run in (
                (ID, tr("Remove Background"), controller.remove_background),
                (
                    f"{ID}_selected",
                    tr("Remove Background of All Selected Layers"),
                    lambda: controller.remove_background(every_selected=True),
                ),
                (f"{ID}_cancel", tr("Cancel Remove Background"), controller.cancel),
            ):
                action = window.createAction(name, text, "tools/scripts")
                action.triggered.connect(lambda _checked=False, run=run: run())

    application.addExtension(RemoveBackground(application))
    application.addDockWidgetFactory(
        api.DockWidgetFactory(
            f"{ID}_docker",
            api.DockWidgetFactoryBase.DockRight,
            docker_class(api, controller, live, worker),
        )
    )
