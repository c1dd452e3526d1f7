"""How workers live and die: crashes, cancels, the end of the service, memory."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bshm_bridge.engines.base import Cancellation, EngineInput
from bshm_bridge.engines.runtime import WorkerEngine, WorkerSession
from bshm_bridge.engines.worker import Limits
from bshm_bridge.errors import Exhausted, JobCancelled, MattingError, NotReady, Unavailable
from bshm_bridge.models import manifest
from bshm_bridge.models.manifest import Manifest

from .conftest import Load, ignore_progress, install, weighted_alpha
from .test_onnx_models import make_models

KILLS = 12
ONE_STEP = 1 / 255 + 1e-6


DEEP = manifest.parse(
    """
    name = "deep"
    engines = ["onnx"]
    file = "deep.onnx"
    [input]
    layout = "NCHW"
    size = { rule = "at-most", long_side = 1500 }
    [output]
    range = [0.0, 255.0]
    """
)


@pytest.fixture(scope="session")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an ONNX file that is loaded at once and works long on a large picture."""
    file = tmp_path_factory.mktemp("deep") / "deep.onnx"
    make_models(file.parent, "deep")
    install("onnx")
    return file


@pytest.fixture(scope="session")
def large() -> NDArray[np.uint8]:
    """Return a picture that keeps a large network busy for seconds."""
    return np.random.default_rng(5).integers(0, 256, (1400, 1400, 3), dtype=np.uint8)


