"""Workers as the service's clients meet them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from bridge_client import BridgeError, Busy, Matte, MatteOptions, Progress, ServiceLost
from bshm_bridge.engines.environments import Environments
from bshm_bridge.models.store import store_of

from ..conftest import RunningService, alpha_of, command_line, environment, rgb
from .conftest import STANDIN, install
from .test_life import DEEP, limit_memory
from .test_onnx_models import FREE, make_models

KILLS = 50
LARGE = np.random.default_rng(5).integers(0, 256, (1400, 1400, 3), dtype=np.uint8)

Start = Callable[..., RunningService]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two models and their manifests."""
    folder = tmp_path_factory.mktemp("models")
    make_models(folder, "deep", "free")
    for name, text in (("deep", DEEP.to_toml()), ("free", FREE)):
        (folder / f"{name}.toml").write_text(text)
    return folder


@pytest.fixture
def home(files: Path, tmp_path: Path) -> Path:
    """Return a state directory with both models and the engine onnx."""
    folder = tmp_path / "home"
    record(folder, "onnx")
    for name in ("deep", "free"):
        store_of(folder / "models").add(files / f"{name}.toml")
    return folder


def record(home: Path, engine: str) -> None:
    """Let a state directory have an engine that is installed elsewhere."""
    environment = install(engine).get(engine)
    Environments(home / "engines").record(replace(environment, managed=False))


def add_standin(home: Path, graphs: Path, kind: str) -> None:
    """Install a stand-in for BSHM's graph, and the engine tf1, in a state directory."""
    record(home, "tf1")
    given = home / "given"
    given.mkdir(parents=True)
    shutil.copy(graphs / f"{kind}.pb", given / "tf_graph.pb")
    (given / "model.toml").write_text(STANDIN)
    store_of(home / "models").add(given)


def workers(service: RunningService) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(service.process.pid).children()
        if any("bshm_worker" in word for word in command_line(child))
    ]


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def options(model: str) -> MatteOptions:
    return MatteOptions(model=model, device="cpu", refinement="fast")


def matte_grey(service: RunningService, level: int) -> None:
    """Check the answer of `deep`: its weights sum to 1, so evenness stays away from the edge."""
    even = np.full((64, 64, 3), level, np.uint8)
    alpha = alpha_of(service.client().matte(rgb(even), options=options("deep")).alpha)
    np.testing.assert_allclose(alpha[24:40, 24:40], level, atol=1)


def kill_while_running(service: RunningService) -> BridgeError:
    """Kill the worker in mid-inference and return what the client got."""
    armed = threading.Event()

    def kill() -> None:
        (worker,) = workers(service)
        worker.kill()

    def watch(step: Progress) -> None:
        if step.detail == "inference" and not armed.is_set():
            armed.set()
            threading.Timer(0.1, kill).start()

    with pytest.raises(BridgeError) as caught:
        service.client().matte(rgb(LARGE), options=options("deep"), progress=watch, timeout=60)
    return caught.value


def test_killed_workers_cost_one_request_each_and_the_service_nothing(
    start_service: Start, home: Path
) -> None:
    service = start_service(home=home)
    process = psutil.Process(service.process.pid)
    settled = handles = 0
    for round_number in range(KILLS):
        matte_grey(service, 100 + round_number)
        if round_number == 15:  # a worker is ready, as at the end
            settled, handles = process.memory_info().rss, process.num_fds()
        assert kill_while_running(service).reason == "worker-killed"
    matte_grey(service, 99)
    assert process.memory_info().rss - settled < 40e6
    # The last requests' connections and leases end a moment after their answers.
    wait_until(lambda: process.num_fds() <= handles + 1)


def test_killing_the_service_in_mid_inference_ends_its_worker(
    start_service: Start, home: Path
) -> None:
    service = start_service(home=home)
    matte_grey(service, 50)
    (worker,) = workers(service)
    running = threading.Event()
    caught: list[BridgeError] = []

    def watch(step: Progress) -> None:
        if step.detail == "inference":
            running.set()

    def matte() -> None:
        try:
            service.client().matte(rgb(LARGE), options=options("deep"), progress=watch)
        except BridgeError as error:
            caught.append(error)

    waiting = threading.Thread(target=matte)
    waiting.start()
    assert running.wait(30)
    service.process.kill()
    service.process.wait()
    wait_until(lambda: not worker.is_running(), 2.0)
    waiting.join(30)
    assert [type(error) for error in caught] == [ServiceLost]


