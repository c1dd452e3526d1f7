from __future__ import annotations

import errno
import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bshm_bridge.engines.base import Cancellation
from bshm_bridge.errors import Exhausted, InvalidInput, MattingError, NotReady, UnknownModel
from bshm_bridge.models import builtin
from bshm_bridge.models.manifest import FILE_NAME, Manifest, ManifestError, parse
from bshm_bridge.models.pull import Cancelled, ReportProgress, pull_from_modelscope
from bshm_bridge.models.store import ModelStore

MINE = """
name = "mine"
engines = ["onnx"]
file = "net.onnx"
[input]
layout = "NCHW"
size = { rule = "fixed", width = 320, height = 320 }
[output]
"""
# ModelProto: ir_version 8, graph { input "a", output "b" }, opset_import { version 17 }.
NETWORK = b"\x08\x08\x3a\x0a\x5a\x03\x0a\x01a\x62\x03\x0a\x01b\x42\x02\x10\x11"
OTHER = NETWORK.replace(b"\x01a", b"\x01c")
# GraphDef: node { name, op }, twice.
GRAPH = b"\n\x1a\n\x0binput_image\x12\x0bPlaceholder\n\x16\n\noutput_png\x12\x08Identity"
BSHM = next(manifest for manifest in builtin.manifests() if manifest.name == "bshm")


def quiet(stage: str, fraction: float) -> None:
    pass


class Source:
    """Hands out content in place of a download."""

    def __init__(self, content: bytes = NETWORK) -> None:
        self.content = content
        self.calls = 0

    def __call__(
        self, manifest: Manifest, work: Path, cancel: Cancelled, progress: ReportProgress
    ) -> Path:
        self.calls += 1
        path = work / "arrived"
        path.write_bytes(self.content)
        return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / FILE_NAME).write_text(MINE)
    (folder / "net.onnx").write_bytes(NETWORK)
    return folder


def store_at(root: Path, source: Source | None = None) -> ModelStore:
    return ModelStore(root, source or Source())


def test_bshm_is_known_before_it_is_installed(root: Path) -> None:
    store = store_at(root)
    assert BSHM in store.manifests()
    assert store.file(store.get("bshm")) is None
    assert not root.exists()


@pytest.mark.parametrize("part", ["", FILE_NAME])
def test_a_model_is_added_by_its_folder_or_manifest(root: Path, folder: Path, part: str) -> None:
    store = store_at(root)
    manifest = store.add(folder / part)
    assert manifest == replace(parse(MINE), sha256=hashlib.sha256(NETWORK).hexdigest())
    path = store.file(manifest)
    assert path is not None
    assert path.read_bytes() == NETWORK
    assert (folder / "net.onnx").exists()
    assert store_at(root).get("mine") == manifest


def test_a_file_of_a_known_model_needs_no_manifest(root: Path, tmp_path: Path) -> None:
    (tmp_path / "tf_graph.pb").write_bytes(GRAPH)
    store = ModelStore(root, Source(), [BSHM])
    assert store.add(tmp_path / "tf_graph.pb").name == "bshm"
    assert store.add(tmp_path).name == "bshm"


def test_a_file_that_several_models_could_be_needs_a_name(root: Path, tmp_path: Path) -> None:
    (tmp_path / "tf_graph.pb").write_bytes(GRAPH)
    store = ModelStore(root, Source(), [BSHM, replace(BSHM, name="universal")])
    with pytest.raises(InvalidInput, match="--as bshm, --as universal"):
        store.add(tmp_path)
    assert store.add(tmp_path / "tf_graph.pb", "universal").name == "universal"


def test_adding_again_replaces(root: Path, folder: Path) -> None:
    store = store_at(root)
    store.add(folder)
    (folder / "net.onnx").write_bytes(OTHER)
    path = store.file(store.add(folder))
    assert path is not None
    assert path.read_bytes() == OTHER
    assert [entry.name for entry in root.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "model-file"),
        (b"PK\x03\x04data.pkl", "pickle"),
        (b"\x80\x02}q\x00", "pickle"),
        (b"<!DOCTYPE html>", "model-file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "model-file"),
        (b"\xff\xfe\x00", "model-file"),
        (NETWORK[:9], "model-file"),
    ],
)
def test_what_is_no_network_is_refused(
    root: Path, folder: Path, content: bytes, reason: str
) -> None:
    (folder / "net.onnx").write_bytes(content)
    with pytest.raises(InvalidInput) as raised:
        store_at(root).add(folder)
    assert raised.value.reason == reason
    assert not root.exists()


def test_a_network_that_is_not_the_manifests_is_refused(root: Path, folder: Path) -> None:
    (folder / FILE_NAME).write_text(MINE.replace("[output]", '[output]\ntensor = "alpha"'))
    with pytest.raises(ManifestError, match="no output named “alpha”; it has b"):
        store_at(root).add(folder)
    (folder / "net.onnx").write_bytes(GRAPH)
    with pytest.raises(ManifestError, match="frozen TensorFlow graph"):
        store_at(root).add(folder)
    assert not root.exists()


def test_leftovers_of_killed_processes_are_swept(root: Path, folder: Path) -> None:
    for name, age in ((".adding-old", 10**6), (".adding-now", 0)):
        (root / name).mkdir(parents=True)
        when = time.time() - age
        os.utime(root / name, (when, when))
    store_at(root).add(folder)
    assert sorted(entry.name for entry in root.iterdir()) == [".adding-now", "mine"]


