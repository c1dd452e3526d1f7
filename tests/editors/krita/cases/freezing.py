"""Holds the service still at a step of a job, so that what is said of the step stays true."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any


class Frozen:
    """Stops the service's process once the plugin's client hears of a step.

    On a busy machine a step may be over before anybody looks; a job of a process that is
    stopped is not. The client hears of it on a thread of its own.

    Parameters
    ----------
    worker
        The plugin's `Worker`.
    pid
        Returns the service's process.
    stage, detail
        As in the client's `Progress`.
    """

    def __init__(self, worker: Any, pid: Callable[[], int], stage: str, detail: str) -> None:
        self._worker = worker
        self._client = worker._connected()
        self._pid = pid
        self._step = (stage, detail)
        self._stopped = 0
        worker._client = self

    def matte(self, *arguments: Any, progress: Callable[[Any], None], **more: Any) -> Any:
        def told(step: Any) -> None:
            if not self._stopped and (step.stage, step.detail) == self._step:
                self._stopped = self._pid()
                os.kill(self._stopped, signal.SIGSTOP)
            progress(step)

        return self._client.matte(*arguments, progress=told, **more)

    def status(self, **options: Any) -> Any:
        return self._client.status(**options)

    def release(self, model: str = "") -> Any:
        return self._client.release(model)

    def thaw(self) -> None:
        """Let the service go on, if it still lives."""
        self._worker._client = self._client
        if self._stopped:
            os.kill(self._stopped, signal.SIGCONT)

    def kill(self) -> None:
        """End the service without its knowledge."""
        self._worker._client = self._client
        os.kill(self._stopped, signal.SIGKILL)
        self._stopped = 0
