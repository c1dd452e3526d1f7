from __future__ import annotations

import hashlib
import os
import random
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from bshm_bridge.engines.base import Cancellation
from bshm_bridge.errors import JobCancelled, NotReady
from bshm_bridge.models.pull import pull_from_modelscope
from bshm_bridge.models.store import ModelStore

from .hub import Hub

MODEL = "iic/cv_unet_image-matting"
# A GraphDef with the tensors that the manifest names, and 2 MB of weights.
WEIGHTS = b"\x2a\x80\x89\x7a" + random.Random(3).randbytes(2_000_000)
CONTENT = (
    b"\n\x1a\n\x0binput_image\x12\x0bPlaceholder"
    b"\n\x9a\x89\x7a\n\noutput_png\x12\x08Identity" + WEIGHTS
)


@pytest.fixture
def hub() -> Iterator[Hub]:
    files = {"tf_graph.pb": CONTENT, "README.md": b"# model", "data/huge.bin": b"x" * 1000}
    with Hub(MODEL, files) as running:
        yield running


def store_at(root: Path, endpoint: str) -> ModelStore:
    environment = {**os.environ, "MODELSCOPE_ENDPOINT": endpoint, "NO_PROXY": "*", "no_proxy": "*"}
    return ModelStore(root, partial(pull_from_modelscope, environment=environment))


def fetch(
    store: ModelStore,
    cancel: Cancellation | None = None,
    progress: Callable[[str, float], None] = lambda stage, fraction: None,
) -> Path:
    return store.fetch(store.get("bshm"), cancel or Cancellation(), progress)


def failure(store: ModelStore) -> NotReady:
    with pytest.raises(NotReady) as raised:
        fetch(store)
    assert store.file(store.get("bshm")) is None
    assert not any(char in str(raised.value) for char in "/\\")
    return raised.value


def test_a_pulled_model_is_installed_with_its_checksum(tmp_path: Path, hub: Hub) -> None:
    store = store_at(tmp_path, hub.endpoint)
    assert store.file(store.get("bshm")) is None
    path = fetch(store)
    assert path.read_bytes() == CONTENT
    assert store.file(store.get("bshm")) == path
    assert store.get("bshm").sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert [entry.name for entry in tmp_path.iterdir()] == ["bshm"]
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["model.toml", "tf_graph.pb"]
    assert not any("README" in path or "huge" in path for _, path, _ in hub.requests)


def test_an_installed_model_is_not_downloaded_again(tmp_path: Path, hub: Hub) -> None:
    store = store_at(tmp_path, hub.endpoint)
    fetch(store)
    before = len(hub.requests)
    fetch(store_at(tmp_path, hub.endpoint))
    assert len(hub.requests) == before


def test_progress_is_reported_as_bytes_arrive(tmp_path: Path, hub: Hub) -> None:
    seen: list[tuple[str, float]] = []
    fetch(store_at(tmp_path, hub.endpoint), None, lambda *event: seen.append(event))
    assert {stage for stage, _ in seen} == {"downloading"}
    fractions = [fraction for _, fraction in seen if fraction >= 0]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert any(0 < fraction < 1 for fraction in fractions)


def test_a_connection_that_breaks_once_is_resumed_at_once(tmp_path: Path, hub: Hub) -> None:
    hub.break_after, hub.breaks = 700_000, 1
    assert fetch(store_at(tmp_path, hub.endpoint)).read_bytes() == CONTENT
    assert hub.ranges == ["", "bytes=700000-"]


def test_a_download_that_failed_goes_on_the_next_time(tmp_path: Path, hub: Hub) -> None:
    hub.break_after, hub.breaks = 300_000, 1000
    assert failure(store_at(tmp_path, hub.endpoint)).reason == "offline"
    hub.breaks = 0
    hub.requests.clear()
    assert fetch(store_at(tmp_path, hub.endpoint)).read_bytes() == CONTENT
    assert len(hub.ranges) == 1
    assert int(hub.ranges[0].removeprefix("bytes=").removesuffix("-")) >= 300_000


def test_cancelling_ends_the_download_and_keeps_what_arrived(tmp_path: Path, hub: Hub) -> None:
    hub.stall_after = 1_200_000
    cancel = Cancellation()

    def progress(stage: str, fraction: float) -> None:
        if fraction > 0.3:
            cancel.cancel()

    with pytest.raises(JobCancelled):
        fetch(store_at(tmp_path, hub.endpoint), cancel, progress)
    hub.stall_after = 0
    hub.requests.clear()
    assert fetch(store_at(tmp_path, hub.endpoint)).read_bytes() == CONTENT
    assert hub.ranges[0] not in ("", "bytes=0-")


def test_a_damaged_download_is_thrown_away(tmp_path: Path, hub: Hub) -> None:
    hub.announced = "0" * 64
    assert failure(store_at(tmp_path, hub.endpoint)).reason == "bad-checksum"
    hub.announced = ""
    assert fetch(store_at(tmp_path, hub.endpoint)).read_bytes() == CONTENT


def test_a_repository_that_has_gone_is_said_so(tmp_path: Path, hub: Hub) -> None:
    hub.model = "iic/something-else"
    assert failure(store_at(tmp_path, hub.endpoint)).reason == "not-found"


def test_a_repository_without_the_file_is_said_so(tmp_path: Path, hub: Hub) -> None:
    del hub.files["tf_graph.pb"]
    assert failure(store_at(tmp_path, hub.endpoint)).reason == "not-found"


def test_without_a_network_the_message_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = failure(store_at(tmp_path, f"http://127.0.0.1:{unused.getsockname()[1]}"))
    assert error.reason == "offline"
    assert "Check the network" in str(error)
