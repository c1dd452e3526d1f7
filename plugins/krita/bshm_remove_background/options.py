"""The docker's choices: what comes out, how the edges are, which model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .i18n import tr
from .qt import QtCore, QtWidgets
from .settings import EDGE_SHIFT, FEATHER, Settings

_STEPS = 10  # slider steps per pixel


class Options(QtWidgets.QWidget):  # type: ignore[misc]
    """Shows settings and reports changes.

    Parameters
    ----------
    changed
        Called with the new settings, and whether the user still drags.
    """

    def __init__(self, changed: Callable[[Settings, bool], None]) -> None:
        super().__init__()
        self._changed = changed
        self._settings = Settings()
        self._showing = False
        self._output = _choice("bshm_output")
        for text, value in (
            (tr("Transparency mask"), "mask"),
            (tr("New cut-out layer"), "layer"),
            (tr("Selection"), "selection"),
        ):
            self._output.addItem(text, value)
        self._existing = _choice("bshm_existing")
        self._existing.addItem(tr("Keep, and hide more"), "intersect")
        self._existing.addItem(tr("Replace"), "replace")
        self._clean = _tick("bshm_clean_edges", tr("Clean edge colours"))
        self._clean.setToolTip(tr("Frees the edge colours of a cut-out of the old background."))
        self._hint = _tick("bshm_use_selection", tr("Selection shows the subject"))
        self._hint.setToolTip(
            tr(
                "A selection says roughly where the subject is. A paint layer named “trimap” says "
                "it exactly: white is subject, black is background, the rest is to be found out."
            )
        )
        self._shift = Amount("bshm_edge_shift", EDGE_SHIFT)
        self._feather = Amount("bshm_feather", FEATHER)
        align(self._shift, self._feather)
        self._model = _choice("bshm_model")
        self._model.addItem(tr("Automatic"), "auto")

        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for label, widget in (
            (tr("Output"), self._output),
            (tr("Existing mask"), self._existing),
            (None, self._clean),
            (None, self._hint),
            (tr("Edge shift"), self._shift),
            (tr("Feather"), self._feather),
            (tr("Model"), self._model),
        ):
            if label is not None:
                column.addWidget(QtWidgets.QLabel(label))
            column.addWidget(widget)

        for box in (self._output, self._existing, self._model):
            box.currentIndexChanged.connect(lambda _index: self._report(False))
        for tick in (self._clean, self._hint):
            tick.toggled.connect(lambda _on: self._report(False))
        for amount in (self._shift, self._feather):
            amount.changed.connect(self._report)

    def show_settings(self, settings: Settings) -> None:
        """Show `settings` without reporting them."""
        self._settings = settings
        self._showing = True
        try:
            _choose(self._output, settings.output)
            _choose(self._existing, settings.existing)
            _choose(self._model, settings.model)
            self._clean.setChecked(settings.clean_edges)
            self._hint.setChecked(settings.use_selection)
            self._shift.set_value(settings.edge_shift)
            self._feather.set_value(settings.feather)
            self._existing.setEnabled(settings.output == "mask")
            self._clean.setEnabled(settings.output == "layer")
        finally:
            self._showing = False

    def offer_models(self, names: tuple[str, ...]) -> None:
        """Offer these models besides the automatic choice and the one in the settings."""
        wanted = ["auto", *sorted({*names, self._settings.model} - {"auto"})]
        if [self._model.itemData(index) for index in range(self._model.count())] == wanted:
            return
        self._showing = True
        try:
            self._model.clear()
            for name in wanted:
                self._model.addItem(tr("Automatic") if name == "auto" else name, name)
            _choose(self._model, self._settings.model)
        finally:
            self._showing = False

    def _report(self, dragging: bool) -> None:
        if self._showing:
            return
        self._settings = replace(
            self._settings,
            output=self._output.currentData(),
            existing=self._existing.currentData(),
            model=self._model.currentData(),
            clean_edges=self._clean.isChecked(),
            use_selection=self._hint.isChecked(),
            edge_shift=self._shift.value(),
            feather=self._feather.value(),
        )
        self._changed(self._settings, dragging)


class Amount(QtWidgets.QWidget):  # type: ignore[misc]
    """A slider and a `box` for the same number of layer pixels."""

    changed = QtCore.pyqtSignal(bool)
    """Whether the user still drags."""

    def __init__(self, name: str, limits: tuple[float, float]) -> None:
        super().__init__()
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self._slider.setObjectName(f"{name}_slider")
        self._slider.setRange(round(limits[0] * _STEPS), round(limits[1] * _STEPS))
        self._slider.setPageStep(_STEPS)
        self.box = QtWidgets.QDoubleSpinBox()
        self.box.setObjectName(name)
        self.box.setRange(*limits)
        self.box.setDecimals(1)
        self.box.setSingleStep(0.5)
        self.box.setSuffix(tr(" px"))
        self.box.setKeyboardTracking(False)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._slider, 1)
        row.addWidget(self.box)
        self._slider.valueChanged.connect(self._slid)
        self._slider.sliderReleased.connect(lambda: self.changed.emit(False))
        self.box.valueChanged.connect(self._typed)

    def value(self) -> float:
        return round(float(self.box.value()), 1)

    def set_value(self, value: float) -> None:
        """Show `value` without a signal, unless the user just drags."""
        if self._slider.isSliderDown():
            return
        for widget, shown in ((self._slider, round(value * _STEPS)), (self.box, value)):
            blocked = widget.blockSignals(True)
            widget.setValue(shown)
            widget.blockSignals(blocked)

    def _slid(self, steps: int) -> None:
        blocked = self.box.blockSignals(True)
        self.box.setValue(steps / _STEPS)
        self.box.blockSignals(blocked)
        self.changed.emit(self._slider.isSliderDown())

    def _typed(self, value: float) -> None:
        blocked = self._slider.blockSignals(True)
        self._slider.setValue(round(value * _STEPS))
        self._slider.blockSignals(blocked)
        self.changed.emit(False)


def align(*amounts: Amount) -> None:
    """Give the boxes the same width, so that the sliders end in one line."""
    width = max(amount.box.sizeHint().width() for amount in amounts)
    for amount in amounts:
        amount.box.setMinimumWidth(width)


def _choice(name: str) -> Any:
    box = QtWidgets.QComboBox()
    box.setObjectName(name)
    box.setMinimumContentsLength(6)  # the column may be narrow
    policy = QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    box.setSizeAdjustPolicy(policy)
    return box


def _choose(box: Any, value: str) -> None:
    index = box.findData(value)
    if index < 0:
        box.addItem(value, value)
        index = box.count() - 1
    box.setCurrentIndex(index)


def _tick(name: str, text: str) -> Any:
    tick = QtWidgets.QCheckBox(text)
    tick.setObjectName(name)
    return tick
