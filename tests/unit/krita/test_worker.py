from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest

from bridge_client import Busy, Cancellation, Cancelled, Progress
from krita.bshm_remove_background.worker import Client, Failure, Worker, failure_of


class MainThread:
    """Runs what was posted, when the test says so."""

    def __init__(self) -> None:
        self._posted: queue.Queue[Callable[[], None]] = queue.Queue()

    def post(self, function: Callable[[], None]) -> None:
        self._posted.put(function)

    def run_one(self) -> None:
        self._posted.get(timeout=20)()


class ScriptedClient:
    def __init__(self, answer: Callable[..., Any]) -> None:
        self.matte = answer
        self.threads: list[threading.Thread] = []

    def status(self, *, start: bool = False) -> str:
        self.threads.append(threading.current_thread())
        return f"start={start}"

    def release(self, model: str = "") -> list[str]:
        return ["bshm"]


def worker_with(main: MainThread, client: Client) -> Worker:
    return Worker(main.post, lambda: client)


def test_answers_and_progress_reach_the_main_thread_in_order() -> None:
    main = MainThread()
    seen: list[tuple[str, Any, bool]] = []

    def matte(pixels: Any, *, progress: Any, cancel: Cancellation, options: str) -> str:
        progress(Progress("queued", position=2))
        return f"{pixels} {options}"

    def note(kind: str) -> Callable[[Any], None]:
        here = threading.current_thread()
        return lambda what: seen.append((kind, what, threading.current_thread() is here))

    worker_with(main, ScriptedClient(matte)).matte(
        lambda: ("pixels", {"options": "fast"}),
        finish=lambda result: f"<{result}>",
        on_progress=note("progress"),
        on_done=note("done"),
        on_failed=note("failed"),
    )
    main.run_one()
    main.run_one()
    assert seen == [
        ("progress", Progress("queued", position=2), True),
        ("done", "<pixels fast>", True),
    ]


@pytest.mark.parametrize("before", [True, False])
def test_cancel_reaches_a_request_that_runs_or_is_about_to(before: bool) -> None:
    main = MainThread()
    failures: list[Failure] = []
    started, may_go_on = threading.Event(), threading.Event()

    def matte(pixels: Any, *, progress: Any, cancel: Cancellation) -> None:
        started.set()
        while not cancel.cancelled:
            may_go_on.wait(0.01)
        raise Cancelled

    def make() -> tuple[Any, dict[str, Any]]:
        if before:
            may_go_on.wait(20)
        return None, {}

    request = worker_with(main, ScriptedClient(matte)).matte(
        make, on_done=print, on_failed=failures.append
    )
    if not before:
        assert started.wait(20)
    request.cancel()
    may_go_on.set()
    main.run_one()
    assert failures[0].cancelled


def test_error_of_the_client_is_its_sentence() -> None:
    failure = failure_of(Busy("The queue is full: try again in a moment.", "queue-full"))
    assert failure == Failure("The queue is full: try again in a moment.", "queue-full")


def test_error_that_nobody_meant_keeps_its_traceback_for_the_diagnostics() -> None:
    main = MainThread()
    failures: list[Failure] = []

    def broken() -> tuple[Any, dict[str, Any]]:
        raise ZeroDivisionError("unlucky")

    worker_with(main, ScriptedClient(print)).matte(broken, on_done=print, on_failed=failures.append)
    main.run_one()
    assert failures[0].reason == "bug"
    assert "unlucky" not in failures[0].sentence
    assert "ZeroDivisionError: unlucky" in failures[0].details


def test_client_that_cannot_be_made_is_a_failure_and_is_tried_again() -> None:
    main = MainThread()
    outcomes: list[Any] = []
    attempts: list[int] = []

    def connect() -> Client:
        attempts.append(1)
        if len(attempts) == 1:
            raise ImportError("no protobuf")
        return ScriptedClient(print)

    worker = Worker(main.post, connect)
    for _ in range(3):
        worker.status(outcomes.append, outcomes.append)
        main.run_one()
    assert outcomes[0].reason == "bug"
    assert outcomes[1:] == ["start=False", "start=False"]
    assert len(attempts) == 2
