"""One request on its way, and the counts of those that went before."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bshm_bridge.engines.base import Cancellation
from bshm_bridge.engines.registry import Choice
from bshm_bridge.scheduling.pipeline import Stopwatch
from bshm_bridge.scheduling.request import Event, JobRequest, Loading, Queued, Tell


@dataclass(eq=False)
class Job:
    """One request on its way through the service."""

    request: JobRequest
    choice: Choice
    tell: Tell
    stage: str = "queued"
    started: float = field(default_factory=time.monotonic)
    cancel: Cancellation = field(default_factory=Cancellation)
    clock: Stopwatch = field(default_factory=Stopwatch)

    @property
    def client_id(self) -> str:
        """Who asks, for fairness."""
        return self.request.client_id or self.request.client

    def on_event(self, event: Event) -> None:
        """Remember the stage, and pass the event on to the client."""
        if isinstance(event, Queued):
            self.stage = "queued"
        elif isinstance(event, Loading):
            self.stage = "loading"
        else:
            self.stage = event.stage
        self.tell(event)


@dataclass
class Totals:
    """What became of the jobs since the service started."""

    done: int = 0
    failed: int = 0
    cancelled: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
