"""One lane per loaded model: its session, its thread, and the jobs that wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from bshm_bridge.engines.base import Cancellation, EngineInput, Session
from bshm_bridge.engines.registry import Choice, Registry
from bshm_bridge.scheduling.pipeline import Stopwatch
from bshm_bridge.scheduling.request import Loading, Queued, Running, Tell
from bshm_bridge.scheduling.threads import in_thread
from bshm_bridge.scheduling.turns import Turns


class Lane:
    """Runs the jobs of one model on one device, one after the other."""

    def __init__(self, choice: Choice, registry: Registry) -> None:
        self.choice = choice
        self.session: Session | None = None
        self.state = "absent"
        self.message = ""
        self.last_used = time.monotonic()
        self._registry = registry
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"lane-{choice.manifest.name}")
        self._turns = Turns(1)

    @property
    def idle(self) -> bool:
        """Whether nobody uses or awaits it."""
        return self._turns.idle

    async def infer(
        self,
        engine_input: EngineInput,
        *,
        batch: bool,
        client: str,
        tell: Tell,
        cancel: Cancellation,
        before_load: Callable[[], Awaitable[None]],
        clock: Stopwatch,
    ) -> tuple[NDArray[np.float32], Session]:
        """Return the alpha matte, and the session that made it.

        Parameters
        ----------
        clock
            Gets the seconds of `queue`, `load` and `inference`.
        before_load
            Awaited before a model is loaded, to make room for it.
        """
        loop = asyncio.get_running_loop()

        def report(stage: str, fraction: float) -> None:
            loop.call_soon_threadsafe(tell, Running(stage, fraction))

        arrived = time.perf_counter()
        async with self._turns.taken(
            batch=batch, client=client, waiting=lambda place: tell(Queued(place))
        ):
            clock.add("queue", time.perf_counter() - arrived)
            try:
                with clock.stage("load"):
                    session = await self._ready(tell, cancel, before_load)
                self.state = "busy"
                tell(Running("inference", 0.0))
                with clock.stage("inference"):
                    alpha = await in_thread(
                        self._thread, cancel, lambda: session.infer(engine_input, cancel, report)
                    )
                return alpha, session
            finally:
                if self.state == "busy":
                    self.state = "ready"
                self.last_used = time.monotonic()

    async def load(self, before_load: Callable[[], Awaitable[None]]) -> None:
        """Make the model ready ahead of the first job."""
        async with self._turns.taken(batch=True, client="preload"):
            await self._ready(lambda event: None, Cancellation(), before_load)

    async def unload(self) -> bool:
        """Free the model; true where it was loaded. Waits for a running inference."""
        session, self.session = self.session, None
        if session is None:
            return False
        self.state = "stopping"
        loop = asyncio.get_running_loop()
        await asyncio.shield(loop.run_in_executor(self._thread, session.close))
        if self.session is None:
            self.state = "absent"
        return True

    def shut(self) -> None:
        """End the thread. The lane is not used again."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _ready(
        self, tell: Tell, cancel: Cancellation, before_load: Callable[[], Awaitable[None]]
    ) -> Session:
        if self.session is not None and not self.session.alive:
            await self.unload()
        if self.session is not None:
            return self.session
        await before_load()
        loop = asyncio.get_running_loop()
        name = self.choice.manifest.name

        def report(stage: str, fraction: float) -> None:
            loop.call_soon_threadsafe(tell, Loading(stage, fraction, name))

        made: list[Session] = []

        def load() -> None:
            file = self._registry.fetch(self.choice, cancel, report)
            made.append(
                self.choice.engine.load(
                    self.choice.manifest, file, self.choice.device, cancel, report
                )
            )

        self.state, self.message = "starting", ""
        tell(Loading("starting", -1.0, name))
        try:
            await in_thread(self._thread, cancel, load)
        except asyncio.CancelledError:
            # Loaded all the same, a moment too late: the next job finds it.
            self.session, self.state = (made[0], "ready") if made else (None, "absent")
            raise
        except Exception as error:
            self.state, self.message = "failed", str(error)
            raise
        self.session, self.state = made[0], "ready"
        return self.session
