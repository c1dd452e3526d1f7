"""Takes jobs, gives each its memory, its turn and its model, and counts what became of them."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bshm_bridge.config import Settings
from bshm_bridge.engines.base import Recurrence
from bshm_bridge.engines.registry import Choice, Registry
from bshm_bridge.errors import (
    Exhausted,
    JobCancelled,
    MattingError,
    NotReady,
    Unavailable,
    UnknownModel,
)
from bshm_bridge.scheduling import memory
from bshm_bridge.scheduling.cache import AlphaCache, Remembered, content_key
from bshm_bridge.scheduling.job import Job, Totals
from bshm_bridge.scheduling.lanes import Lane
from bshm_bridge.scheduling.pipeline import Prepared, enlarged, finish, fitted, prepare
from bshm_bridge.scheduling.request import (
    JobRequest,
    Notice,
    Outcome,
    Payload,
    Queued,
    Running,
    Tell,
)
from bshm_bridge.scheduling.threads import in_thread, thread_pool
from bshm_bridge.scheduling.turns import Turns
from bshm_bridge.scheduling.videos import Videos

_log = logging.getLogger(__name__)

T = TypeVar("T")

_COLLECT_AFTER = 0.5  # seconds after a failure, when the call has been answered
_HOUSEKEEPING = 1.0  # seconds between looks at idle models


@dataclass(frozen=True)
class Found:
    """A network's alpha, and how it was come by.

    Attributes
    ----------
    reduced
        Whether memory allowed for less than the usual size only.
    """

    remembered: Remembered
    reduced: bool = False
    cached: bool = False

    def after(self, before: Found) -> Found:
        """Return this, with what the user should know of the model before it in a chain."""
        notice = " ".join(filter(None, [before.remembered.notice, self.remembered.notice]))
        remembered = replace(self.remembered, notice=notice)
        return replace(self, remembered=remembered, reduced=self.reduced or before.reduced)


class Scheduler:
    """Runs jobs: pixel work of several at once, inference one at a time per model.

    Lives in one event loop; blocking work happens in its own threads.
    """

    def __init__(self, registry: Registry, settings: Settings, workers: int = 2) -> None:
        self.registry = registry
        self.totals = Totals()
        self.jobs: list[Job] = []
        self.draining = False
        self.last_used = time.monotonic()
        self._settings = settings
        self._lanes: dict[tuple[str, str, str], Lane] = {}
        self._pixels = thread_pool(workers, "pixels")
        self._pixel_turns = Turns(workers)
        self._budget = memory.MemoryBudget(settings.memory_limit)
        self._cache = AlphaCache(settings.cache_bytes)
        self.videos = Videos()
        self._housekeeper: asyncio.Task[None] | None = None
        self._preload: asyncio.Task[None] | None = None

    @property
    def lanes(self) -> list[Lane]:
        return list(self._lanes.values())

    def start(self) -> None:
        """Begin to unload models that idle."""
        self._housekeeper = asyncio.ensure_future(self._keep_house())

    @asynccontextmanager
    async def admitted(self, request: JobRequest, tell: Tell) -> AsyncIterator[Job]:
        """Hold a place and memory for a job, from before its pixels arrive to after they leave.

        Raises
        ------
        MattingError
            `InvalidInput`, `UnknownModel`, `NotReady`, `Exhausted` where the queue is full,
            `Unavailable` where the service drains.
        """
        if self.draining:
            raise Unavailable("The service is shutting down: please try again.", "draining")
        job = Job(request, self._choose(request), tell)
        if len(self.jobs) >= self._settings.queue_limit:
            raise Exhausted(
                f"{len(self.jobs)} other layers are waiting already: please try again later.",
                "queue-full",
            )
        self.jobs.append(job)
        try:
            with job.clock.stage("total"):
                arrived = time.perf_counter()
                size = memory.estimate(request)
                async with self._budget.hold(
                    size,
                    lambda place: job.on_event(Queued(place)),
                    batch=request.options.batch,
                ):
                    job.clock.add("queue", time.perf_counter() - arrived)
                    yield job
        except (asyncio.CancelledError, JobCancelled):
            self.totals.cancelled += 1
            self.videos.forget(request)
            raise
        except BaseException:
            self.totals.failed += 1
            raise
        else:
            self.totals.done += 1
            for stage, seconds in job.clock.seconds.items():
                sums = self.totals.seconds
                sums[stage] = sums.get(stage, 0.0) + seconds
        finally:
            job.cancel.cancel()
            self.jobs.remove(job)
            self.last_used = time.monotonic()
            if sys.exc_info()[0] is not None:
                # Exceptions and the frames in their tracebacks hold each other, and with them
                # the layer's pixels, of which the collector sees nothing but small objects.
                asyncio.get_running_loop().call_later(_COLLECT_AFTER, gc.collect)

    async def run(self, job: Job, payload: Payload) -> Outcome:
        """Return the matte of an admitted job's pixels."""
        if job.request.remembered:
            return await self._again(job)
        job.on_event(Running("decoding"))
        content = await self._content(job, payload)
        prepared = await self._in_pixels(
            job, lambda: prepare(job.request, payload, job.clock, job.cancel)
        )
        notices: tuple[Notice, ...] = ()
        if job.choice.notice:
            notices += (Notice("fallback", job.choice.notice),)
        with self._video(job) as recurrence:
            if recurrence is None:
                found = await self._alpha(job, job.choice, prepared, content)
            else:
                found = await self._infer(job, job.choice, prepared, recurrence=recurrence)
            if found.remembered.notice:
                notices += (Notice("device", found.remembered.notice),)
            alpha = found.remembered.alpha
            job.on_event(Running("refining"))
            matte, colours, seen = await self._in_pixels(
                job, lambda: finish(prepared, alpha, job.cancel)
            )
        return Outcome(
            matte=matte,
            foreground=colours,
            model=job.choice.name,
            engine=found.remembered.engine,
            device=found.remembered.device,
            notices=notices + seen,
            timings=dict(job.clock.seconds),
            cached=found.cached,
            remembered=found.remembered.token if content and not found.reduced else "",
        )

    def default(self) -> tuple[str, str]:
        """Return the model that "auto" means now, and why where it is not BSHM."""
        try:
            choice = self._choose_named("auto", "", "auto")
        except MattingError as error:
            return self._settings.model, str(error)
        return choice.manifest.name, choice.notice

    def preload(self, model: str) -> None:
        """Begin to load `model`; a failure is logged, and tried again by the first job."""

        async def load() -> None:
            try:
                lane = self._lane(self._choose_named(model, "", "auto"))
                await lane.load(lambda: self._make_room(lane))
            except MattingError as error:
                _log.warning("preloading %s: %s", model, error)

        self._preload = asyncio.ensure_future(load())

    async def release(self, model: str) -> list[str]:
        """Unload `model`, or every model where it is empty; return the names of those.

        Raises
        ------
        UnknownModel
            There is no model of that name.
        """
        lanes = [lane for lane in self.lanes if model in ("", lane.choice.manifest.name)]
        if model and not lanes:
            known = [manifest.name for manifest in self.registry.manifests()]
            if model not in known:
                raise UnknownModel.named(model, known)
        return [lane.choice.manifest.name for lane in lanes if await lane.unload()]

    async def drain(self, seconds: float) -> None:
        """Accept no new jobs, and wait up to `seconds` for those that run."""
        self.draining = True
        deadline = time.monotonic() + seconds
        while self.jobs and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Give up what still runs, unload every model, end the threads."""
        self.draining = True
        for job in self.jobs:
            job.cancel.cancel()
        tasks = [task for task in (self._housekeeper, self._preload) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.release("")
        for lane in self.lanes:
            lane.shut()
        self._pixels.shutdown(wait=False, cancel_futures=True)

    # ------------------------------------------------------------ parts

    def _choose(self, request: JobRequest) -> Choice:
        options = request.options
        choice = self._choose_named(options.model, options.engine, options.device)
        if choice.manifest.temporal and request.planes[1:]:
            raise NotReady(
                f"The model “{choice.name}” follows a video by itself and takes no selection or "
                "trimap: deselect, or choose another model for single pictures.",
                "temporal-model",
            )
        if choice.manifest.needs_trimap:
            if request.trimap is not None:
                return replace(choice, first=None)
            if choice.first is None and request.hint is None:
                return self.registry.chained(choice, "auto")
        return choice

    def _choose_named(self, model: str, engine: str, device: str) -> Choice:
        return self.registry.choose(
            self._settings.model if model in ("", "auto") else model,
            engine or self._settings.engine,
            self._settings.device if device in ("", "auto") else device,
        )

    async def _again(self, job: Job) -> Outcome:
        """Return the matte of a layer that is remembered and was not sent."""
        found = self._cache.by_token(job.request.remembered)
        if found is None:
            raise NotReady(
                "What was remembered of this layer is gone: send it again.", "not-remembered"
            )
        job.on_event(Running("refining"))
        alpha = found.alpha
        matte, notices = await self._in_pixels(
            job, lambda: enlarged(job.request, alpha, job.clock, job.cancel)
        )
        return Outcome(
            matte=matte,
            foreground=None,
            model=found.model,
            engine=found.engine,
            device=found.device,
            notices=notices,
            timings=dict(job.clock.seconds),
            cached=True,
            remembered=found.token,
        )

    def _video(self, job: Job) -> AbstractContextManager[Recurrence | None]:
        """Hold what is remembered of the job's video; None where nothing has to be."""
        if job.request.frame is None or not job.choice.manifest.temporal:
            return nullcontext()
        return self.videos.frame(job.request, job.choice.key)

    async def _content(self, job: Job, payload: Payload) -> tuple[object, ...]:
        if not self._cache.enabled or job.request.frame is not None:
            return ()
        return await self._in_pixels(job, lambda: content_key(job.request, payload))

    async def _in_pixels(self, job: Job, work: Callable[[], T]) -> T:
        options = job.request.options
        arrived = time.perf_counter()
        async with self._pixel_turns.taken(batch=options.batch, client=job.client_id):
            job.clock.add("queue", time.perf_counter() - arrived)
            return await in_thread(self._pixels, job.cancel, work)

    async def _alpha(
        self, job: Job, choice: Choice, prepared: Prepared, content: tuple[object, ...]
    ) -> Found:
        """Return a model's alpha, remembered or new, after that of the model before it."""
        key = (choice.name, *choice.key, *content)
        remembered = self._cache.get(key) if content else None
        if remembered is not None:
            return Found(remembered, cached=True)
        if choice.first is None:
            found = await self._infer(job, choice, prepared)
        else:
            before = await self._alpha(job, choice.first, prepared, content)
            found = await self._infer(job, choice, prepared, before.remembered.alpha)
            found = found.after(before)
        if content and not found.reduced:  # once there is more memory, a second try does better
            self._cache.put(key, found.remembered)
        return found

    async def _infer(
        self,
        job: Job,
        choice: Choice,
        prepared: Prepared,
        suggested: NDArray[np.float32] | None = None,
        recurrence: Recurrence | None = None,
    ) -> Found:
        engine_input = await self._in_pixels(
            job,
            lambda: fitted(
                prepared,
                choice.long_side,
                suggested=suggested,
                needs_trimap=choice.manifest.needs_trimap,
                recurrence=recurrence,
            ),
        )
        lane = self._lane(choice)
        alpha, session = await lane.infer(
            engine_input,
            batch=job.request.options.batch,
            client=job.client_id,
            tell=job.on_event,
            cancel=job.cancel,
            before_load=lambda: self._make_room(lane),
            clock=job.clock,
        )
        made = Remembered(_sane(alpha), session.engine, session.device, session.notice, choice.name)
        return Found(made, session.reduced)

    def _lane(self, choice: Choice) -> Lane:
        lane = self._lanes.get(choice.key)
        if lane is None:
            lane = self._lanes[choice.key] = Lane(choice, self.registry)
        return lane

    async def _make_room(self, newcomer: Lane) -> None:
        """Unload the least recently used idle models above the limit."""
        loaded = [lane for lane in self.lanes if lane.session and lane is not newcomer]
        idle = sorted((lane for lane in loaded if lane.idle), key=lambda lane: lane.last_used)
        for lane in idle[: max(0, len(loaded) + 1 - max(1, self._settings.loaded_models))]:
            await lane.unload()

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(_HOUSEKEEPING)
            limit = self._settings.idle_unload
            for lane in self.lanes:
                unused = time.monotonic() - lane.last_used
                if limit and lane.session and lane.idle and unused > limit:
                    with suppress(MattingError):
                        await lane.unload()


def _sane(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    if alpha.ndim != 2 or not alpha.size or not np.isfinite(alpha).all():
        raise Unavailable(
            "The model's answer is no alpha matte: check the model with `bshm doctor`.",
            "bad-answer",
        )
    return alpha
