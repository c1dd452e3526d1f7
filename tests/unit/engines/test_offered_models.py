from __future__ import annotations

from pathlib import Path

from bshm_bridge.engines.classic import ClassicEngine
from bshm_bridge.engines.registry import Registry
from bshm_bridge.models.manifest import Manifest
from bshm_bridge.models.pull import Cancelled, ReportProgress
from bshm_bridge.models.store import ModelStore

# ModelProto: ir_version 8, graph { input "a", output "b" }, opset_import { version 17 }.
NETWORK = b"\x08\x08\x3a\x0a\x5a\x03\x0a\x01a\x62\x03\x0a\x01b\x42\x02\x10\x11"


def no_pull(manifest: Manifest, work: Path, cancel: Cancelled, progress: ReportProgress) -> Path:
    raise AssertionError("nothing is to be downloaded")


def test_editors_are_offered_what_is_installed_or_can_be_downloaded(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models", no_pull)
    registry = Registry({"classic": ClassicEngine()}, store)
    before = [manifest.name for manifest in registry.offered()]
    assert before == ["bshm", "bshm-universal", "classic"]
    (tmp_path / "u2net.onnx").write_bytes(NETWORK)
    store.add(tmp_path / "u2net.onnx")
    assert "u2net" in [manifest.name for manifest in registry.offered()]
    assert "birefnet-general" in [manifest.name for manifest in registry.manifests()]
