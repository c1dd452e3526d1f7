"""What is tried inside the real Krita; each case is reported as a test of its own.

These modules are imported outside of Krita too, for the cases' names, so they import
neither Krita nor Qt at their top.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

Case = Callable[[Any], Iterator[Any]]

_known: dict[str, Case] = {}
_starts: dict[str, str] = {}


def case(function: Case) -> Case:
    """Register a case by the name of its function."""
    return case_in("main")(function)


def case_in(start: str) -> Callable[[Case], Case]:
    """Register a case that belongs to another start of Krita."""

    def register(function: Case) -> Case:
        _add(function.__name__, function, start)
        return function

    return register


def each(name: str, values: dict[str, Any]) -> Callable[[Callable[..., Iterator[Any]]], None]:
    """Register one case per value, named ``name[key]``."""

    def register(function: Callable[..., Iterator[Any]]) -> None:
        for key, value in values.items():
            _add(f"{name}[{key}]", partial(_with_value, function, value), "main")

    return register


def _add(name: str, made: Case, start: str) -> None:
    assert name not in _known, name
    _known[name] = made
    _starts[name] = start


def start_of(name: str) -> str:
    """Return which start of Krita a case belongs to."""
    return _starts[name]


def _with_value(function: Callable[..., Iterator[Any]], value: Any, stage: Any) -> Iterator[Any]:
    return function(stage, value)


def load() -> dict[str, Case]:
    """Return every case by its name, in the order in which they were written."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(_known)
