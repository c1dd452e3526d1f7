"""Downloads one file from ModelScope's hub; run as a process of its own.

``python -m bshm_bridge.models.hub_download MODEL REVISION FILE FOLDER`` writes one JSON object
per line: ``{"done": BYTES, "total": BYTES}`` as bytes arrive, at the end ``{"path": …}`` or
``{"error": KIND, "detail": …}``. It ends when its standard input does, so that a download does
not outlive whoever wanted it. A process, because the ``modelscope`` package can be neither
cancelled nor kept quiet, and imports much.
"""

from __future__ import annotations

import contextlib
import errno
import inspect
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO


def main(model: str, revision: str, file: str, folder: str) -> int:
    """Download and report; returns the exit code."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    # Whatever the package prints belongs on stderr, which its caller discards or logs.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    threading.Thread(target=_end_with, args=(sys.stdin,), daemon=True).start()
    try:
        path = _download(model, revision, file, Path(folder), _reporter(out))
    except Exception as error:
        _say(out, {"error": kind_of(error), "detail": f"{type(error).__name__}: {error}"})
        return 1
    _say(out, {"path": str(path)})
    return 0


def _download(
    model: str, revision: str, file: str, folder: Path, report: Callable[[int, int], None]
) -> Path:
    from modelscope.hub.snapshot_download import snapshot_download

    # What the installed version does not know is left out: then there is no progress.
    wanted: dict[str, Any] = {
        "revision": revision or None,
        "cache_dir": str(folder),
        "allow_file_pattern": [file],
        "progress_callbacks": [_callback(report)],
    }
    known = inspect.signature(snapshot_download).parameters
    found = Path(snapshot_download(model, **{key: wanted[key] for key in wanted if key in known}))
    path = found / file
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, "the repository has no such file", file)
    return path


def _callback(report: Callable[[int, int], None]) -> type:
    class Callback:
        """What modelscope calls with the number of bytes that have just arrived."""

        def __init__(self, filename: str, file_size: int) -> None:
            self.filename = filename
            self._total = file_size
            self._done = 0

        def update(self, size: int) -> None:
            self._done += size
            report(self._done, self._total)

        def end(self) -> None:
            pass

    return Callback


def _reporter(out: TextIO) -> Callable[[int, int], None]:
    lock = threading.Lock()

    def report(done: int, total: int) -> None:
        with lock:
            _say(out, {"done": done, "total": total})

    return report


def _say(out: TextIO, message: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        out.write(json.dumps(message) + "\n")
        out.flush()


def _end_with(stream: TextIO) -> None:
    stream.read()
    os._exit(130)


def kind_of(error: BaseException) -> str:
    """Return "offline", "not-found", "checksum", "disk-full", "denied" or "other".

    The package's exceptions changed their names and places over the years, and wrap each
    other: names and status codes along the chain are what lasts.
    """
    kinds = [kind for link in _chain(error) if (kind := _kind_of_one(link))]
    for kind in ("disk-full", "checksum", "not-found", "denied", "offline"):
        if kind in kinds:
            return kind
    return "other"


def _kind_of_one(error: BaseException) -> str:
    name = type(error).__name__
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk-full"
    if "Integrity" in name or "SizeMismatch" in name:
        return "checksum"
    if status == 404 or name == "NotExistError" or isinstance(error, FileNotFoundError):
        return "not-found"
    if status in (401, 403) or name in ("AuthenticationError", "PermissionDeniedError"):
        return "denied"
    offline = (
        "ConnectionError",
        "NetworkError",
        "ConnectTimeout",
        "ReadTimeout",
        "ProxyError",
        "SSLError",
    )
    if name in offline or name == "RequestTimeoutError" or (status or 0) >= 500:
        return "offline"
    if isinstance(error, (ConnectionError, TimeoutError)):
        return "offline"
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        link = waiting.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        failed = getattr(link, "failed_files", None)
        inner = [link.__cause__, link.__context__]
        inner += list(failed.values()) if isinstance(failed, dict) else []
        waiting += [item for item in inner if isinstance(item, BaseException)]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
