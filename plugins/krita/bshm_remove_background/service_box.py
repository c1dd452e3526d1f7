"""The docker's lower part: what the service is doing, and two buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .controller import Controller, State
from .diagnostics import diagnostics
from .i18n import tr
from .qt import QtCore, QtWidgets
from .service_state import POLL, ServiceState, state_of_failure, state_of_start, state_of_status
from .worker import Failure, Worker

_FIRST = 1.5  # seconds until the first look: other plugins shall have loaded by then


class ServiceBox(QtWidgets.QWidget):  # type: ignore[misc]
    """Looks at the service while it is visible.

    Parameters
    ----------
    controller, worker
        Shared by all windows.
    krita_version
        For the diagnostics.
    changed
        Called with each new state.
    """

    def __init__(
        self,
        controller: Controller,
        worker: Worker,
        krita_version: str,
        changed: Callable[[ServiceState], None],
    ) -> None:
        super().__init__()
        self._controller = controller
        self._worker = worker
        self._krita_version = krita_version
        self._changed = changed
        self._asking = False
        self._starting = False
        self._status: Any = None
        self._state = ServiceState("")
        self._model = _line("bshm_model_line")
        self._service = _line("bshm_service_line")
        self._release = QtWidgets.QPushButton(tr("Release GPU Memory"))
        self._release.setObjectName("bshm_release")
        self._release.setToolTip(tr("Unloads the model; the next time it is loaded again."))
        self._release.setEnabled(False)
        self._release.clicked.connect(self._free)
        copy = QtWidgets.QPushButton(tr("Copy Diagnostics"))
        copy.setObjectName("bshm_diagnostics")
        copy.setToolTip(tr("Copies what a bug report needs."))
        copy.clicked.connect(self._copy)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self._model, self._service, self._release, copy):
            column.addWidget(widget)
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self.look)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._timer.start(round(1000 * _FIRST))

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def look(self) -> None:
        """Ask for the service's status, unless the answer to the last look is still due."""
        self._timer.setInterval(round(1000 * POLL))
        if self._asking:
            return
        self._asking = True
        self._worker.status(self._answered, self._failed)

    def follow(self, state: State) -> None:
        """Show at once that a job has the service started; nothing answers a look meanwhile."""
        step = state.progress if state.phase == "working" else None
        starting = step is not None and step.stage == "starting"
        if starting == self._starting:
            return
        self._starting = starting
        if starting:
            self._show(state_of_start())
        else:
            self.look()

    def _answered(self, status: Any) -> None:
        self._asking = False
        self._status = status
        self._show(state_of_status(status, self._controller.settings.model))

    def _failed(self, failure: Failure) -> None:
        self._asking = False
        self._status = None
        if not self._starting:
            self._show(state_of_failure(failure))

    def _show(self, state: ServiceState) -> None:
        if state == self._state:
            return
        self._state = state
        self._service.setText(state.line)
        self._model.setText(state.model)
        self._model.setVisible(bool(state.model))
        self._release.setEnabled(state.loaded)
        self._changed(state)

    def _free(self) -> None:
        self._release.setEnabled(False)
        self._worker.release(self._freed, self._not_freed)

    def _freed(self, names: list[str]) -> None:
        if names:
            self._controller.note(tr("Released: {names}.", names=", ".join(names)))
        else:
            self._controller.note(tr("No model was loaded."))
        self.look()

    def _not_freed(self, failure: Failure) -> None:
        self._controller.note(failure.sentence)
        self.look()

    def _copy(self) -> None:
        qt = f"Qt {QtCore.QT_VERSION_STR}, PyQt {QtCore.PYQT_VERSION_STR}"
        text = diagnostics(
            self._krita_version, qt, self._controller.state, self._state, self._status
        )
        QtWidgets.QApplication.clipboard().setText(text)
        self._controller.note(tr("The diagnostics are on the clipboard."))


def _line(name: str) -> Any:
    label = QtWidgets.QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    return label
