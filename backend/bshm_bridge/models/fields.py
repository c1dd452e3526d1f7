"""Typed access to a parsed TOML table that collects every mistake instead of stopping."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

MAX_SIDE = 16384
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_T = TypeVar("_T", bound=str)


class Fields:
    """One table; each getter notes a mistake and returns something harmless.

    Parameters
    ----------
    data
        The table, or None where it is missing and that has been said already.
    where
        Dotted name of the table, empty for the top.
    mistakes
        List that sentences are added to.
    """

    def __init__(self, data: Mapping[str, Any] | None, where: str, mistakes: list[str]) -> None:
        self._missing = data is None
        self._data = data or {}
        self._where = where
        self._mistakes = mistakes
        self._known: list[str] = []

    @staticmethod
    def is_name(text: str) -> bool:
        return _NAME.fullmatch(text) is not None

    def mistake(self, key: str, text: str) -> None:
        self._mistakes.append(f"{self._path(key)}: {text}.")

    def finish(self) -> None:
        """Note every key that no getter asked for."""
        for key in self._data:
            if key not in self._known:
                close = difflib.get_close_matches(key, self._known, 1)
                hint = f"; did you mean “{close[0]}”?" if close else ""
                self._mistakes.append(f"{self._path(key)}: there is no such setting{hint or '.'}")

    def table(self, key: str) -> Fields:
        value = self._take(key, {} if self._missing else None)
        if value is not None and not isinstance(value, Mapping):
            self._wrong(key, "a table", value)
            value = None
        return Fields(None if self._missing else value, self._path(key), self._mistakes)

    def tables(self, key: str) -> list[Fields]:
        """Return the tables of an array of tables, none where it is missing."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            self._wrong(key, "a list of tables", value)
            return []
        return [
            Fields(item, f"{self._path(key)}[{number}]", self._mistakes)
            for number, item in enumerate(value, start=1)
        ]

    def text(self, key: str, default: str | None = None) -> str:
        value = self._take(key, default)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._wrong(key, "a text", value)
            return ""
        if default is None and not value.strip():
            self.mistake(key, "must not be empty")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._take(key, default)
        if not isinstance(value, bool):
            self._wrong(key, "true or false", value)
            return default
        return value

    def choice(self, key: str, allowed: Sequence[_T], default: _T | None = None) -> _T:
        value = self._take(key, default)
        for item in allowed:
            if value == item and (item or default is not None):
                return item
        if value is not None:
            named = ", ".join(f"“{item}”" for item in allowed if item)
            self._wrong(key, f"one of {named}", value)
        return allowed[0]

    def choices(self, key: str, allowed: Sequence[str]) -> tuple[str, ...]:
        value = self._take(key, None)
        if value is None:
            return ()
        if not isinstance(value, list) or not value:
            self._wrong(key, "a list of names", value)
            return ()
        for item in value:
            if item not in allowed:
                self.mistake(key, f"“{item}” is not one of " + ", ".join(allowed))
        if len({str(item) for item in value}) != len(value):
            self.mistake(key, "has a name twice")
        return tuple(str(item) for item in value)

    def whole(self, key: str, default: int | None, low: int, high: int = 2**62) -> int:
        value = self._take(key, default)
        if value is None:
            return low
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            span = f"from {low} to {high}" if high < 2**62 else f"not below {low}"
            self._wrong(key, f"a whole number {span}", value)
            return low
        return value

    def side(self, key: str) -> int:
        return self.whole(key, None, 1, MAX_SIDE)

    def multiple(self) -> int:
        return self.whole("multiple_of", 1, 1, 1024)

    def number(self, key: str, default: float) -> float:
        value = self._take(key, default)
        if not _is_number(value):
            self._wrong(key, "a number", value)
            return default
        return float(value)

    def nonzero(self, key: str, default: float) -> float:
        value = self.number(key, default)
        if value == 0:
            self.mistake(key, "must not be 0")
        return value

    def nonzeros3(
        self, key: str, default: tuple[float, float, float]
    ) -> tuple[float, float, float]:
        values = self.numbers3(key, default)
        if 0 in values:
            self.mistake(key, "must not have a 0 in it")
        return values

    def numbers2(self, key: str, default: tuple[float, float]) -> tuple[float, float]:
        first, second = self._numbers(key, default)
        return first, second

    def numbers3(self, key: str, default: tuple[float, float, float]) -> tuple[float, float, float]:
        first, second, third = self._numbers(key, default)
        return first, second, third

    def _numbers(self, key: str, default: Sequence[float]) -> Sequence[float]:
        value = self._take(key, list(default))
        right = isinstance(value, list) and len(value) == len(default)
        if not right or not all(map(_is_number, value)):
            self._wrong(key, f"a list of {len(default)} numbers", value)
            return default
        return [float(item) for item in value]

    def _take(self, key: str, default: Any) -> Any:
        self._known.append(key)
        if key in self._data:
            return self._data[key]
        if default is None and not self._missing:
            self.mistake(key, "is missing")
        return default

    def _wrong(self, key: str, expected: str, found: Any) -> None:
        shown = repr(found)
        if len(shown) > 60:
            shown = shown[:57] + "…"
        self.mistake(key, f"must be {expected}, not {shown}")

    def _path(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return (
        math.isfinite(value) and abs(value) < 1e30
        if isinstance(value, float)
        else abs(value) < 10**30
    )
