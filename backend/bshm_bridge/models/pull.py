"""Downloading model files from ModelScope, in a process that can be ended at any time."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from bshm_bridge.errors import Exhausted, MattingError, NotReady
from bshm_bridge.models.manifest import Manifest

ReportProgress = Callable[[str, float], None]
_POLL = 0.1


class Cancelled(Protocol):
    """The part of `bshm_bridge.engines.base.Cancellation` that is used here."""

    def check(self) -> None:
        """Raise where nobody waits any more."""


class Pull(Protocol):
    """Downloads the file of a model below `work` and returns its path.

    What has arrived stays in `work` when it fails, and is used the next time.
    """

    def __call__(
        self, manifest: Manifest, work: Path, cancel: Cancelled, progress: ReportProgress
    ) -> Path:
        """Download."""


def pull_from_modelscope(
    manifest: Manifest,
    work: Path,
    cancel: Cancelled,
    progress: ReportProgress,
    environment: Mapping[str, str] | None = None,
) -> Path:
    """Download a model with the ``modelscope`` package.

    Parameters
    ----------
    manifest
        Its source is ``modelscope:OWNER/MODEL`` or ``modelscope:OWNER/MODEL@REVISION``.
    work
        Folder for what has arrived.
    cancel, progress
        Polled and told ("downloading", fraction) several times a second.
    environment
        Of the process that downloads; this process's own where it is None.

    Raises
    ------
    NotReady
        The model cannot be downloaded: reason ``offline``, ``not-found``, ``bad-checksum``,
        ``denied``, ``no-download`` or ``download-failed``.
    Exhausted
        The disk is full.
    """
    cancel.check()
    if not manifest.modelscope_id:
        where = f" Get it from {manifest.source}, then run" if manifest.source else " Run"
        raise NotReady(
            f"The model “{manifest.name}” cannot be downloaded automatically.{where} "
            f"`bshm models add FILE --as {manifest.name}`.",
            "no-download",
        )
    model, _, revision = manifest.modelscope_id.partition("@")
    command = [sys.executable, "-m", "bshm_bridge.models.hub_download"]
    process = subprocess.Popen(
        [*command, model, revision, manifest.file, str(work)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(environment, work),
    )
    progress("downloading", -1.0)
    try:
        return Path(_follow(process, manifest.name, cancel, progress))
    finally:
        _end(process)


def _follow(
    process: subprocess.Popen[bytes], name: str, cancel: Cancelled, progress: ReportProgress
) -> str:
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    try:
        return _result(lines, name, cancel, progress)
    finally:
        process.kill()
        reader.join()


def _result(
    lines: queue.SimpleQueue[bytes], name: str, cancel: Cancelled, progress: ReportProgress
) -> str:
    while True:
        cancel.check()
        try:
            line = lines.get(timeout=_POLL)
        except queue.Empty:
            continue
        if not line:
            raise _failure(name, "other")
        message: dict[str, Any] = json.loads(line)
        if "path" in message:
            progress("downloading", 1.0)
            return str(message["path"])
        if "error" in message:
            raise _failure(name, str(message["error"]))
        total = int(message["total"])
        progress("downloading", min(1.0, message["done"] / total) if total > 0 else -1.0)


def _read(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            lines.put(line)
    lines.put(b"")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    assert process.stdin is not None
    process.stdin.close()


def _environment(environment: Mapping[str, str] | None, work: Path) -> dict[str, str]:
    chosen = dict(os.environ if environment is None else environment)
    # Locks and caches of the package stay with the download and go with it.
    chosen["MODELSCOPE_CACHE"] = str(work)
    chosen.setdefault("MODELSCOPE_LOG_LEVEL", "40")
    # The package's own patience (minutes) is for people without a progress bar.
    chosen.setdefault("MODELSCOPE_API_MAX_RETRIES", "2")
    chosen.setdefault("MODELSCOPE_DOWNLOAD_MAX_RETRIES", "2")
    return chosen


def _failure(name: str, kind: str) -> MattingError:
    start = f"The model “{name}” could not be downloaded: "
    if kind == "disk-full":
        return Exhausted(start + "the disk is full. Free some space and try again.", "disk-full")
    reason, rest = _FAILURES.get(kind, _FAILURES["other"])
    return NotReady(start + rest, reason)


_FAILURES = {
    "offline": (
        "offline",
        "there is no connection to ModelScope, or it broke. Check the network and try again; "
        "what has arrived is kept.",
    ),
    "not-found": (
        "not-found",
        "ModelScope does not have it under that name any more. If you have its file, use "
        "`bshm models add`.",
    ),
    "checksum": (
        "bad-checksum",
        "what arrived is damaged (wrong checksum) and was thrown away. Try again; if it happens "
        "again, something between here and ModelScope changes the file.",
    ),
    "denied": (
        "denied",
        "ModelScope wants you to log in for it: run `modelscope login` and try again.",
    ),
    "other": ("download-failed", "the download ended unexpectedly. Try again."),
}
