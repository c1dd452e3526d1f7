"""The docker's content."""

from __future__ import annotations

from typing import Any

from .controller import Controller, State
from .i18n import by_reason, tr
from .live import LiveEdges
from .options import Options
from .pictures import Pictures
from .qt import QtCore, QtWidgets
from .service_box import ServiceBox
from .service_state import ServiceState
from .settings import Settings
from .wording import batch_text, overall_fraction, progress_text, undo_text
from .worker import Worker


class Panel(QtWidgets.QWidget):  # type: ignore[misc]
    """Shows the controller's state and hands it what the user does.

    Parameters
    ----------
    controller, live, worker
        Shared by all windows.
    krita_version
        For the diagnostics.
    """

    def __init__(
        self, controller: Controller, live: LiveEdges, worker: Worker, krita_version: str
    ) -> None:
        super().__init__()
        self.setObjectName("bshm_panel")
        self.controller = controller
        self.live = live
        self._button = QtWidgets.QPushButton(tr("Remove Background"))
        self._button.setObjectName("bshm_remove")
        self._button.setMinimumHeight(2 * self._button.sizeHint().height())
        self._button.clicked.connect(lambda: controller.remove_background(every_selected=True))
        self._bar = QtWidgets.QProgressBar()
        self._bar.setObjectName("bshm_progress")
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 100)
        self._cancel = QtWidgets.QPushButton(tr("Cancel"))
        self._cancel.setObjectName("bshm_cancel")
        self._cancel.clicked.connect(lambda: controller.cancel())
        self._icon = QtWidgets.QLabel()
        self._message = QtWidgets.QLabel()
        self._message.setObjectName("bshm_message")
        self._message.setWordWrap(True)
        self._message.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self._pictures = Pictures()
        self._options = Options(self._chosen)
        self._service = ServiceBox(controller, worker, krita_version, self._service_changed)
        self._arrange()
        controller.listen(self._show)
        self.destroyed.connect(lambda: controller.forget(self._show))
        self._show(controller.state)

    def _arrange(self) -> None:
        progress = QtWidgets.QHBoxLayout()
        progress.addWidget(self._bar, 1)
        progress.addWidget(self._cancel)
        message = QtWidgets.QHBoxLayout()
        message.addWidget(self._icon, 0, QtCore.Qt.AlignmentFlag.AlignTop)
        message.addWidget(self._message, 1)
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(self._button)
        column.addLayout(progress)
        column.addLayout(message)
        column.addWidget(self._scrolled(), 1)

    def _scrolled(self) -> Any:
        """Return what may be out of sight in a small docker; the button never is."""
        rest = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(rest)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._options)  # first: what is chosen stays where it is
        column.addWidget(self._pictures)
        column.addWidget(_rule())
        column.addWidget(self._service)
        column.addStretch(1)
        area = QtWidgets.QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(rest)
        return area

    # ------------------------------------------------------------ what the user does

    def _chosen(self, settings: Settings, dragging: bool) -> None:
        before = self.controller.settings
        self.controller.change_settings(settings)
        if dragging:
            self.live.drag(settings)
        elif _edges(settings) != _edges(before) or not self.live.settled_best:
            self.live.release(settings)

    def _service_changed(self, state: ServiceState) -> None:
        self._options.offer_models(state.models)

    # ------------------------------------------------------------ what is shown

    def _show(self, state: State) -> None:
        working = state.phase == "working"
        self._button.setEnabled(not working)
        self._button.setToolTip(undo_text(self.controller.settings))
        self._bar.setVisible(working)
        self._cancel.setVisible(working)
        if working:
            self._bar.setValue(round(100 * overall_fraction(state.progress)))
            lines = [
                batch_text(state.index, state.total, state.layer),
                progress_text(state.progress),
            ]
            self._say("\n".join(filter(None, lines)), warning=False)
        else:
            self._say(_outcome(state), warning=state.phase == "failed")
        fruitless = state.phase == "failed" and state.small is None
        self._pictures.show_pictures(None if fruitless else state.picture, state.small)
        self._options.show_settings(self.controller.settings)
        self._service.follow(state)

    def _say(self, text: str, *, warning: bool) -> None:
        self._message.setText(text)
        self._message.setVisible(bool(text))
        self._icon.setVisible(warning and bool(text))
        if warning:
            side = self._message.fontMetrics().height()
            kind = QtWidgets.QStyle.StandardPixmap.SP_MessageBoxWarning
            self._icon.setPixmap(self.style().standardIcon(kind).pixmap(side, side))


def _outcome(state: State) -> str:
    """Return the message, and what made the matte."""
    lines = [state.message]
    if state.phase == "done" and state.matte is not None:
        lines.append(f"{state.matte.model} · {state.matte.device}")
        if state.trimap:
            lines.append(tr("The trimap layer was followed."))
        lines += [by_reason(note.reason, note.message) for note in state.matte.notices]
    return "\n".join(filter(None, lines))


def _edges(settings: Settings) -> tuple[float, float]:
    return settings.edge_shift, settings.feather


def _rule() -> Any:
    rule = QtWidgets.QFrame()
    rule.setFrameShape(QtWidgets.QFrame.Shape.HLine)
    rule.setFrameShadow(QtWidgets.QFrame.Shadow.Sunken)
    return rule
