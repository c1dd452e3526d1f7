"""Real runtimes in environments that `bshm engines install` makes, kept between runs.

They are below ``BSHM_TEST_CACHE`` (default ``~/.cache/bshm-bridge-tests``), about 3 GB.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bshm_bridge.engines import installation, interpreters
from bshm_bridge.engines.base import Cancellation
from bshm_bridge.engines.environments import Environments
from bshm_bridge.engines.installation import Installer
from bshm_bridge.engines.runtime import WorkerEngine, WorkerSession
from bshm_bridge.errors import NotReady
from bshm_bridge.models import manifest
from bshm_bridge.models.manifest import Manifest

CACHE = Path(os.environ.get("BSHM_TEST_CACHE") or Path.home() / ".cache" / "bshm-bridge-tests")
GENERATOR = Path(__file__).parents[2] / "standins" / "make_graph.py"
SETS = Path(installation.__file__).parent / "requirements"

STANDIN = """
name = "standin"
title = "Stand-in with BSHM's tensor names"
engines = ["tf1", "tf2", "onnx"]
file = "tf_graph.pb"
[input]
tensor = "input_image:0"
layout = "HWC"
size = { rule = "at-most", long_side = 1500 }
[output]
tensor = "output_png:0"
channel = 3
range = [0.0, 255.0]
"""

Load = Callable[..., WorkerSession]


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Let one test run at a time make something in the cache."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(engine: str) -> Environments:
    """Install an engine into the cache unless just this was installed there before."""
    environments = Environments(CACHE / "engines")
    packages = installation.package_set(engine, "cpu", installation.Platform.here())
    wanted = hashlib.sha256((SETS / f"{packages}.txt").read_bytes()).hexdigest()
    mark = environments.folder(engine) / "tested-packages.sha256"
    with locked(f"engines-{engine}"):
        try:
            environments.get(engine)
            if mark.read_text() == wanted:
                return environments
        except (NotReady, FileNotFoundError):
            environments.remove(engine)
        try:
            uv = interpreters.find_uv()
            installer = Installer(environments, CACHE / "logs", print, uv=uv)
            installer.install(engine, device="cpu")
        except NotReady as error:
            if error.reason != "python-missing" or os.environ.get("CI"):
                raise
            pytest.skip(str(error))
        mark.write_text(wanted)
    return environments


@pytest.fixture(scope="session")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the stand-in graphs, written by TensorFlow 1.15."""
    folder = tmp_path_factory.mktemp("graphs")
    python = install("tf1").get("tf1").python
    kinds = ["weighted", "inverted", "blank", "hungry", "unets"]
    subprocess.run(
        [python, GENERATOR, folder, *kinds], check=True, capture_output=True, timeout=240
    )
    return folder


@pytest.fixture(scope="session")
def standin() -> Manifest:
    return manifest.parse(STANDIN)


@pytest.fixture
def load(tmp_path: Path, standin: Manifest) -> Iterator[Load]:
    """Return a function that loads a file in an engine; what it loaded is closed."""
    sessions: list[WorkerSession] = []

    def load_one(
        engine: str, file: Path, device: str = "cpu", model: Manifest = standin
    ) -> WorkerSession:
        runtime = WorkerEngine(engine, install(engine), tmp_path / "logs")
        session = runtime.load(model, file, device, Cancellation(), ignore_progress)
        sessions.append(session)
        return session

    yield load_one
    for session in sessions:
        session.close()


@pytest.fixture(scope="session")
def picture() -> NDArray[np.uint8]:
    """Return 150×211 pixels of noise on a ramp, different in each channel."""
    y, x = np.mgrid[0:150, 0:211].astype(np.float32)
    ramps = np.stack([x, y, 200 - x], axis=-1)
    noise = np.random.default_rng(3).normal(0, 25, ramps.shape)
    return np.clip(ramps + noise, 0, 255).astype(np.uint8)


def ignore_progress(stage: str, fraction: float) -> None:
    pass


def weighted_alpha(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what the `weighted` stand-in answers, by its definition."""
    alpha = np.zeros(picture.shape[:2], np.float32)
    alpha[:, 1:] = (picture @ np.array([0.7, 0.2, 0.1], np.float32))[:, :-1]
    return alpha / np.float32(255)
