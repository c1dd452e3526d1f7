"""What goes wrong on the service's side, and cancelling."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from threading import Thread, current_thread, main_thread
from typing import Any

from tests.editors.krita.cases import case


@case
def killed_service_is_one_sentence_and_next_click_works(stage: Any) -> Iterator[Any]:
    document = stage.photograph(size="first")
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    stage.mark(document, layer)
    before = bytes(layer.pixelData(0, 0, 64, 64))
    undo = stage.undo_text()
    stage.client().status(start=True)
    with stage.frozen() as frozen:
        stage.click("bshm_remove")
        yield stage.at()
        frozen.kill()
    stage.prepare_launch()
    yield stage.idle
    state = stage.controller.state
    assert state.phase == "failed", state
    assert state.failure.reason == "service-lost", state
    stage.values["sentence"] = stage.widget("bshm_message").text()
    assert layer.childNodes() == []
    assert bytes(layer.pixelData(0, 0, 64, 64)) == before
    assert stage.undo_text() == undo
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    assert [child.type() for child in layer.childNodes()] == ["transparencymask"]


@case
def start_of_the_service_is_told(stage: Any) -> Iterator[Any]:
    """Off, starting for some seconds, then at work, as the docker says it."""
    document = stage.photograph()
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    stage.mark(document, layer)
    line, message = stage.widget("bshm_service_line"), stage.widget("bshm_message")
    stage.client().status(start=True)
    os.kill(stage.service_pid(), signal.SIGKILL)
    stage.prepare_launch(delay=6)
    yield lambda: line.text() == "Service: off (it starts when needed)"
    stage.click("bshm_remove")
    yield lambda: line.text() == "Service: starting"
    assert message.text() == "Starting the service …"
    yield stage.idle
    stage.prepare_launch()
    assert stage.controller.state.phase == "done", stage.controller.state
    yield lambda: line.text() in ("Service: ready", "Service: on, no model loaded")
    assert [child.type() for child in layer.childNodes()] == ["transparencymask"]


@case
def queue_and_the_other_editor_are_told(stage: Any) -> Iterator[Any]:
    """Layers of GIMP's come first: the docker says how many, and whose they are."""
    document = stage.photograph(size="second")
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    stage.mark(document, layer)
    stage.client().status(start=True)
    rectangle = (0, 0, document.width(), document.height())
    others = [_job_of_gimp(stage, layer, rectangle) for _ in range(3)]
    line, message = stage.widget("bshm_service_line"), stage.widget("bshm_message")
    yield lambda: line.text() == "Service: busy with GIMP"
    with stage.frozen("queued", ""):
        stage.click("bshm_remove")
        yield stage.at("queued", "")
        position = stage.controller.state.progress.position
        assert position >= 1
        assert message.text() == f"Waiting: {position} ahead …"
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    yield lambda: not any(other.is_alive() for other in others)


def _job_of_gimp(stage: Any, layer: Any, rectangle: tuple[int, int, int, int]) -> Any:
    client = stage.client("gimp")
    from bridge_client import Pixels

    # Not the same layer twice: the service would remember it.
    data = os.urandom(3) + bytes(layer.pixelData(*rectangle))[3:]
    pixels = Pixels(data, rectangle[2], rectangle[3], "BGRA")
    thread = Thread(target=client.matte, args=(pixels,), daemon=True)
    thread.start()
    return thread


@case
def cancel_reaches_the_service(stage: Any) -> Iterator[Any]:
    document = stage.photograph(size="second")
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    stage.mark(document, layer)
    client = stage.client()
    cancelled = client.status(start=True).cancelled
    with stage.frozen():
        stage.click("bshm_remove")
        yield stage.at()
        stage.click("bshm_cancel")
        yield stage.idle
    assert stage.controller.state.phase == "cancelled", stage.controller.state
    assert layer.childNodes() == []
    yield lambda: client.status().cancelled == cancelled + 1
    yield lambda: not client.status().jobs


ROUNDS = 3  # of which the best counts: other programs on this machine only make them worse


@case
def interface_stays_alive_while_it_waits(stage: Any) -> Iterator[Any]:
    """The event loop runs on time, but for Krita's own pixel calls."""
    document = stage.photograph(size="third")
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    stage.client().status(start=True)
    rounds = []
    for _ in range(ROUNDS):
        stage.mark(document, layer)
        document.waitForDone()
        yield 0.5
        rounds.append({})
        yield from _one_round(stage, rounds[-1])
        if rounds[-1]["99th_ms"] < 50:
            break
    stage.values["rounds"] = rounds
    assert rounds[-1]["99th_ms"] < 50, rounds
    # Time of the processor, which is the same however busy the machine is.
    assert min(one["callback_cpu_ms"] for one in rounds) < 50, rounds


def _one_round(stage: Any, measured: dict[str, Any]) -> Iterator[Any]:
    from PyQt5.QtCore import QTimer

    beats: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    own: list[tuple[float, float, float]] = []
    used: list[float] = []
    host, worker = stage.controller._host, stage.controller._worker
    for name in ("snapshot", "add_mask"):
        setattr(host, name, _timed(getattr(host, name), own))
    post = worker._post
    worker._post = lambda function: post(_used(function, used, own))
    try:
        timer.start(5)
        stage.click("bshm_remove")
        yield lambda: stage.idle() and len(own) == 2
    finally:
        timer.stop()
        worker._post = post
        del host.snapshot, host.add_mask
    assert stage.controller.state.phase == "done", stage.controller.state
    between = [beat for beat in beats if own[0][1] + 0.2 < beat < own[1][0] - 0.2]
    gaps = sorted(after - before for before, after in pairwise(between))
    assert len(gaps) > 20, len(gaps)
    assert len(used) > 5
    measured.update(
        {
            "count": len(gaps),
            "median_ms": round(1000 * gaps[len(gaps) // 2], 1),
            "99th_ms": round(1000 * gaps[len(gaps) * 99 // 100], 1),
            "largest_ms": round(1000 * gaps[-1], 1),
            "krita_calls_ms": [round(1000 * (end - begin)) for begin, end, _ in own],
            "callback_cpu_ms": round(1000 * max(used), 1),
        }
    )


def _timed(call: Any, into: list[tuple[float, float, float]]) -> Any:
    def timed(*arguments: Any) -> Any:
        assert current_thread() is main_thread()
        begin, used = time.perf_counter(), time.thread_time()
        result = call(*arguments)
        into.append((begin, time.perf_counter(), time.thread_time() - used))
        return result

    return timed


def _used(function: Any, into: list[float], own: list[tuple[float, float, float]]) -> Any:
    def used() -> None:
        begin, calls = time.thread_time(), len(own)
        function()
        ours = time.thread_time() - begin - sum(cpu for _, _, cpu in own[calls:])
        into.append(ours)

    return used
