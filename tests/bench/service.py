"""A real service process whose engine costs next to nothing, or a set time, for measurements.

``python -m tests.bench.service SECONDS`` runs it; `running` starts and ends it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge_client import BridgeClient, Pixels


@contextmanager
def running(seconds: float = 0.0, **settings: object) -> Iterator[tuple[Path, int]]:
    """Start a service; yields its state directory and its process."""
    with tempfile.TemporaryDirectory() as home:
        arguments = [f"{name}={value!r}" for name, value in settings.items()]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.service", str(seconds), *arguments],
            env={**os.environ, "BSHM_HOME": home},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("ready")
            yield Path(home), process.pid
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


def client(home: Path, name: str = "bench", *, exchange: bool = True) -> BridgeClient:
    return BridgeClient(name, home, exchange=exchange)


def unseen(data: bytearray, width: int, height: int) -> Pixels:
    """Return RGB `data` as a layer that the service has not met, so that no cache answers."""
    data[:8] = os.urandom(8)
    return Pixels(data, width, height, "RGB")


class TimedSession:
    """Takes `seconds`, most of them asleep, as a GPU's owner is; answers with the red channel."""

    engine, device, notice, reduced, pid, alive = "classic", "CPU", "", False, 0, True

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def infer(self, request: object, cancel: object, progress: object) -> NDArray[np.float32]:
        end = time.perf_counter() + self._seconds
        alpha = request.image[..., 0].astype(np.float32)  # type: ignore[attr-defined]
        # Ends beyond 0 and 1, so that a photograph's noise is no soft band.
        alpha = np.clip((alpha / 255 - 0.1) / 0.8, 0, 1)
        time.sleep(max(0.0, end - time.perf_counter()))
        return alpha

    def close(self) -> None:
        pass


class TimedEngine:
    name = "classic"

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def available(self) -> tuple[bool, str]:
        return True, ""

    def load(self, *_: object) -> TimedSession:
        return TimedSession(self._seconds)


def main() -> None:
    import ast

    from bshm_bridge.config import Settings
    from bshm_bridge.engines.registry import Registry
    from bshm_bridge.paths import Paths, home
    from bshm_bridge.service.server import serve

    pairs = (argument.split("=", 1) for argument in sys.argv[2:])
    settings = Settings(**{name: ast.literal_eval(value) for name, value in pairs})
    registry = Registry({"classic": TimedEngine(float(sys.argv[1]))})
    serve(Paths(home()), settings, registry, lambda endpoint: print("ready", flush=True))


if __name__ == "__main__":
    main()
