from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bshm_bridge.engines.base import Cancellation
from bshm_bridge.engines.pixel_file import PixelFile
from bshm_bridge.engines.process import WorkerProcess
from bshm_bridge.engines.worker import TRANSITIONS, Limits, State, Worker
from bshm_bridge.engines.worker_log import WorkerLog
from bshm_bridge.errors import MattingError, NotReady, Unavailable
from bshm_worker.pixels import PixelFile as TheirPixelFile

MODEL = {
    "engine": "tf1",
    "path": "nowhere.pb",
    "input": {"tensor": "x:0", "layout": "HWC"},
    "output": {"tensor": "y:0"},
    "extra_inputs": [],
    "states": [],
}


def ignore(stage: str, fraction: float) -> None:
    pass


def worker(tmp_path: Path, python: str = sys.executable) -> Worker:
    """Return a worker in this very interpreter, which has no TensorFlow."""
    log = tmp_path / "worker.log"
    return Worker(
        lambda pixels: WorkerProcess(Path(python), WorkerLog(log), pixels.inherited),
        Limits(load=60, inference=60, grace=1),
    )


def start(it: Worker) -> None:
    it.start(MODEL, "cpu", (8, 8), Cancellation(), ignore)


def test_every_state_can_be_reached_and_left() -> None:
    assert set(TRANSITIONS) == set(State)
    assert set().union(*TRANSITIONS.values()) == set(State)
    assert all(TRANSITIONS.values())


def test_a_new_worker_is_absent_and_may_be_stopped(tmp_path: Path) -> None:
    it = worker(tmp_path)
    assert it.state is State.ABSENT
    it.stop()
    assert it.state is State.ABSENT


def test_a_runtime_that_is_missing_fails_the_start_with_its_reason(tmp_path: Path) -> None:
    it = worker(tmp_path)
    with pytest.raises(NotReady, match="TensorFlow cannot be imported") as caught:
        start(it)
    assert caught.value.reason == "runtime-broken"
    assert it.state is State.FAILED
    assert "TensorFlow" in it.failure


def test_a_failed_worker_can_be_started_again_or_put_away(tmp_path: Path) -> None:
    it = worker(tmp_path)
    for _ in range(2):
        with pytest.raises(NotReady):
            start(it)
    it.stop()
    assert it.state is State.ABSENT


def test_an_interpreter_that_has_gone_fails_the_start(tmp_path: Path) -> None:
    it = worker(tmp_path, str(tmp_path / "python"))
    with pytest.raises(NotReady, match="cannot be started") as caught:
        start(it)
    assert str(tmp_path) not in str(caught.value)
    assert it.state is State.FAILED


def test_a_program_that_is_no_worker_is_a_crash(tmp_path: Path) -> None:
    it = worker(tmp_path, "/bin/true")
    with pytest.raises(Unavailable) as caught:
        start(it)
    assert caught.value.reason == "worker-crashed"


def test_a_cancelled_start_is_no_failure(tmp_path: Path) -> None:
    it = worker(tmp_path)
    cancel = Cancellation()
    cancel.cancel()
    with pytest.raises(MattingError):
        it.start(MODEL, "cpu", (8, 8), cancel, ignore)
    assert it.state is State.FAILED


def test_an_absent_worker_takes_no_request(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        worker(tmp_path).infer(np.zeros((4, 4, 3), np.uint8), Cancellation(), ignore)


def test_pixels_come_back_as_they_were_put() -> None:
    pixels = PixelFile()
    image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    described, offset = pixels.put(image, {})
    assert not described
    assert offset >= image.nbytes and offset % 64 == 0
    assert not pixels.take(offset, 5, 7).any()
    larger = np.ones((50, 70, 3), np.uint8)
    assert pixels.take(pixels.put(larger, {})[1], 50, 70).shape == (50, 70)
    pixels.close()


def test_what_is_fed_besides_the_image_crosses_the_file_both_ways() -> None:
    pixels = PixelFile()
    theirs = TheirPixelFile(pixels.place)
    image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    fed = {
        "trimap": np.arange(35, dtype=np.uint8).reshape(5, 7),
        "r1": np.linspace(-1, 1, 24, dtype=np.float16).reshape(1, 2, 3, 4),
    }
    described, offset = pixels.put(image, fed)
    np.testing.assert_array_equal(theirs.read_image(7, 5), image)
    read = theirs.read_blocks(described)
    assert list(read) == list(fed)
    for name, block in fed.items():
        assert read[name].dtype == block.dtype
        np.testing.assert_array_equal(read[name], block)
    alpha = np.linspace(0, 1, 35, dtype=np.float32).reshape(5, 7)
    theirs.write_alpha(alpha, offset)
    states = [fed["r1"] * 2, np.ones((300, 400), np.float32)]  # larger than the file was
    answered = theirs.write_blocks(states, offset + alpha.nbytes)
    np.testing.assert_array_equal(pixels.take(offset, 5, 7), alpha)
    for taken, state in zip(pixels.take_blocks(answered), states, strict=True):
        assert taken.dtype == state.dtype
        np.testing.assert_array_equal(taken, state)
    pixels.close()
