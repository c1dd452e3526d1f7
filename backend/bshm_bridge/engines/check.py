"""Trying an engine's runtime out in its own interpreter."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bshm_bridge.engines import diagnosis
from bshm_bridge.engines.base import Cancellation
from bshm_bridge.engines.environments import Environment
from bshm_bridge.engines.process import ProcessEnded, WorkerProcess
from bshm_bridge.engines.worker_log import WorkerLog
from bshm_bridge.errors import NotReady, Unavailable


def check(
    engine: str,
    python: Path,
    log: Path,
    *,
    packages: str = "",
    managed: bool = False,
    libraries: str = "",
    limit: float = 300.0,
    cancel: Cancellation | None = None,
) -> Environment:
    """Import the runtime in `python`, compute something with it, and describe it.

    Parameters
    ----------
    engine
        tf1, tf2 or onnx.
    log
        File for what the runtime prints.
    libraries
        `LD_LIBRARY_PATH` for it; empty for this process's own.
    limit
        Seconds.

    Raises
    ------
    MattingError
        `NotReady` where it is not the engine's runtime or does not work, `Unavailable` where
        it crashes or hangs.
    """
    try:
        process = WorkerProcess(python, WorkerLog(log), libraries=libraries)
    except OSError as error:
        raise NotReady(
            f"That Python cannot be started ({error.strerror}).", "runtime-broken"
        ) from error
    try:
        deadline = time.monotonic() + limit
        process.send({"op": "check", "engine": engine})
        while (answer := process.receive(0.2)) is None:
            if cancel is not None:
                cancel.check()
            if time.monotonic() > deadline:
                raise Unavailable(f"The engine {engine} did not start in time.", "engine-hung")
    except ProcessEnded as ended:
        raise diagnosis.crash(ended.code, process.log.tail) from None
    finally:
        process.end()
    tail = process.log.tail
    if answer["event"] == "error":
        raise diagnosis.error_from(answer["reason"], answer["message"], tail)
    return Environment(
        engine=engine,
        python=python,
        managed=managed,
        packages=packages,
        runtime=answer["runtime"],
        python_version=answer["python"],
        device=answer["device"]["name"],
        notice=diagnosis.with_libraries(answer["device"]["notice"], tail),
        libraries=libraries or os.environ.get("LD_LIBRARY_PATH", ""),
    )
