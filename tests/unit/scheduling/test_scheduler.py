"""Order, fairness, cancelling and counting, on the real scheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bshm_bridge.errors import Exhausted, JobCancelled, NotReady, Unavailable, UnknownModel
from bshm_bridge.matting.edit import EditOptions
from bshm_bridge.scheduling.memory import MemoryBudget, estimate
from bshm_bridge.scheduling.request import Event, Outcome, Queued
from bshm_bridge.scheduling.scheduler import Scheduler

from .conftest import PacedEngine, layer, request

Make = Callable[..., Scheduler]


async def matte(
    scheduler: Scheduler,
    number: int,
    client: str = "a",
    events: list[Event] | None = None,
    **options: Any,
) -> Outcome:
    asked = request(client, **options)
    tell = events.append if events is not None else lambda event: None
    async with scheduler.admitted(asked, tell) as job:
        return await scheduler.run(job, layer(number))


def run(scheduler: Scheduler, work: Coroutine[Any, Any, Any]) -> Any:
    async def all_of_it() -> Any:
        scheduler.start()
        try:
            return await asyncio.wait_for(work, 60)
        finally:
            await scheduler.close()

    return asyncio.run(all_of_it())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_a_job_comes_back_as_a_matte_of_the_layers_size(
    make_scheduler: Make, engine: PacedEngine
) -> None:
    scheduler = make_scheduler()
    outcome = run(scheduler, matte(scheduler, 1))
    assert outcome.matte.shape == (8, 8)
    assert outcome.matte[:3].max() == 0
    assert outcome.matte[5:].min() == 255
    assert {"decode", "fit", "queue", "inference", "refine"} <= set(outcome.timings)
    assert (scheduler.totals.done, scheduler.jobs) == (1, [])
    assert engine.closed == engine.loaded == 1


def test_an_interactive_job_goes_before_a_batch(make_scheduler: Make, engine: PacedEngine) -> None:
    scheduler = make_scheduler()

    async def work() -> None:
        engine.gate.clear()
        batch = [asyncio.ensure_future(matte(scheduler, n, batch=True)) for n in range(100)]
        await until(lambda: len(scheduler.jobs) == 100 and engine.started)
        await asyncio.sleep(0.1)
        interactive = asyncio.ensure_future(matte(scheduler, 200, "b"))
        await asyncio.sleep(0.1)
        engine.gate.set()
        await asyncio.gather(interactive, *batch)

    run(scheduler, work())
    assert engine.started.index(200) == 1


def test_clients_take_turns(make_scheduler: Make, engine: PacedEngine) -> None:
    scheduler = make_scheduler()

    async def work() -> None:
        engine.gate.clear()
        jobs = [asyncio.ensure_future(matte(scheduler, n, "greedy")) for n in range(6)]
        await until(lambda: len(scheduler.jobs) == 6 and engine.started)
        jobs += [asyncio.ensure_future(matte(scheduler, 20 + n, "modest")) for n in range(2)]
        await asyncio.sleep(0.2)
        engine.gate.set()
        await asyncio.gather(*jobs)

    run(scheduler, work())
    places = [engine.started.index(number) for number in (20, 21)]
    assert max(places) <= 4, engine.started


def test_positions_are_told_and_shrink(make_scheduler: Make, engine: PacedEngine) -> None:
    scheduler = make_scheduler()
    events: list[Event] = []

    async def work() -> None:
        engine.gate.clear()
        first = asyncio.ensure_future(matte(scheduler, 1))
        await until(lambda: engine.started)
        second = asyncio.ensure_future(matte(scheduler, 2))
        await asyncio.sleep(0.1)
        third = asyncio.ensure_future(matte(scheduler, 3, events=events))
        await until(lambda: Queued(2) in events)
        engine.gate.set()
        await asyncio.gather(first, second, third)

    run(scheduler, work())
    positions = [event.position for event in events if isinstance(event, Queued)]
    assert positions == sorted(positions, reverse=True)
    assert positions[-1] == 1


@pytest.mark.parametrize("stage", ["queued", "loading", "inference"])
def test_a_job_can_be_cancelled_at_every_stage(
    make_scheduler: Make, engine: PacedEngine, stage: str
) -> None:
    scheduler = make_scheduler()

    async def work() -> None:
        ahead = None
        if stage == "queued":
            engine.gate.clear()
            ahead = asyncio.ensure_future(matte(scheduler, 1))
            await until(lambda: engine.started)
        elif stage == "loading":
            engine.load_gate.clear()
        else:
            engine.gate.clear()
        job = asyncio.ensure_future(matte(scheduler, 2))
        await until(lambda: scheduler.jobs and scheduler.jobs[-1].stage in (stage, "starting"))
        await asyncio.sleep(0.05)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert len(scheduler.jobs) == (1 if ahead else 0)
        engine.gate.set()
        engine.load_gate.set()
        if ahead:
            await ahead
        outcome = await matte(scheduler, 3)
        assert outcome.matte[7, 7] == 255

    run(scheduler, work())
    assert scheduler.totals.cancelled == 1
    assert 2 not in engine.started or stage == "inference"


def test_a_model_that_is_loaded_a_moment_too_late_is_not_lost(
    make_scheduler: Make, engine: PacedEngine
) -> None:
    scheduler = make_scheduler()

    async def work() -> None:
        engine.load_gate.clear()
        job = asyncio.ensure_future(matte(scheduler, 1))
        await until(lambda: scheduler.jobs and scheduler.jobs[0].stage in ("loading", "starting"))
        await asyncio.sleep(0.05)
        engine.ignore_cancel = True
        job.cancel()
        await asyncio.sleep(0.05)
        engine.load_gate.set()
        with pytest.raises(asyncio.CancelledError):
            await job
        await matte(scheduler, 2)

    run(scheduler, work())
    assert (engine.loaded, engine.closed) == (1, 1)


def test_a_full_queue_says_so(make_scheduler: Make, engine: PacedEngine) -> None:
    scheduler = make_scheduler(queue_limit=2)

    async def work() -> None:
        engine.gate.clear()
        jobs = [asyncio.ensure_future(matte(scheduler, n)) for n in range(2)]
        await until(lambda: len(scheduler.jobs) == 2)
        with pytest.raises(Exhausted) as caught:
            await matte(scheduler, 9)
        assert caught.value.reason == "queue-full"
        engine.gate.set()
        await asyncio.gather(*jobs)

    run(scheduler, work())
    assert scheduler.totals.done == 2


def test_a_draining_service_takes_no_new_jobs(make_scheduler: Make) -> None:
    scheduler = make_scheduler()
    scheduler.draining = True
    with pytest.raises(Unavailable) as caught:
        run(scheduler, matte(scheduler, 1))
    assert caught.value.reason == "draining"


def test_a_crash_costs_one_job_and_the_next_gets_a_fresh_session(
    make_scheduler: Make, engine: PacedEngine
) -> None:
    scheduler = make_scheduler()
    engine.errors.append(Unavailable("The engine crashed.", "engine-crashed"))

    async def work() -> None:
        with pytest.raises(Unavailable):
            await matte(scheduler, 1)
        assert (await matte(scheduler, 2)).matte[7, 7] == 255

    run(scheduler, work())
    assert (engine.loaded, engine.closed) == (2, 2)
    assert (scheduler.totals.failed, scheduler.totals.done) == (1, 1)


def test_another_option_for_the_same_layer_needs_no_inference(
    make_scheduler: Make, engine: PacedEngine
) -> None:
    scheduler = make_scheduler()

    async def work() -> list[Outcome]:
        return [
            await matte(scheduler, 1),
            await matte(scheduler, 1, edit=EditOptions(edge_shift=1.0)),
            await matte(scheduler, 1, foreground=True, depth="u16"),
            await matte(scheduler, 2),
        ]

    plain, shifted, deep, other = run(scheduler, work())
    assert [o.cached for o in (plain, shifted, deep, other)] == [False, True, True, False]
    assert engine.started == [1, 2]
    assert shifted.matte.sum() > plain.matte.sum()
    assert deep.foreground is not None
    assert deep.matte.max() == 65535


def test_a_remembered_answer_keeps_its_notice(make_scheduler: Make, engine: PacedEngine) -> None:
    engine.notice = "Runs on the processor (CPU)."
    scheduler = make_scheduler()

    async def work() -> list[Outcome]:
        return [await matte(scheduler, 1), await matte(scheduler, 1)]

    for outcome in run(scheduler, work()):
        assert engine.notice in [notice.message for notice in outcome.notices]


def test_an_answer_that_memory_made_small_is_not_remembered(
    make_scheduler: Make, engine: PacedEngine
) -> None:
    scheduler = make_scheduler()

    async def work() -> list[bool]:
        engine.reduced = True
        outcomes = [await matte(scheduler, 1)]
        engine.reduced = False
        outcomes += [await matte(scheduler, 1), await matte(scheduler, 1)]
        return [outcome.cached for outcome in outcomes]

    assert run(scheduler, work()) == [False, False, True]
    assert engine.started == [1, 1]


def test_an_unknown_model_cannot_be_released(make_scheduler: Make) -> None:
    scheduler = make_scheduler()

    async def work() -> None:
        assert await scheduler.release("classic") == []
        with pytest.raises(UnknownModel, match="Did you mean “classic”"):
            await scheduler.release("clasic")

    run(scheduler, work())


def test_a_cache_of_no_size_keeps_nothing(make_scheduler: Make, engine: PacedEngine) -> None:
    scheduler = make_scheduler(cache_bytes=0)

    async def work() -> None:
        await matte(scheduler, 1)
        assert not (await matte(scheduler, 1)).cached

    run(scheduler, work())


def test_an_idle_model_is_unloaded_and_a_busy_one_is_not(
    make_scheduler: Make, engine: PacedEngine
) -> None:
    scheduler = make_scheduler(idle_unload=0.1)

    async def work() -> None:
        await matte(scheduler, 1)
        await until(lambda: engine.closed == 1)
        engine.gate.clear()
        job = asyncio.ensure_future(matte(scheduler, 2))
        await asyncio.sleep(1.6)
        assert engine.closed == 1
        engine.gate.set()
        await job

    run(scheduler, work())


def test_the_gpu_is_refused_where_no_model_uses_it(make_scheduler: Make) -> None:
    scheduler = make_scheduler()
    with pytest.raises(NotReady) as caught:
        run(scheduler, matte(scheduler, 1, device="gpu"))
    assert caught.value.reason == "no-gpu"


def test_memory_is_handed_out_in_order_and_a_giant_runs_alone() -> None:
    async def work() -> list[str]:
        budget = MemoryBudget(100)
        order: list[str] = []

        async def job(name: str, size: int) -> None:
            async with budget.hold(size, lambda place: None):
                order.append(f"+{name}")
                await asyncio.sleep(0.02)
                order.append(f"-{name}")

        await asyncio.gather(job("a", 60), job("giant", 500), job("b", 60), job("c", 40))
        return order

    order = asyncio.run(work())
    assert order[:4] == ["+a", "-a", "+giant", "-giant"]
    assert order[4:6] == ["+b", "+c"]


def test_a_batch_leaves_memory_for_who_waits_in_person() -> None:
    async def work() -> list[str]:
        budget = MemoryBudget(100)
        order: list[str] = []

        async def job(name: str, size: int, batch: bool) -> None:
            async with budget.hold(size, lambda place: None, batch=batch):
                order.append(name)
                await asyncio.sleep(0.02)

        batch = [asyncio.ensure_future(job(f"batch {n}", 25, True)) for n in range(6)]
        await asyncio.sleep(0.005)
        await asyncio.gather(job("interactive", 25, False), *batch)
        return order

    assert asyncio.run(work()).index("interactive") == 3


def test_a_cancelled_wait_for_memory_lets_the_next_one_in() -> None:
    async def work() -> None:
        budget = MemoryBudget(100)
        release = asyncio.Event()

        async def job(size: int) -> None:
            async with budget.hold(size, lambda place: None):
                await release.wait()

        first = asyncio.ensure_future(job(80))
        giant = asyncio.ensure_future(job(90))
        small = asyncio.ensure_future(job(10))
        await asyncio.sleep(0.01)
        giant.cancel()
        await asyncio.sleep(0.01)
        release.set()
        await asyncio.wait_for(asyncio.gather(first, small), 5)

    asyncio.run(work())


def test_the_estimate_counts_what_a_format_costs() -> None:
    plain = estimate(request(size=1000, refinement="fast"))
    assert plain == 4_000_000
    assert estimate(request(size=1000)) > plain
    feathered = request(size=1000, edit=EditOptions(feather=2.0))
    assert estimate(feathered) >= 13_000_000
    assert estimate(request(size=1000, refinement="fast", foreground=True)) > plain


def test_job_cancelled_is_counted_as_cancelled(make_scheduler: Make, engine: PacedEngine) -> None:
    scheduler = make_scheduler()
    engine.errors.append(JobCancelled())

    async def work() -> None:
        with pytest.raises(JobCancelled):
            await matte(scheduler, 1)

    run(scheduler, work())
    assert (scheduler.totals.cancelled, scheduler.totals.failed) == (1, 0)
