"""One worker and the state that it is in."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bshm_bridge.engines import diagnosis
from bshm_bridge.engines.base import Cancellation, ReportProgress
from bshm_bridge.engines.pixel_file import PixelFile
from bshm_bridge.engines.process import ProcessEnded, WorkerProcess
from bshm_bridge.errors import Exhausted, JobCancelled, MattingError, NotReady, Unavailable
from bshm_worker import PROTOCOL

Message = dict[str, Any]
Launch = Callable[[PixelFile], WorkerProcess]

_POLL = 0.1
_NOTHING: Mapping[str, NDArray[Any]] = {}


class State(str, enum.Enum):
    """What a worker is doing."""

    ABSENT = "absent"
    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    FAILED = "failed"
    STOPPING = "stopping"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.ABSENT: frozenset({State.STARTING}),
    State.STARTING: frozenset({State.READY, State.FAILED, State.STOPPING}),
    State.READY: frozenset({State.BUSY, State.FAILED, State.STOPPING}),
    State.BUSY: frozenset({State.READY, State.FAILED, State.STOPPING}),
    State.FAILED: frozenset({State.STARTING, State.ABSENT}),
    State.STOPPING: frozenset({State.ABSENT}),
}


@dataclass(frozen=True)
class Limits:
    """Seconds after which a worker is given up."""

    load: float = 900.0
    """Until it is ready. CUDA compiles kernels at the first start, for minutes."""
    inference: float = 300.0
    """For one answer."""
    grace: float = 0.5
    """Between a cancel and the end of the worker that does not come to an answer.

    Long enough to spare a loaded model on a GPU, and the service is free within a second.
    """


@dataclass(frozen=True)
class Ready:
    """What a worker says about itself once its model is loaded."""

    runtime: str
    device: str
    device_kind: str
    notice: str
    pid: int


class Worker:
    """Starts, asks and ends one child process at a time.

    `start`, `infer` and `stop` are called by one thread at a time; `state`, `failure` and
    `memory` by any.

    Parameters
    ----------
    launch
        Starts a process that inherits the pixel file.
    """

    def __init__(self, launch: Launch, limits: Limits | None = None) -> None:
        self._launch = launch
        self._limits = limits or Limits()
        self._state = State.ABSENT
        self._lock = threading.Lock()
        self._process: WorkerProcess | None = None
        self._pixels: PixelFile | None = None
        self.failure = ""
        """Why the state is `failed`."""
        self.memory = 0
        """Resident bytes after the last answer."""
        self.gpu_memory = 0
        """Bytes of graphics memory after the last answer, 0 where unknown."""
        self.runtime_seconds = 0.0
        """Seconds inside the runtime for the last answer."""
        self._seconds_per_pixel = 0.0
        self._unanswered = False

    @property
    def state(self) -> State:
        """The state now; a process that has died since the last answer counts as failed."""
        process = self._process
        if self._state is State.READY and process is not None and not process.alive:
            return State.FAILED
        return self._state

    def start(
        self,
        model: Message,
        device: str,
        warm_up: tuple[int, int],
        cancel: Cancellation,
        progress: ReportProgress,
    ) -> Ready:
        """Start the process and load a model in it.

        Parameters
        ----------
        model
            `engine`, `path`, and the manifest's `input`, `output`, `extra_inputs` and `states`
            as plain JSON.
        warm_up
            Width and height of the picture that is tried first.
        """
        self._enter(State.STARTING)
        try:
            self._open()
            assert self._process is not None and self._pixels is not None
            request: Message = {"op": "load", "model": model, "device": device}
            request |= {"pixels": self._pixels.place, "warm_up": warm_up}
            progress("starting", -1.0)
            answer = self._ask(request, "ready", self._limits.load, cancel, progress)
            if answer["protocol"] != PROTOCOL:
                raise MattingError("The engine worker is of another version.", "worker-protocol")
        except BaseException as error:
            self._give_up(error)
            raise
        self._enter(State.READY)
        taken = answer["device"]
        notice = diagnosis.with_libraries(taken["notice"], self._process.log.tail)
        return Ready(answer["runtime"], taken["name"], taken["kind"], notice, answer["pid"])

    def infer(
        self,
        image: NDArray[np.uint8],
        cancel: Cancellation,
        progress: ReportProgress,
        blocks: Mapping[str, NDArray[Any]] = _NOTHING,
    ) -> tuple[NDArray[np.float32], list[NDArray[Any]]]:
        """Return the alpha of an image (H×W×3, RGB) that has the network's size.

        The second value is what the network remembers, in the order of its manifest's states.
        `blocks` are what it takes besides the image: `trimap`, `distances`, and what it
        remembers of the last frame, by the names of the inputs.

        Where the worker dies or does not answer, it is ended and the state is `failed`.
        """
        if self._pixels is None or self.state is not State.READY:
            raise Unavailable("The engine is not running; try again.", "worker-crashed")
        self._enter(State.BUSY)
        try:
            described, offset = _hand_over(self._pixels, image, blocks)
            height, width = image.shape[:2]
            request = {"op": "infer", "height": height, "width": width}
            request |= {"blocks": described, "alpha_offset": offset}
            started = time.monotonic()
            expected = self._seconds_per_pixel * height * width

            def tick() -> None:
                passed = time.monotonic() - started
                progress("inference", min(0.95, passed / expected) if expected else -1.0)

            answer = self._ask(request, "result", self._limits.inference, cancel, progress, tick)
            alpha = self._pixels.take(offset, answer["height"], answer["width"])
            states = self._pixels.take_blocks(answer["states"])
        except BaseException as error:
            self._give_up(error)
            raise
        self._seconds_per_pixel = (time.monotonic() - started) / (height * width)
        self.runtime_seconds = answer["runtime_seconds"]
        self._enter(State.READY)
        cancel.check()
        return alpha, states

    def stop(self) -> None:
        """End the process; its memory is free when this returns."""
        if self._state is State.ABSENT:
            return
        if self._state is State.FAILED:
            self._enter(State.ABSENT)
            return
        self._enter(State.STOPPING)
        self._discard(self._limits.grace)
        self._enter(State.ABSENT)

    def _ask(
        self,
        request: Message,
        kind: str,
        limit: float,
        cancel: Cancellation,
        progress: ReportProgress,
        tick: Callable[[], None] = lambda: None,
    ) -> Message:
        process = self._process
        assert process is not None
        deadline = time.monotonic() + limit
        try:
            self._unanswered = True
            process.send(request)
            while True:
                answer = process.receive(_POLL)
                if answer is None:
                    tick()
                elif answer["event"] == "stage":
                    warms = answer["stage"] == "warming-up"
                    progress("warming-up" if warms else "starting", -1.0)
                elif answer["event"] == "error":
                    self._unanswered = False
                    raise diagnosis.error_from(
                        answer["reason"], answer["message"], process.log.tail
                    )
                elif answer["event"] == kind:
                    self._unanswered = False
                    self.memory = answer["memory"]
                    self.gpu_memory = answer["gpu_memory"]
                    return answer
                now = time.monotonic()
                if cancel.cancelled:
                    deadline = min(deadline, now + self._limits.grace)
                if now >= deadline:
                    process.end()
                    cancel.check()
                    raise Unavailable(
                        f"The engine gave no answer within {limit:.0f} seconds and was ended; "
                        "try again with a smaller picture.",
                        "engine-hung",
                    )
        except ProcessEnded as ended:
            raise diagnosis.crash(ended.code, process.log.tail) from None

    def _give_up(self, error: BaseException) -> None:
        """Settle the state after a request that went wrong."""
        alive = self._process is not None and self._process.alive
        if self._state is State.BUSY and alive and not self._unanswered:
            self._enter(State.READY)  # it refused this request and waits for the next one
            return
        self.failure = "" if isinstance(error, JobCancelled) else str(error)
        self._discard(0.0)
        self._enter(State.FAILED)

    def _open(self) -> None:
        try:
            self._pixels = PixelFile()
            self._process = self._launch(self._pixels)
        except OSError as error:
            raise NotReady(
                f"The engine's interpreter cannot be started ({error.strerror}); install the "
                "engine again with “bshm engines install”.",
                "runtime-broken",
            ) from error

    def _discard(self, grace: float) -> None:
        process, self._process = self._process, None
        pixels, self._pixels = self._pixels, None
        if process is not None:
            process.end(grace)
        if pixels is not None:
            pixels.close()
        self.memory = self.gpu_memory = 0

    def _enter(self, state: State) -> None:
        with self._lock:
            if state not in TRANSITIONS[self._state]:
                raise AssertionError(f"a worker cannot go from {self._state} to {state}")
            self._state = state


def _hand_over(
    pixels: PixelFile, image: NDArray[np.uint8], blocks: Mapping[str, NDArray[Any]]
) -> tuple[list[Message], int]:
    try:
        return pixels.put(image, blocks)
    except (OSError, MemoryError) as error:
        raise Exhausted(
            "There is not enough memory to hand the picture to the engine; close other programs "
            "and try again.",
            "out-of-memory",
        ) from error
