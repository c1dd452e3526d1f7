"""An engine whose pace the test sets, below the real scheduler and the real pixel work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bshm_bridge.config import Settings
from bshm_bridge.engines.base import Cancellation, EngineInput, ReportProgress
from bshm_bridge.engines.registry import Registry
from bshm_bridge.errors import JobCancelled, MattingError
from bshm_bridge.matting.pixels import PixelFormat
from bshm_bridge.models.manifest import Manifest
from bshm_bridge.scheduling.request import JobOptions, JobRequest
from bshm_bridge.scheduling.scheduler import Scheduler


class PacedSession:
    """Answers with the image's brightness, once the test lets it."""

    engine, device, pid, alive = "classic", "CPU", 0, True

    def __init__(self, engine: PacedEngine) -> None:
        self._engine = engine
        self.notice, self.reduced = engine.notice, False

    def infer(
        self, request: EngineInput, cancel: Cancellation, progress: ReportProgress
    ) -> NDArray[np.float32]:
        self._engine.started.append(int(request.image[0, 0, 0]))
        while not self._engine.gate.wait(0.005):
            cancel.check()
        if self._engine.errors:
            error = self._engine.errors.pop(0)
            self.alive = False
            raise error
        self.reduced = self._engine.reduced
        return request.image[..., 1].astype(np.float32) / 255

    def close(self) -> None:
        self._engine.closed += 1


class PacedEngine:
    name = "classic"

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.load_gate = threading.Event()
        self.load_gate.set()
        self.started: list[int] = []
        self.errors: list[MattingError] = []
        self.loaded = self.closed = 0
        self.ignore_cancel = False
        self.notice, self.reduced = "", False

    def available(self) -> tuple[bool, str]:
        return True, ""

    def load(
        self,
        manifest: Manifest,
        file: Path | None,
        device: str,
        cancel: Cancellation,
        progress: ReportProgress,
    ) -> PacedSession:
        while not self.load_gate.wait(0.005):
            if cancel.cancelled and not self.ignore_cancel:
                raise JobCancelled
        self.loaded += 1
        return PacedSession(self)


@pytest.fixture
def engine() -> PacedEngine:
    return PacedEngine()


@pytest.fixture
def make_scheduler(engine: PacedEngine) -> Callable[..., Scheduler]:
    def make(**settings: object) -> Scheduler:
        registry = Registry({"classic": engine})
        return Scheduler(registry, Settings(**settings))  # type: ignore[arg-type]

    return make


def layer(number: int, size: int = 8) -> NDArray[np.uint8]:
    """Return the payload of a layer that the paced engine knows by `number`."""
    pixels = np.full((size, size, 3), 99, np.uint8)
    pixels[..., 0] = number
    pixels[: size // 2, :, 1] = 0
    pixels[size // 2 :, :, 1] = 255
    return pixels.reshape(-1)


def request(client: str = "a", *, size: int = 8, **options: object) -> JobRequest:
    return JobRequest(
        PixelFormat(size, size, "RGB"),
        JobOptions(**options),  # type: ignore[arg-type]
        client=client,
        client_id=client,
    )
