"""What a worker prints, in a rotating file; the end of it is kept to explain failures."""

from __future__ import annotations

import logging
import logging.handlers
import threading
from collections import deque
from pathlib import Path

from bshm_bridge.paths import private_directory

_ANSWERED = "bshm_worker: answered"
_KEPT_LINES = 200


class _QuietHandler(logging.handlers.RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk must not turn the worker's noise into the terminal's."""


class WorkerLog:
    """Thread-safe sink for one process.

    Parameters
    ----------
    path
        The log file; 1 MiB and two older ones are kept.
    """

    def __init__(self, path: Path) -> None:
        private_directory(path.parent)
        self._handler = _QuietHandler(
            path, maxBytes=1 << 20, backupCount=2, encoding="utf-8", delay=True
        )
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._answered = threading.Semaphore(0)

    def write(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        if text == _ANSWERED:
            self._answered.release()
        elif text:
            self._lines.append(text)
            self._handler.handle(
                logging.LogRecord("worker", logging.INFO, "", 0, "%s", (text,), None)
            )

    def wait_for_answer(self) -> None:
        """Wait until all that the worker printed before its answer has been read."""
        self._answered.acquire(timeout=2.0)

    @property
    def tail(self) -> str:
        """The last lines."""
        return "\n".join(tuple(self._lines))

    def close(self) -> None:
        self._handler.close()
