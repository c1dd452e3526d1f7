"""Makes the packages beside this plugin importable without disturbing other plugins.

All plugins of Krita share one interpreter. Our packages come last on the search path, so
whatever Krita or another plugin brings wins, and nothing is imported before the first
request, so a plugin that brings its own protobuf has loaded it by then. The client works
with every protobuf from 3.20 on.
"""

from __future__ import annotations

import sys
from pathlib import Path

VENDORED = Path(__file__).resolve().parent / "vendor"


def use_vendored(folder: Path = VENDORED, path: list[str] | None = None) -> None:
    """Append `folder` to the search path, once, where it exists.

    An already imported ``google`` namespace is extended at its end, because a regular or
    namespace package that is loaded does not look at the search path again.
    """
    search = sys.path if path is None else path
    entry = str(folder)
    if not folder.is_dir() or entry in search:
        return
    search.append(entry)
    google = sys.modules.get("google")
    inside = str(folder / "google")
    if google is not None and isinstance(google.__path__, list) and inside not in google.__path__:
        google.__path__.append(inside)
