"""A real service in a process of its own, with a state directory of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pytest

from bridge_client import BridgeClient, Pixels
from bridge_client.connection import Connection, read_connection


@dataclass
class RunningService:
    home: Path
    process: subprocess.Popen[str]
    endpoint: str = ""
    clients: list[BridgeClient] = field(default_factory=list)

    @property
    def connection(self) -> Connection:
        connection = read_connection(self.home)
        assert connection is not None
        return connection

    def client(self, name: str = "test", *, exchange: bool = True) -> BridgeClient:
        return BridgeClient(name, self.home, exchange=exchange, start=_no_start)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def _no_start(home: Path) -> subprocess.Popen[bytes]:
    raise AssertionError("the service of this test is not to be started by a client")


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "BSHM_HOME": str(home)}


def start(home: Path, *arguments: str) -> RunningService:
    process = subprocess.Popen(
        [sys.executable, "-m", "bshm_bridge", "serve", *arguments],
        env=environment(home),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("ready "), f"the service said {line!r}"
    return RunningService(home, process, line.split(maxsplit=1)[1].strip())


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[Callable[..., RunningService]]:
    """Start services that are ended with the test; each test has a state directory."""
    started: list[RunningService] = []

    def run(*arguments: str, home: Path = tmp_path / "home") -> RunningService:
        started.append(start(home, *arguments))
        return started[-1]

    yield run
    for service in started:
        service.process.kill()
        service.process.wait()
        assert service.process.stdout is not None
        service.process.stdout.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One service for every test that does it no harm."""
    running = start(tmp_path_factory.mktemp("home"))
    yield running
    assert running.stop() == 0, "the service did not end cleanly"
    assert running.process.stdout is not None
    running.process.stdout.close()


def command_line(process: psutil.Process) -> list[str]:
    """Return the words of a process, none where it has just ended."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def figure(width: int = 96, height: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Return a red figure on blue ground, and a rough selection of it.

    The figure is off-centre, so that a shift or a flip of the matte shows.
    """
    y, x = np.mgrid[:height, :width]
    inside = (x - width * 0.35) ** 2 / (width * 0.2) ** 2 + (y - height * 0.6) ** 2 / (
        height * 0.3
    ) ** 2 < 1
    picture = np.empty((height, width, 3), np.uint8)
    picture[...] = (30, 60, 170)
    picture[inside] = (210, 40, 40)
    picture += np.random.default_rng(1).integers(0, 12, picture.shape, np.uint8)
    selection = np.zeros((height, width), np.uint8)
    selection[int(height * 0.22) : int(height * 0.98), int(width * 0.08) : int(width * 0.62)] = 255
    return picture, selection


def rgb(picture: np.ndarray) -> Pixels:
    height, width, _ = picture.shape
    return Pixels(np.ascontiguousarray(picture).tobytes(), width, height, "RGB")


def gray(selection: np.ndarray) -> Pixels:
    height, width = selection.shape
    return Pixels(np.ascontiguousarray(selection).tobytes(), width, height, "GRAY")


def alpha_of(pixels: Pixels) -> np.ndarray:
    dtype = {"u8": np.uint8, "u16": np.dtype("<u2")}[pixels.depth]
    return np.frombuffer(pixels.data, dtype).reshape(pixels.height, pixels.width)
