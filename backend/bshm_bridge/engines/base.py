"""The engine contract: an RGB image goes in, an alpha matte comes out.

An `Engine` knows one runtime; its `load` makes a `Session`, one model made ready on one
device. Calls block: the scheduler gives each session a thread of its own. Everything that
can take long takes a `Cancellation` and polls it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bshm_bridge.errors import JobCancelled
from bshm_bridge.models.manifest import Manifest

ReportProgress = Callable[[str, float], None]
"""Called with a stage ("downloading", "starting", "warming-up", "inference") and a fraction
0 to 1, or -1 where it is unknown."""


class Cancellation:
    """Tells a blocking call that nobody waits for its answer any more. Thread-safe."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep up to `seconds`; true as soon as it is cancelled."""
        return self._event.wait(seconds)

    def check(self) -> None:
        """Raise `JobCancelled` where it is cancelled."""
        if self._event.is_set():
            raise JobCancelled


@dataclass
class Recurrence:
    """What a network remembers of the frames of one video.

    It lives here and not in the worker, so that a worker may be ended between two frames.

    Attributes
    ----------
    states
        In the order of the manifest's `states`, in the network's own types; empty before the
        first frame. A session replaces them with each frame.
    """

    states: list[NDArray[Any]] = field(default_factory=list)


@dataclass(frozen=True)
class EngineInput:
    """One image at network size.

    Attributes
    ----------
    image
        H×W×3, u8, RGB, encoded sRGB. Where the manifest's size rule is at-most, it is
        fitted to that already; else it has the layer's size.
    hint
        H×W, u8, roughly where the subject is (0 outside, 255 inside), or None.
    trimap
        H×W, u8: 0 background, 255 foreground, else unknown; or None.
    recurrence
        Of the video that the image is the next frame of; or None.
    """

    image: NDArray[np.uint8]
    hint: NDArray[np.uint8] | None = None
    trimap: NDArray[np.uint8] | None = None
    recurrence: Recurrence | None = None


class Session(Protocol):
    """A model made ready on a device. Used by one thread at a time."""

    engine: str
    """Name of the engine."""
    device: str
    """For people: "NVIDIA RTX 4070", "CPU"."""
    notice: str
    """Why it is not the device that one would hope for; mostly empty."""
    reduced: bool
    """Whether memory sufficed only for a smaller size than the model's in the last answer."""
    pid: int
    """Process that holds the model; 0 where that is the service itself."""

    @property
    def alive(self) -> bool:
        """False once its runtime has ended; it is then closed and loaded anew."""

    def infer(
        self, request: EngineInput, cancel: Cancellation, progress: ReportProgress
    ) -> NDArray[np.float32]:
        """Return the alpha matte h×w, 0 to 1; h×w may be smaller than the image.

        Raises
        ------
        MattingError
            `NotReady` where the picture gives nothing to go by, `Unavailable` where the
            runtime failed, `Exhausted` where its memory did not suffice, `JobCancelled`.
        """

    def close(self) -> None:
        """Free the device. The session is not used again."""


class Engine(Protocol):
    """One runtime. Cheap to make; nothing is loaded before `load`."""

    name: str

    def available(self) -> tuple[bool, str]:
        """Return whether its runtime is installed and, where not, a sentence that says so."""

    def load(
        self,
        manifest: Manifest,
        file: Path | None,
        device: str,
        cancel: Cancellation,
        progress: ReportProgress,
    ) -> Session:
        """Make a model ready; blocks until it answers requests.

        Parameters
        ----------
        manifest
            Describes the model.
        file
            The model's file; None where it has none.
        device
            "auto", "gpu" or "cpu". A device that was asked for and is not there is an error.

        Raises
        ------
        MattingError
            `NotReady` where something is not installed or the file is not what its manifest
            says, `Unavailable` where the runtime fails, `Exhausted` where its memory does not
            suffice, `JobCancelled`.
        """
