"""The docker: a frame of Krita's around the panel."""

from __future__ import annotations

from typing import Any

from .controller import Controller
from .i18n import tr
from .live import LiveEdges
from .panel import Panel
from .worker import Worker


def docker_class(api: Any, controller: Controller, live: LiveEdges, worker: Worker) -> type:
    """Return the class of which Krita makes one docker per window."""

    class RemoveBackgroundDocker(api.DockWidget):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.setWindowTitle(tr("Remove Background"))
            version = api.Krita.instance().version()
            self.setWidget(Panel(controller, live, worker, version))

        def canvasChanged(self, canvas: Any) -> None:
            controller.moved_on()

    return RemoveBackgroundDocker