def test_a_worker_has_the_libraries_of_its_engines_check(start_service: Start, home: Path) -> None:
    environments = Environments(home / "engines")
    environments.record(replace(environments.get("onnx"), libraries=str(home)))
    service = start_service(home=home)
    matte_grey(service, 50)
    (worker,) = workers(service)
    assert worker.environ()["LD_LIBRARY_PATH"] == str(home)


def test_release_ends_the_worker(start_service: Start, home: Path) -> None:
    service = start_service(home=home)
    matte_grey(service, 50)
    (worker,) = workers(service)
    assert service.client().release("deep") == ["deep"]
    assert not worker.is_running()
    matte_grey(service, 51)


def test_idleness_ends_the_worker(start_service: Start, home: Path) -> None:
    (home / "config.toml").write_text("[service]\nidle_unload = 0.5\n")
    service = start_service(home=home)
    matte_grey(service, 50)
    wait_until(lambda: not workers(service))
    matte_grey(service, 51)


def test_ending_the_service_ends_the_workers(start_service: Start, home: Path) -> None:
    service = start_service(home=home)
    matte_grey(service, 50)
    (worker,) = workers(service)
    assert service.stop() == 0
    assert not worker.is_running()


def test_two_models_at_once_answer_each_for_itself(start_service: Start, home: Path) -> None:
    service = start_service(home=home)
    for level in (60, 120):
        matte_grey(service, level)
        even = np.full((64, 96, 3), level, np.uint8)
        alpha = alpha_of(service.client().matte(rgb(even), options=options("free")).alpha)
        # (R + 2 G + 3 B) / 12 + 0.5 of values from -1 to 1 is level / 255.
        np.testing.assert_allclose(alpha, level, atol=1)
    assert len(workers(service)) == 2


def test_want_of_memory_gives_a_smaller_matte_until_there_is_more(
    start_service: Start, tmp_path: Path, graphs: Path
) -> None:
    add_standin(tmp_path / "home", graphs, "hungry")
    service = start_service()
    asked = options("standin")

    def matte() -> Matte:
        return service.client().matte(rgb(LARGE), options=asked)

    service.client().matte(rgb(LARGE[:64, :64]), options=asked)
    (worker,) = workers(service)
    limit_memory(worker.pid, 1e9)
    poor = matte()
    (notice,) = poor.notices
    assert notice.reason == "device"
    assert "not enough memory" in notice.message
    assert (poor.alpha.width, poor.alpha.height) == LARGE.shape[1::-1]
    limit_memory(worker.pid, 1e11)
    better = matte()
    assert not better.cached
    assert not better.notices
    assert matte().cached
    assert workers(service) == [worker]


def test_want_of_memory_at_any_size_is_an_error_with_advice(
    start_service: Start, tmp_path: Path, graphs: Path
) -> None:
    add_standin(tmp_path / "home", graphs, "hungry")
    service = start_service()
    service.client().matte(rgb(LARGE[:64, :64]), options=options("standin"))
    (worker,) = workers(service)
    limit_memory(worker.pid, 3.7e8)
    with pytest.raises(Busy, match="close other programs") as caught:  # RESOURCE_EXHAUSTED
        service.client().matte(rgb(LARGE), options=options("standin"))
    assert caught.value.reason == "gpu-out-of-memory"


def test_a_result_of_nothing_comes_with_a_warning(
    start_service: Start, tmp_path: Path, graphs: Path
) -> None:
    add_standin(tmp_path / "home", graphs, "blank")
    service = start_service()
    matte = service.client().matte(rgb(LARGE[:64, :64]), options=options("standin"))
    assert not alpha_of(matte.alpha).any()
    assert [notice.reason for notice in matte.notices] == ["matte-empty"]
    Image.fromarray(LARGE[:64, :64]).save(tmp_path / "photo.png")
    done = subprocess.run(
        [sys.executable, "-m", "bshm_bridge", "matte", "photo.png", "--model", "standin"],
        env=environment(service.home),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "note: Nothing was recognised as the subject" in done.stdout


def test_a_result_of_everything_comes_with_a_warning(start_service: Start, home: Path) -> None:
    service = start_service(home=home)
    white = np.full((64, 64, 3), 255, np.uint8)
    matte = service.client().matte(rgb(white), options=options("free"))
    assert (alpha_of(matte.alpha) == 255).all()
    assert [notice.reason for notice in matte.notices] == ["matte-full"]


def test_a_gpu_that_is_not_there_is_said_to_the_client(
    start_service: Start, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start_service(home=home)
    with pytest.raises(BridgeError) as caught:
        service.client().matte(rgb(LARGE), options=replace(options("deep"), device="gpu"))
    assert caught.value.reason == "gpu-not-available"
    assert "doctor" in str(caught.value)