def test_a_wrong_checksum_is_refused_and_what_was_there_stays(root: Path, folder: Path) -> None:
    store = store_at(root)
    store.add(folder)
    right = f'sha256 = "{"0" * 64}"\n'
    (folder / FILE_NAME).write_text(right + MINE)
    with pytest.raises(NotReady, match="SHA-256") as raised:
        store.add(folder)
    assert raised.value.reason == "bad-checksum"
    store.verify(store.get("mine"))


def test_what_is_missing_is_said(root: Path, folder: Path, tmp_path: Path) -> None:
    (folder / "net.onnx").unlink()
    with pytest.raises(InvalidInput, match="not beside it"):
        store_at(root).add(folder)
    with pytest.raises(InvalidInput, match="no such file"):
        store_at(root).add(tmp_path / "absent")
    with pytest.raises(InvalidInput, match="no file of a known model"):
        store_at(root).add(tmp_path)
    (folder / FILE_NAME).write_text(MINE.replace("net.onnx", "../net.onnx"))
    with pytest.raises(ManifestError):
        store_at(root).add(folder)


def test_a_full_disk_loses_nothing(
    root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_at(root)
    store.add(folder)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("bshm_bridge.models.store.shutil.copyfile", full)
    with pytest.raises(Exhausted, match="disk is full"):
        store.add(folder)
    monkeypatch.undo()
    store.verify(store.get("mine"))
    assert [entry.name for entry in root.iterdir()] == ["mine"]


def test_a_file_that_was_swapped_is_found_out(root: Path, folder: Path) -> None:
    store = store_at(root)
    manifest = store.add(folder)
    path = store.file(manifest)
    assert path is not None
    store.verify(manifest)
    path.write_bytes(NETWORK + b"!")
    with pytest.raises(NotReady, match="has changed") as raised:
        store.fetch(manifest, Cancellation(), quiet)
    assert raised.value.reason == "bad-checksum"


def test_a_folder_made_by_hand_gets_its_checksum_at_the_first_load(
    root: Path, folder: Path
) -> None:
    root.mkdir()
    folder.rename(root / "mine")
    store = store_at(root)
    assert store.get("mine").sha256 == ""
    assert store.fetch(store.get("mine"), Cancellation(), quiet) == root / "mine" / "net.onnx"
    assert store.get("mine").sha256 == hashlib.sha256(NETWORK).hexdigest()


def test_fetching_downloads_once(root: Path) -> None:
    source = Source(GRAPH)
    store = store_at(root, source)
    for _ in range(2):
        path = store.fetch(store.get("bshm"), Cancellation(), quiet)
        assert path.read_bytes() == GRAPH
    assert source.calls == 1
    assert [entry.name for entry in root.iterdir()] == ["bshm"]


def test_a_download_that_is_not_what_the_manifest_says_is_not_installed(root: Path) -> None:
    store = ModelStore(root, Source(GRAPH), [replace(BSHM, sha256="0" * 64)])
    with pytest.raises(NotReady, match="SHA-256"):
        store.fetch(store.get("bshm"), Cancellation(), quiet)
    assert store.file(store.get("bshm")) is None


def test_a_download_that_is_no_network_is_not_installed(root: Path) -> None:
    store = store_at(root, Source(b"<html>please log in</html>"))
    with pytest.raises(NotReady, match="web page") as raised:
        store.fetch(store.get("bshm"), Cancellation(), quiet)
    assert raised.value.reason == "model-file"
    assert store.file(store.get("bshm")) is None


def test_removing_deletes_the_files_and_keeps_the_shipped_manifest(root: Path) -> None:
    store = store_at(root, Source(GRAPH))
    store.fetch(store.get("bshm"), Cancellation(), quiet)
    assert store.remove("bshm")
    assert not store.remove("bshm")
    assert store.file(store.get("bshm")) is None
    with pytest.raises(UnknownModel):
        store.remove("../bshm")


def test_one_broken_manifest_does_not_hide_the_others(root: Path, folder: Path) -> None:
    store = store_at(root)
    store.add(folder)
    for name, text in (("broken", "name = 3"), ("renamed", MINE)):
        (root / name).mkdir()
        (root / name / FILE_NAME).write_text(text)
    entries = {entry.name: entry for entry in store.entries()}
    assert "engines: is missing." in entries["broken"].problem
    assert "names it “mine”" in entries["renamed"].problem
    assert entries["mine"].problem == ""
    names = [manifest.name for manifest in store.manifests()]
    assert "mine" in names
    assert "broken" not in names
    with pytest.raises(ManifestError):
        store.get("broken")


def test_what_cannot_be_pulled_names_its_source(tmp_path: Path) -> None:
    manifest = replace(BSHM, source="https://example.org/net")
    with pytest.raises(MattingError, match=r"https://example\.org/net.*--as bshm") as raised:
        pull_from_modelscope(manifest, tmp_path, Cancellation(), quiet)
    assert raised.value.reason == "no-download"


def test_every_shipped_manifest_is_right() -> None:
    for manifest in builtin.manifests():
        assert parse(manifest.to_toml()) == manifest
        assert manifest.licence
        assert manifest.source
        assert manifest.good_for
