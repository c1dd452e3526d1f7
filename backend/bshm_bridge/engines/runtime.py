"""The engines `tf1`, `tf2` and `onnx`: models in workers, one process for each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bshm_bridge.engines import diagnosis, fitting
from bshm_bridge.engines.backoff import BackOff
from bshm_bridge.engines.base import Cancellation, EngineInput, ReportProgress
from bshm_bridge.engines.environments import Environments
from bshm_bridge.engines.pixel_file import PixelFile
from bshm_bridge.engines.process import WorkerProcess
from bshm_bridge.engines.worker import Limits, Ready, State, Worker
from bshm_bridge.engines.worker_log import WorkerLog
from bshm_bridge.errors import Exhausted, JobCancelled, MattingError, NotReady
from bshm_bridge.matting import trimap as trimaps
from bshm_bridge.models.manifest import Manifest

Start = Callable[[Cancellation, ReportProgress], Ready]

_SMALLER = (
    "There was not enough memory for the usual size, so the matte was made at half of it; close "
    "other programs for finer edges."
)

NAMES = ("tf1", "tf2", "onnx")


class WorkerSession:
    """A model in a worker of its own.

    Parameters
    ----------
    worker
        Ready, with the model loaded.
    ready
        What it said about itself.
    restart
        Starts it again with the same model on the same device.
    manifest
        Describes the model.
    """

    def __init__(
        self,
        engine: str,
        worker: Worker,
        ready: Ready,
        restart: Start,
        manifest: Manifest,
        backoff: BackOff,
    ) -> None:
        self.engine = engine
        self.device = ready.device
        self.notice = self._device_notice = ready.notice
        self.reduced = False
        self.runtime = ready.runtime
        self.pid = ready.pid
        self._restart = restart
        self._worker = worker
        self._manifest = manifest
        self._spec = manifest.input
        self._backoff = backoff

    @property
    def state(self) -> str:
        """One of the worker's states."""
        return self._worker.state.value

    @property
    def alive(self) -> bool:
        return self._worker.state in (State.READY, State.BUSY)

    @property
    def runtime_seconds(self) -> float:
        """Seconds that the last answer took inside the runtime itself."""
        return self._worker.runtime_seconds

    @property
    def memory(self) -> int:
        """Resident bytes of the worker after its last answer."""
        return self._worker.memory

    @property
    def gpu_memory(self) -> int:
        """Bytes of graphics memory after the worker's last answer, 0 where unknown."""
        return self._worker.gpu_memory

    def infer(
        self, request: EngineInput, cancel: Cancellation, progress: ReportProgress
    ) -> NDArray[np.float32]:
        """Return the alpha matte; where memory does not suffice, at half the size."""
        self.notice, self.reduced = self._device_notice, False
        height, width = request.image.shape[:2]
        size = fitting.network_size(width, height, self._spec.size)
        try:
            return self._infer(request, size, cancel, progress)
        except Exhausted as error:
            less = fitting.smaller(self._spec.size, *size)
            # What a network remembers of a video has the size of its frames.
            if error.reason != diagnosis.OUT_OF_MEMORY or less is None or request.recurrence:
                raise
        if not self.alive:
            self.pid = self._restart(cancel, progress).pid
        alpha = self._infer(request, fitting.network_size(*size, less), cancel, progress)
        self.notice, self.reduced = f"{self.notice} {_SMALLER}".lstrip(), True
        return alpha

    def close(self) -> None:
        self._worker.stop()

    def _infer(
        self,
        request: EngineInput,
        size: tuple[int, int],
        cancel: Cancellation,
        progress: ReportProgress,
    ) -> NDArray[np.float32]:
        cancel.check()
        trimap = self._trimap(request, size)
        if trimap is not None and not (trimap == trimaps.UNKNOWN).any():
            return trimap.astype(np.float32) / np.float32(255)
        blocks = self._blocks(request, trimap)
        image = fitting.fit(request.image, *size, self._spec.resample)
        try:
            alpha, states = self._worker.infer(image, cancel, progress, blocks)
        except JobCancelled:
            raise
        except MattingError:
            if not self.alive:
                self._backoff.crashed()
            raise
        self._backoff.succeeded()
        if request.recurrence is not None:
            request.recurrence.states = states
        return alpha if trimap is None else trimaps.merged(alpha, trimap)

    def _trimap(self, request: EngineInput, size: tuple[int, int]) -> NDArray[np.uint8] | None:
        if not self._manifest.needs_trimap:
            return None
        if request.trimap is None:
            raise NotReady(
                f"The model “{self._manifest.name}” needs a trimap: select roughly around the "
                "subject, or paint one.",
                "needs-trimap",
            )
        return trimaps.resized(request.trimap, size)

    def _blocks(
        self, request: EngineInput, trimap: NDArray[np.uint8] | None
    ) -> dict[str, NDArray[Any]]:
        """Return what the network takes besides the image."""
        blocks: dict[str, NDArray[Any]] = {}
        if trimap is not None:
            blocks["trimap"] = trimap
            if any(extra.kind == "trimap-distances" for extra in self._manifest.extra_inputs):
                blocks["distances"] = trimaps.distances(trimap)
        if request.recurrence is not None:
            names = [pair.input for pair in self._manifest.states]
            blocks.update(zip(names, request.recurrence.states, strict=False))
        return blocks


