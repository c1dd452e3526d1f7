"""A request for a model that is not installed yet downloads it, with a real service."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from bridge_client import BridgeError, Cancellation, Cancelled, MatteOptions, Progress

from ..conftest import RunningService, alpha_of, command_line, environment, figure, rgb
from ..engines.conftest import GENERATOR, install
from .hub import Hub

MODEL = "iic/cv_unet_image-matting"
PICTURE, _ = figure()
OPTIONS = MatteOptions(model="bshm", engine="tf2")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a stand-in with BSHM's tensors, made larger so that it takes several reads."""
    folder = tmp_path_factory.mktemp("graph")
    python = install("tf2").get("tf2").python
    command = [str(python), str(GENERATOR), str(folder), "weighted"]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    # Twenty nodes that do nothing, with long names: each is node { name, op }.
    names = (b"p%08d" % number + b"p" * 99_991 for number in range(20))
    padding = b"".join(b"\n\xaa\x8d\x06\n\xa0\x8d\x06" + name + b"\x12\x04NoOp" for name in names)
    return (folder / "weighted.pb").read_bytes() + padding


@pytest.fixture
def hub(graph: bytes) -> Iterator[Hub]:
    with Hub(MODEL, {"tf_graph.pb": graph}) as running:
        yield running


@pytest.fixture
def service(
    hub: Hub,
    tmp_path: Path,
    start_service: Callable[..., RunningService],
    monkeypatch: pytest.MonkeyPatch,
) -> RunningService:
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("NO_PROXY", "*")
    engine = tmp_path / "home" / "engines" / "tf2"
    engine.mkdir(parents=True)
    shutil.copy(install("tf2").folder("tf2") / "environment.json", engine)
    return start_service()


def test_the_download_is_part_of_the_request_and_is_shown(service: RunningService) -> None:
    steps: list[Progress] = []
    matte = service.client().matte(rgb(PICTURE), options=OPTIONS, progress=steps.append)
    weights = np.array([0.7, 0.2, 0.1])
    expected = np.roll(PICTURE @ weights, 1, axis=1)[:, 1:]
    inner = np.abs(alpha_of(matte.alpha)[:, 1:].astype(float) - expected)
    assert (matte.model, matte.engine) == ("bshm", "tf2")
    assert np.median(inner) <= 2
    downloading = [step for step in steps if step.detail == "downloading"]
    assert {step.model for step in downloading} == {"bshm"}
    fractions = [step.fraction for step in downloading if step.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert service.client().status().default_model == "bshm"


@pytest.mark.parametrize("count", [1, 2])
def test_the_command_shows_the_download_on_a_terminal(
    service: RunningService, tmp_path: Path, count: int
) -> None:
    names = [f"{number}.png" for number in range(count)]
    for name in names:
        Image.fromarray(PICTURE).save(tmp_path / name)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "bshm_bridge",
            "matte",
            *names,
            "--model",
            "bshm",
            "--engine",
            "tf2",
        ],
        env=environment(service.home),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # which is how a terminal ends
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    assert process.wait(60) == 0, shown
    assert re.search(rb"loading bshm downloading \d+%", shown), shown


def test_cancelling_the_request_ends_the_download(service: RunningService, hub: Hub) -> None:
    hub.stall_after = 1_200_000
    cancel = Cancellation()

    def progress(step: Progress) -> None:
        if step.detail == "downloading" and (step.fraction or 0) > 0.3:
            cancel.cancel()

    with pytest.raises(Cancelled):
        service.client().matte(rgb(PICTURE), options=OPTIONS, progress=progress, cancel=cancel)
    until = time.monotonic() + 30
    while _downloads(service) and time.monotonic() < until:
        time.sleep(0.1)
    assert not _downloads(service)
    hub.stall_after = 0
    hub.requests.clear()
    assert service.client().matte(rgb(PICTURE), options=OPTIONS).model == "bshm"
    assert hub.ranges[0] not in ("", "bytes=0-")


def test_a_download_that_fails_is_a_sentence(service: RunningService, hub: Hub) -> None:
    hub.model = "somebody/else"
    with pytest.raises(BridgeError, match="ModelScope does not have it") as raised:
        service.client().matte(rgb(PICTURE), options=OPTIONS)
    assert raised.value.reason == "not-found"


def _downloads(service: RunningService) -> list[psutil.Process]:
    children = psutil.Process(service.process.pid).children(recursive=True)
    return [child for child in children if "bshm_bridge.models.hub_download" in command_line(child)]
