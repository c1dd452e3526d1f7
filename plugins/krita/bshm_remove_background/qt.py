"""Qt by the binding that Krita has loaded: PyQt5 up to 5.3, PyQt6 from 6.0 on.

Importing the other binding raises or crashes, so the one that is there decides. Enums are
written in their scoped form, which both know.
"""

from __future__ import annotations

import sys

if "PyQt6" in sys.modules or "PyQt6.QtCore" in sys.modules:
    from PyQt6 import QtCore, QtGui, QtWidgets
else:
    try:
        from PyQt5 import QtCore, QtGui, QtWidgets
    except ImportError:
        from PyQt6 import QtCore, QtGui, QtWidgets

__all__ = ["QtCore", "QtGui", "QtWidgets"]