def infer(
    session: WorkerSession, picture: NDArray[np.uint8], cancel: Cancellation | None = None
) -> NDArray[np.float32]:
    return session.infer(EngineInput(picture), cancel or Cancellation(), ignore_progress)


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether there is such a process that is not merely waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def kill_while_busy(session: WorkerSession, picture: NDArray[np.uint8]) -> MattingError:
    """Kill the worker in the middle of an inference and return what the request got."""

    def kill() -> None:
        wait_until(lambda: session.state == "busy")
        time.sleep(0.05)
        os.kill(session.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with pytest.raises(MattingError) as caught:
            infer(session, picture)
    finally:
        killer.join()
    return caught.value


def test_a_killed_worker_costs_one_request_each_of_many_times(
    deep: Path, large: NDArray[np.uint8], picture: NDArray[np.uint8], tmp_path: Path
) -> None:
    engine = WorkerEngine("onnx", install("onnx"), tmp_path)
    answers = []
    settled = files = 0
    for round_number in range(KILLS + 1):
        if round_number == 4:
            settled, files = resident(), open_files()
        session = engine.load(DEEP, deep, "cpu", Cancellation(), ignore_progress)
        answers.append(infer(session, picture))
        if round_number < KILLS:
            assert kill_while_busy(session, large).reason == "worker-killed"
            assert session.state == "failed" and not session.alive
        session.close()
    assert answers[0].std() > 0.02
    for answer in answers[1:]:
        np.testing.assert_allclose(answer, answers[0], atol=1e-6)
    assert resident() - settled < 16e6
    assert open_files() <= files


@pytest.mark.parametrize("engine", ["tf1", "tf2"])
def test_a_killed_tensorflow_worker_costs_one_request(
    engine: str, graphs: Path, load: Load, large: NDArray[np.uint8], picture: NDArray[np.uint8]
) -> None:
    session = load(engine, graphs / "unets.pb")
    assert kill_while_busy(session, large).reason == "worker-killed"
    again = load(engine, graphs / "weighted.pb")
    assert np.abs(infer(again, picture) - weighted_alpha(picture)).max() <= ONE_STEP


def test_a_worker_that_died_in_idleness_is_noticed(deep: Path, load: Load) -> None:
    session = load("onnx", deep, model=DEEP)
    os.kill(session.pid, signal.SIGKILL)
    wait_until(lambda: not session.alive)
    assert session.state == "failed"


def test_two_models_answer_with_their_own_graphs(
    graphs: Path, load: Load, picture: NDArray[np.uint8]
) -> None:
    first = load("tf1", graphs / "weighted.pb")
    second = load("tf1", graphs / "inverted.pb")
    expected = weighted_alpha(picture)
    for _ in range(2):
        assert np.abs(infer(first, picture) - expected).max() <= ONE_STEP
        assert np.abs(infer(second, picture) - (1 - expected)).max() <= ONE_STEP
    assert first.pid != second.pid


def test_closing_a_session_ends_its_process(graphs: Path, load: Load) -> None:
    session = load("tf1", graphs / "weighted.pb")
    assert is_running(session.pid) and session.memory > 50e6
    session.close()
    assert not is_running(session.pid)
    assert session.state == "absent"


def test_a_cancelled_inference_is_ended_after_its_grace(
    deep: Path, large: NDArray[np.uint8], tmp_path: Path
) -> None:
    engine = WorkerEngine("onnx", install("onnx"), tmp_path, Limits(grace=0.1))
    session = engine.load(DEEP, deep, "cpu", Cancellation(), ignore_progress)
    cancel = Cancellation()
    threading.Timer(0.2, cancel.cancel).start()
    with pytest.raises(JobCancelled):
        infer(session, large, cancel)
    assert not is_running(session.pid) and not session.alive
    session.close()


def test_a_cancelled_inference_that_ends_within_its_grace_keeps_the_worker(
    deep: Path, picture: NDArray[np.uint8], tmp_path: Path
) -> None:
    engine = WorkerEngine("onnx", install("onnx"), tmp_path, Limits(grace=60.0))
    session = engine.load(DEEP, deep, "cpu", Cancellation(), ignore_progress)
    cancel = Cancellation()

    def cancel_when_busy() -> None:
        wait_until(lambda: session.state == "busy")
        cancel.cancel()

    threading.Thread(target=cancel_when_busy).start()
    with pytest.raises(JobCancelled):
        infer(session, np.tile(picture, (3, 3, 1)), cancel)
    assert session.state == "ready"
    assert infer(session, picture).shape == picture.shape[:2]
    session.close()


def test_an_inference_that_takes_too_long_is_ended(
    deep: Path, large: NDArray[np.uint8], tmp_path: Path
) -> None:
    engine = WorkerEngine("onnx", install("onnx"), tmp_path, Limits(inference=0.3))
    session = engine.load(DEEP, deep, "cpu", Cancellation(), ignore_progress)
    with pytest.raises(Unavailable) as caught:
        infer(session, large)
    assert caught.value.reason == "engine-hung"
    assert not is_running(session.pid)
    session.close()


def test_a_cancelled_load_leaves_no_process(
    graphs: Path, standin: Manifest, tmp_path: Path
) -> None:
    engine = WorkerEngine("tf1", install("tf1"), tmp_path, Limits(grace=0.0))
    cancel = Cancellation()
    with pytest.raises(JobCancelled):
        engine.load(
            standin, graphs / "unets.pb", "cpu", cancel, lambda stage, fraction: cancel.cancel()
        )
    assert children() == []


def children() -> list[int]:
    """Return this process's running children."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        found += [int(pid) for pid in (task / "children").read_text().split()]
    return [pid for pid in found if is_running(pid)]


SERVICE = """
import sys, threading
from pathlib import Path
from bshm_bridge.engines.base import Cancellation, EngineInput
from bshm_bridge.engines.environments import Environments
from bshm_bridge.engines.runtime import WorkerEngine
from bshm_bridge.models import manifest
import numpy as np
engine = WorkerEngine(sys.argv[1], Environments(Path(sys.argv[2])), Path(sys.argv[3]))
model = manifest.load(Path(sys.argv[4]))
done = lambda *_: None
session = engine.load(model, Path(sys.argv[5]), "cpu", Cancellation(), done)
image = EngineInput(np.zeros((1400, 1400, 3), np.uint8))
threading.Thread(target=lambda: session.infer(image, Cancellation(), done), daemon=True).start()
while session.state != "busy":
    pass
print(session.pid, flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize("engine", ["tf1", "onnx"])
def test_killing_the_service_leaves_no_worker(
    engine: str, graphs: Path, deep: Path, standin: Manifest, tmp_path: Path
) -> None:
    environments = install(engine)
    model, file = (standin, graphs / "unets.pb") if engine == "tf1" else (DEEP, deep)
    (tmp_path / "model.toml").write_text(model.to_toml())
    arguments: list[str | Path] = [engine, environments.folder("x").parent, tmp_path / "logs"]
    arguments += [tmp_path / "model.toml", file]
    service = subprocess.Popen(
        [sys.executable, "-c", SERVICE, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert service.stdout is not None
    with service:
        worker = int(service.stdout.readline())
        assert is_running(worker)
        service.kill()
        service.wait()
        wait_until(lambda: not is_running(worker), 2.0)


def test_what_tensorflow_prints_goes_to_the_log_alone(
    graphs: Path, standin: Manifest, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    engine = WorkerEngine("tf1", install("tf1"), tmp_path / "logs")
    session = engine.load(standin, graphs / "weighted.pb", "auto", Cancellation(), ignore_progress)
    session.close()
    assert capfd.readouterr() == ("", "")
    assert "tensorflow" in (tmp_path / "logs" / "worker-tf1-standin.log").read_text()


def test_a_gpu_that_is_asked_for_and_not_there_is_an_error(
    graphs: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    with pytest.raises(NotReady) as caught:
        load("tf1", graphs / "weighted.pb", device="gpu")
    assert caught.value.reason == "gpu-not-available"


def test_auto_says_why_it_took_the_processor(
    graphs: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    session = load("tf1", graphs / "weighted.pb", device="auto")
    assert session.device == "CPU"
    assert session.notice.startswith("Runs on the processor (CPU): ")


@pytest.mark.parametrize("engine", ["tf1", "onnx"])
def test_a_file_that_is_no_graph_gets_its_reason(engine: str, load: Load, tmp_path: Path) -> None:
    suffix = ".onnx" if engine == "onnx" else ".pb"
    broken = tmp_path / f"broken{suffix}"
    broken.write_bytes(b"this is not a graph" * 100)
    with pytest.raises(NotReady) as caught:
        load(engine, broken)
    assert caught.value.reason == "wrong-graph"
    assert str(tmp_path) not in str(caught.value)


def test_a_graph_without_the_named_tensor_gets_its_reason(
    graphs: Path, load: Load, standin: Manifest
) -> None:
    from dataclasses import replace

    wrong = replace(standin, output=replace(standin.output, tensor="alpha:0"))
    with pytest.raises(NotReady, match="output_png:0") as caught:
        load("tf1", graphs / "weighted.pb", model=wrong)
    assert caught.value.reason == "wrong-graph"


def test_without_enough_memory_a_smaller_size_is_tried(
    graphs: Path, load: Load, large: NDArray[np.uint8]
) -> None:
    session = load("tf1", graphs / "hungry.pb")
    limit_memory(session.pid, 1e9)
    assert infer(session, large).shape == (700, 700)
    assert session.state == "ready"
    assert "not enough memory" in session.notice
    infer(session, large[:300, :300])
    assert "not enough memory" not in session.notice


def test_where_no_size_fits_the_memory_the_advice_is_readable(
    graphs: Path, load: Load, large: NDArray[np.uint8]
) -> None:
    session = load("tf1", graphs / "hungry.pb")
    limit_memory(session.pid, 3.7e8)
    with pytest.raises(Exhausted, match="close other programs") as caught:
        infer(session, large)
    assert caught.value.reason == "gpu-out-of-memory"


def test_a_crash_for_want_of_memory_is_tried_again_smaller(
    graphs: Path, load: Load, large: NDArray[np.uint8]
) -> None:
    session = load("tf1", graphs / "hungry.pb")
    first = session.pid
    limit_memory(first, 20e6)  # too little even for TensorFlow to say so
    assert infer(session, large).shape == (700, 700)
    assert session.pid != first


def limit_memory(pid: int, more: float) -> None:
    """Let a process take only so many more bytes of address space."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    bound = pages * os.sysconf("SC_PAGE_SIZE") + int(more)
    _, most = resource.prlimit(pid, resource.RLIMIT_AS)
    resource.prlimit(pid, resource.RLIMIT_AS, (bound, most))


def test_an_engine_that_keeps_crashing_backs_off_and_says_so(
    deep: Path, large: NDArray[np.uint8], tmp_path: Path
) -> None:
    engine = WorkerEngine("onnx", install("onnx"), tmp_path)

    def load() -> WorkerSession:
        return engine.load(DEEP, deep, "cpu", Cancellation(), ignore_progress)

    for _ in range(3):
        session = load()
        kill_while_busy(session, large)
        session.close()
    with pytest.raises(Unavailable, match="3 times in a row") as caught:
        load()
    assert caught.value.reason == "engine-backing-off"
