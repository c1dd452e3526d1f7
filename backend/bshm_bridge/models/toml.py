"""Reading TOML, and writing the small part of it that manifests use."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

if sys.version_info >= (3, 11):
    from tomllib import TOMLDecodeError, loads
else:
    from tomli import TOMLDecodeError, loads

__all__ = ["TOMLDecodeError", "dumps", "loads"]


def dumps(data: Mapping[str, Any]) -> str:
    """Write tables of strings, numbers, booleans, lists and tables one level deep.

    Tables inside tables become inline tables. Keys must be bare keys.
    """
    lines = [f"{key} = {_value(value)}" for key, value in data.items() if not _is_table(value)]
    for key, table in data.items():
        if _is_table(table):
            lines += ["", f"[{key}]"]
            lines += [f"{inner} = {_value(value)}" for inner, value in table.items()]
    return "\n".join(lines) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, float):
        return repr(value)  # Python's "inf", "nan" and "1e-05" are TOML too
    # JSON's strings are TOML's, except that TOML wants DEL escaped and no surrogates.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
