"""What goes wrong on the service's side, and cancelling."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.editors.krita.cases import case


def _waiting(stage: Any) -> bool:
    """Whether the service has the request and works on it."""
    step = stage.controller.state.progress
    return step is not None and step.stage == "running" and step.detail == "inference"


@case
def killed_service_is_one_sentence_and_next_click_works(stage: Any) -> Iterator[Any]:
    document = stage.photograph(size="first")
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    stage.mark(document, layer)
    before = bytes(layer.pixelData(0, 0, 64, 64))
    undo = stage.application.action("edit_undo").text()
    stage.click("bshm_remove")
    yield lambda: _waiting(stage)
    os.kill(stage.service_pid(), signal.SIGKILL)
    stage.prepare_launch()
    yield stage.idle
    state = stage.controller.state
    assert state.phase == "failed", state
    stage.values["sentence"] = stage.widget("bshm_message").text()
    assert layer.childNodes() == []
    assert bytes(layer.pixelData(0, 0, 64, 64)) == before
    assert stage.application.action("edit_undo").text() == undo
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    assert [child.type() for child in layer.childNodes()] == ["transparencymask"]


@case
def cancel_reaches_the_service(stage: Any) -> Iterator[Any]:
    document = stage.photograph(size="second")
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    stage.mark(document, layer)
    client = stage.client()
    cancelled = client.status(start=True).cancelled
    stage.click("bshm_remove")
    yield lambda: _waiting(stage)
    stage.click("bshm_cancel")
    yield stage.idle
    assert stage.controller.state.phase == "cancelled", stage.controller.state
    assert layer.childNodes() == []
    yield lambda: client.status().cancelled == cancelled + 1
    yield lambda: not client.status().jobs


@case
def interface_stays_alive_while_it_waits(stage: Any) -> Iterator[Any]:
    """The event loop runs on time, but for Krita's own pixel calls."""
    from PyQt5.QtCore import QTimer

    document = stage.photograph(size="third")
    yield stage.active(document)
    stage.prepare_launch()
    yield 0.5
    beats: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    own: list[tuple[float, float]] = []
    host = stage.controller._host
    for name in ("snapshot", "add_mask"):
        setattr(host, name, _timed(getattr(host, name), own))
    try:
        timer.start(5)
        stage.click("bshm_remove")
        yield lambda: stage.idle() and len(own) == 2
    finally:
        timer.stop()
        del host.snapshot, host.add_mask
    assert stage.controller.state.phase == "done", stage.controller.state
    between = [beat for beat in beats if own[0][1] + 0.2 < beat < own[1][0] - 0.2]
    gaps = sorted(after - before for before, after in pairwise(between))
    assert len(gaps) > 100
    stage.values["gaps"] = {
        "count": len(gaps),
        "median_ms": round(1000 * gaps[len(gaps) // 2], 1),
        "99th_ms": round(1000 * gaps[len(gaps) * 99 // 100], 1),
        "largest_ms": round(1000 * gaps[-1], 1),
        "krita_calls_ms": [round(1000 * (end - begin)) for begin, end in own],
    }
    # The largest alone would blame us for every other program on this machine.
    assert gaps[len(gaps) * 99 // 100] < 0.05, stage.values["gaps"]


def _timed(call: Any, into: list[tuple[float, float]]) -> Any:
    def timed(*arguments: Any) -> Any:
        begin = time.perf_counter()
        result = call(*arguments)
        into.append((begin, time.perf_counter()))
        return result

    return timed