class WorkerEngine:
    """One of the engines whose runtime lives in an interpreter of its own.

    Parameters
    ----------
    name
        tf1, tf2 or onnx.
    environments
        Knows the interpreter.
    logs
        Folder for the workers' logs.
    """

    def __init__(
        self, name: str, environments: Environments, logs: Path, limits: Limits | None = None
    ) -> None:
        self.name = name
        self._environments = environments
        self._logs = logs
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._backoffs: dict[str, BackOff] = {}

    def available(self) -> tuple[bool, str]:
        """Return whether the interpreter is there; looks at two files only."""
        try:
            self._environments.get(self.name)
        except NotReady as error:
            return False, str(error)
        return True, ""

    def load(
        self,
        manifest: Manifest,
        file: Path | None,
        device: str,
        cancel: Cancellation,
        progress: ReportProgress,
    ) -> WorkerSession:
        """Start a worker and load the model; see `Engine.load`."""
        if file is None:
            raise NotReady(
                f"The model “{manifest.name}” has no file for the engine {self.name}.",
                "model-file",
            )
        source = model_file(self.name, file)
        if not source.is_file():
            raise NotReady(
                f"The model “{manifest.name}” has not been converted for the engine {self.name}; "
                f"run “bshm models convert {manifest.name}”.",
                "model-file",
            )
        with self._lock:
            backoff = self._backoffs.setdefault(manifest.name, BackOff())
        backoff.check()
        cancel.check()
        try:
            worker, ready, restart = self._start(manifest, source, device, cancel, progress)
        except MattingError as error:
            if error.reason in ("worker-crashed", "worker-killed", "engine-hung"):
                backoff.crashed()
            raise
        return WorkerSession(self.name, worker, ready, restart, manifest, backoff)

    def _start(
        self,
        manifest: Manifest,
        file: Path,
        device: str,
        cancel: Cancellation,
        progress: ReportProgress,
    ) -> tuple[Worker, Ready, Start]:
        environment = self._environments.get(self.name)
        log = self._logs / f"worker-{self.name}-{manifest.name}.log"

        def launch(pixels: PixelFile) -> WorkerProcess:
            return WorkerProcess(
                environment.python, WorkerLog(log), pixels.inherited, environment.libraries
            )

        plain = manifest.to_dict()
        model = {"engine": self.name, "path": str(file)}
        model |= {part: plain[part] for part in ("input", "output", "extra_inputs", "states")}
        warm_up = fitting.warm_up_size(manifest.input.size)
        worker = Worker(launch, self._limits)

        def start(on: str, cancel: Cancellation, progress: ReportProgress) -> Ready:
            return worker.start(model, on, warm_up, cancel, progress)

        try:
            ready = start(device, cancel, progress)
            return worker, ready, partial(start, ready.device_kind)
        except MattingError as error:
            worker.stop()
            if device != "auto" or error.reason not in diagnosis.GPU_REASONS:
                raise
            notice = f"Runs on the processor (CPU). {error}"
        ready = replace(start("cpu", cancel, progress), notice=notice)
        return worker, ready, partial(start, "cpu")


def model_file(engine: str, file: Path) -> Path:
    """Return the file that an engine loads: a converted graph lies beside the original."""
    if engine == "onnx" and file.suffix != ".onnx":
        return file.with_suffix(".onnx")
    return file
