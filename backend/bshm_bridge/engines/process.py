"""Starting a worker so that it ends with the service, and talking to it."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import bshm_worker
from bshm_bridge.engines import windows_job
from bshm_bridge.engines.worker_log import WorkerLog
from bshm_worker.frames import BrokenStream, Message, read_frame, write_frame

PACKAGE = Path(bshm_worker.__file__).parent

# Linux ends a child when the *thread* that started it ends, so one thread starts them all.
_spawner = ThreadPoolExecutor(1, thread_name_prefix="worker-spawner")


class ProcessEnded(Exception):
    """The worker is gone; `code` is its exit status, on Unix minus the signal's number."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the worker ended with {code}")
        self.code = code


class WorkerProcess:
    """One child process in an engine's interpreter.

    Parameters
    ----------
    python
        The interpreter.
    log
        Takes what the child prints; closed with the process.
    inherited
        Descriptors that the child keeps (Unix).
    libraries
        `LD_LIBRARY_PATH` for it; empty for this process's own.
    """

    def __init__(
        self,
        python: Path,
        log: WorkerLog,
        inherited: tuple[int, ...] = (),
        libraries: str = "",
    ) -> None:
        self.log = log
        self._replies: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        command = [str(python), "-E", "-s", "-u", "-B", str(PACKAGE), "--parent", str(os.getpid())]
        options: dict[str, Any] = {"pass_fds": inherited, "start_new_session": True}
        if sys.platform == "win32":
            options = {"creationflags": subprocess.CREATE_NO_WINDOW}
        start: Callable[[], subprocess.Popen[bytes]] = lambda: subprocess.Popen(  # noqa: E731
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(python, libraries=libraries),
            cwd=PACKAGE.anchor,
            **options,
        )
        try:
            self._process = _spawner.submit(start).result()
        except BaseException:
            log.close()
            raise
        windows_job.adopt(self._process)
        self._threads = [
            threading.Thread(target=self._read_replies, name="worker-replies", daemon=True),
            threading.Thread(target=self._read_log, name="worker-log", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, message: Message) -> None:
        """Send a request; raises `ProcessEnded` where nobody is there to read it."""
        assert self._process.stdin is not None
        try:
            write_frame(self._process.stdin, message)  # type: ignore[arg-type]
        except (OSError, ValueError) as error:
            raise ProcessEnded(self.end()) from error

    def receive(self, seconds: float) -> Message | None:
        """Return the next answer, None where none came within `seconds`."""
        try:
            message = self._replies.get(timeout=seconds)
        except queue.Empty:
            return None
        if message is None:
            raise ProcessEnded(self.end())
        if message.get("event") in ("ready", "checked", "converted", "error"):
            self.log.wait_for_answer()
        return message

    def end(self, grace: float = 0.0) -> int:
        """End the process, after `grace` seconds by force, and return its exit status."""
        if grace:
            with suppress(OSError, ValueError):
                write_frame(self._process.stdin, {"op": "stop"})  # type: ignore[arg-type]
        elif not self._threads[0].is_alive():
            grace = 1.0  # it is ending on its own; its status tells why
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        self._process.kill()
        code = self._process.wait()
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        for thread in self._threads:
            thread.join(5.0)
        self.log.close()
        return code

    def _read_replies(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        with stream, suppress(OSError, ValueError, BrokenStream):
            while (message := read_frame(stream)) is not None:  # type: ignore[arg-type]
                self._replies.put(message)
        self._replies.put(None)

    def _read_log(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        with stream, suppress(OSError, ValueError):
            while line := stream.readline(4096):
                self.log.write(line)


def environment(
    python: Path, base: Mapping[str, str] = os.environ, libraries: str = ""
) -> dict[str, str]:
    """Return the variables for a program of another interpreter.

    This service's own Python settings would mislead it, and a conda environment needs its
    folders on PATH as if it had been activated.
    """
    values = {key: value for key, value in base.items() if not key.startswith("PYTHON")}
    values.pop("__PYVENV_LAUNCHER__", None)
    values["TF_CPP_MIN_LOG_LEVEL"] = "0"  # the log explains why there is no GPU
    values["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    if libraries:
        values["LD_LIBRARY_PATH"] = libraries
    prefix = python.parent if sys.platform == "win32" else python.parent.parent
    if (prefix / "conda-meta").is_dir():
        folders = [prefix, prefix / "Library" / "bin", prefix / "Scripts", prefix / "bin"]
        present = [str(folder) for folder in folders if folder.is_dir()]
        values["PATH"] = os.pathsep.join([*present, values.get("PATH", "")])
        values["CONDA_PREFIX"] = str(prefix)
    return values
