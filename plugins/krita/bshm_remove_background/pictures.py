"""The small pictures of a layer before and after."""

from __future__ import annotations

from typing import Any

from .i18n import tr
from .qt import QtCore, QtGui, QtWidgets
from .requests import SmallAlpha

_HEIGHT = 96
_SQUARE = 6


class Pictures(QtWidgets.QWidget):  # type: ignore[misc]
    """Two pictures side by side, as large as the docker is wide."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("bshm_pictures")
        self.setMinimumHeight(_HEIGHT)
        policy = QtWidgets.QSizePolicy.Policy
        self.setSizePolicy(policy.Expanding, policy.Fixed)
        self.setAccessibleName(tr("Before and after"))
        self.setToolTip(tr("Before and after"))
        self._before: Any = None
        self._after: Any = None
        self._shown: tuple[Any, Any] = (None, None)
        self.setVisible(False)

    def show_pictures(self, picture: Any, small: SmallAlpha | None) -> None:
        """Show a layer's `QImage`, and it with the matte as its opacity."""
        if self._shown == (picture, small):
            return
        self._shown = (picture, small)
        usable = picture is not None and not picture.isNull()
        self._before = picture if usable else None
        self._after = cut_out(picture, small) if usable and small is not None else None
        self.setVisible(usable)
        self.update()

    def paintEvent(self, event: Any) -> None:
        if self._before is None:
            return
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        half = (self.width() - _SQUARE) // 2
        self._draw(painter, self._before, QtCore.QRect(0, 0, half, self.height()))
        if self._after is not None:
            place = QtCore.QRect(self.width() - half, 0, half, self.height())
            self._draw(painter, self._after, place)
        painter.end()

    def _draw(self, painter: Any, image: Any, place: Any) -> None:
        size = image.size().scaled(place.size(), QtCore.Qt.AspectRatioMode.KeepAspectRatio)
        frame = QtCore.QRect(QtCore.QPoint(0, 0), size)
        frame.moveCenter(place.center())
        painter.save()
        painter.setClipRect(frame)
        light = self.palette().color(QtGui.QPalette.ColorRole.Mid)
        dark = self.palette().color(QtGui.QPalette.ColorRole.Dark)
        painter.fillRect(frame, light)
        for row, y in enumerate(range(frame.top(), frame.bottom() + 1, _SQUARE)):
            for x in range(frame.left() + row % 2 * _SQUARE, frame.right() + 1, 2 * _SQUARE):
                painter.fillRect(x, y, _SQUARE, _SQUARE, dark)
        painter.restore()
        painter.drawImage(frame, image)


def cut_out(picture: Any, small: SmallAlpha) -> Any:
    """Return `picture` with its opacity multiplied by the matte."""
    image = picture.convertToFormat(QtGui.QImage.Format.Format_ARGB32_Premultiplied)
    alpha = QtGui.QImage(
        small.data, small.width, small.height, small.width, QtGui.QImage.Format.Format_Alpha8
    )
    painter = QtGui.QPainter(image)
    painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
    painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_DestinationIn)
    painter.drawImage(image.rect(), alpha)
    painter.end()
    return image
