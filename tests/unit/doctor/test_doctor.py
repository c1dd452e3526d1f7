from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bridge_client.errors import ServiceLost, ServiceMissing
from bridge_client.types import ModelInfo, ServiceStatus
from bshm_bridge import __version__
from bshm_bridge.doctor.editor_plugins import examine_editors
from bshm_bridge.doctor.finding import Finding
from bshm_bridge.doctor.graphics import display_vendors, examine_graphics
from bshm_bridge.doctor.model_files import examine_models
from bshm_bridge.doctor.running_service import examine_service
from bshm_bridge.doctor.runtimes import examine_runtimes
from bshm_bridge.doctor.system import examine_system
from bshm_bridge.doctor.trial import examine_trial
from bshm_bridge.editors.base import Profile
from bshm_bridge.engines.base import Cancellation, Engine, EngineInput, ReportProgress
from bshm_bridge.engines.classic import ClassicEngine
from bshm_bridge.engines.environments import Environment, Environments
from bshm_bridge.engines.registry import Registry
from bshm_bridge.errors import NotReady
from bshm_bridge.models import builtin
from bshm_bridge.models.manifest import FILE_NAME, Manifest
from bshm_bridge.models.pull import Cancelled
from bshm_bridge.models.sizes import AtMost
from bshm_bridge.models.store import ModelStore
from bshm_bridge.paths import Paths
from bshm_worker.gpu import Driver

NO_DRIVER = Driver("no NVIDIA driver is installed", (0, 0), [], [])
CARD = Driver("", (12, 4), ["NVIDIA GeForce RTX 4070"], [(8, 9)])
OLD_CARD = Driver("", (12, 4), ["NVIDIA GeForce GTX 1080"], [(6, 1)])
GRAPH = b"\n\x1a\n\x0binput_image\x12\x0bPlaceholder\n\x16\n\noutput_png\x12\x08Identity"
BSHM = next(manifest for manifest in builtin.manifests() if manifest.name == "bshm")


def levels(findings: Iterable[Finding]) -> list[str]:
    return [finding.level for finding in findings]


def problem(findings: Iterable[Finding]) -> Finding:
    (found,) = [finding for finding in findings if finding.level == "problem"]
    assert found.mend
    return found


# ------------------------------------------------------------------ system


def test_a_machine_with_room_has_no_problem(tmp_path: Path) -> None:
    found = list(examine_system(Paths(tmp_path / "not" / "yet"), 10**10, 10**11))
    assert levels(found) == ["ok", "ok", "ok"]
    assert not (tmp_path / "not").exists()


def test_little_memory_and_disk_are_noted(tmp_path: Path) -> None:
    found = list(examine_system(Paths(tmp_path), 10**9, 10**9))
    assert levels(found) == ["ok", "note", "note"]
    assert all(finding.mend for finding in found if finding.level == "note")


def test_a_wrong_configuration_is_a_problem(tmp_path: Path) -> None:
    Paths(tmp_path).config.write_text("[service]\nqueue = 3\n")
    assert "queue" in problem(examine_system(Paths(tmp_path))).text


# ---------------------------------------------------------------- graphics


def test_a_card_without_a_driver_is_a_problem() -> None:
    found = problem(examine_graphics(NO_DRIVER, frozenset({"0x10de"})))
    assert "NVIDIA card" in found.text
    assert "driver" in found.mend


def test_a_machine_without_a_card_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert levels(examine_graphics(NO_DRIVER, frozenset())) == ["note"]


def test_new_cards_are_warned_of_old_tensorflow() -> None:
    found = list(examine_graphics(CARD, frozenset()))
    assert "RTX 4070" in found[0].text
    assert "12.4" in found[0].text
    assert "tensorflow-gpu 1.15.5" in found[1].text
    assert levels(examine_graphics(OLD_CARD, frozenset())) == ["ok"]


def test_display_adapters_are_read_from_the_system(tmp_path: Path) -> None:
    (tmp_path / "card0" / "device").mkdir(parents=True)
    (tmp_path / "card0" / "device" / "vendor").write_text("0x10de\n")
    assert display_vendors(tmp_path) == {"0x10de"}
    assert display_vendors(tmp_path / "absent") == frozenset()


# ----------------------------------------------------------------- engines


def recorded(root: Path, managed: bool = True) -> Environments:
    environments = Environments(root)
    python = Path(sys.executable)
    environments.record(Environment("tf1", python, managed, "", "TensorFlow 1.15.5", "3.7", "", ""))
    return environments


def answering(device: str, notice: str) -> Environment:
    python = Path(sys.executable)
    return Environment("tf1", python, True, "", "TensorFlow 1.15.5", "3.7.16", device, notice)


def test_a_runtime_that_works_is_fine(tmp_path: Path) -> None:
    found = list(
        examine_runtimes(recorded(tmp_path), tmp_path, CARD, lambda *_: answering("RTX 4070", ""))
    )
    assert "TensorFlow 1.15.5, Python 3.7.16, runs on RTX 4070" in found[0].text
    assert "problem" not in levels(found)


def test_a_runtime_that_does_not_use_the_card_says_which_library_is_missing(tmp_path: Path) -> None:
    notice = "A CUDA library is missing. Missing: libcudart.so.10.0."
    found = examine_runtimes(
        recorded(tmp_path), tmp_path, CARD, lambda *_: answering("CPU", notice)
    )
    assert "libcudart.so.10.0" in problem(found).text


def test_without_a_card_the_processor_is_fine(tmp_path: Path) -> None:
    found = examine_runtimes(
        recorded(tmp_path), tmp_path, NO_DRIVER, lambda *_: answering("CPU", "no driver")
    )
    assert "problem" not in levels(found)


def test_a_runtime_whose_module_is_not_found_is_a_problem(tmp_path: Path) -> None:
    def broken(environment: Environment, log: Path) -> Environment:
        raise NotReady("TensorFlow cannot be imported: No module named 'tensorflow'.")

    found = problem(examine_runtimes(recorded(tmp_path), tmp_path, CARD, broken))
    assert "No module named" in found.text
    assert "bshm engines install tf1" in found.mend
    own = problem(examine_runtimes(recorded(tmp_path / "own", False), tmp_path, CARD, broken))
    assert sys.executable in own.mend


def test_a_real_check_finds_that_this_python_is_no_engine(tmp_path: Path) -> None:
    found = problem(examine_runtimes(recorded(tmp_path), tmp_path, CARD))
    assert found.text.startswith("tf1: ")
    assert "bshm engines install tf1" in found.mend


def test_a_damaged_record_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "environment.json").write_text("{")
    assert "onnx" in problem(examine_runtimes(Environments(tmp_path), tmp_path, CARD)).text


# ------------------------------------------------------------------ models


class RunsEverything:
    """An engine whose answer is given."""

    name = "tf1"

    def __init__(self, value: float = 0.0) -> None:
        self._value = value

    def available(self) -> tuple[bool, str]:
        return True, ""

    def load(
        self,
        manifest: Manifest,
        file: Path | None,
        device: str,
        cancel: Cancellation,
        progress: ReportProgress,
    ) -> Answer:
        return Answer(self._value)


class Answer:
    engine, device, notice, reduced, pid, alive = "tf1", "CPU", "", False, 0, True

    def __init__(self, value: float) -> None:
        self._value = value

    def infer(
        self, request: EngineInput, cancel: Cancellation, progress: ReportProgress
    ) -> NDArray[np.float32]:
        return np.full(request.image.shape[:2], self._value, np.float32)

    def close(self) -> None:
        pass


def installed(root: Path, manifest: Manifest = BSHM) -> tuple[ModelStore, Registry]:
    def no_pull(
        manifest: Manifest, work: Path, cancel: Cancelled, progress: ReportProgress
    ) -> Path:
        raise AssertionError("the doctor downloads nothing")

    given = root / "given"
    given.mkdir()
    (given / manifest.file).write_bytes(GRAPH)
    (given / FILE_NAME).write_text(manifest.to_toml())
    store = ModelStore(root / "models", no_pull)
    store.add(given)
    return store, Registry({"classic": ClassicEngine(), "tf1": RunsEverything()}, store)


def test_a_model_that_can_run_is_fine(tmp_path: Path) -> None:
    found = list(examine_models(*installed(tmp_path)))
    assert levels(found) == ["ok", "ok"]
    assert "tf1 runs it" in found[0].text
    assert "“auto” means bshm" in found[1].text


def test_a_damaged_model_file_is_a_problem(tmp_path: Path) -> None:
    store, registry = installed(tmp_path)
    path = store.file(store.get("bshm"))
    assert path is not None
    path.write_bytes(GRAPH[:40])
    assert "cut short" in problem(examine_models(store, registry)).text


def test_a_swapped_model_file_is_a_problem(tmp_path: Path) -> None:
    store, registry = installed(tmp_path)
    path = store.file(store.get("bshm"))
    assert path is not None
    path.write_bytes(GRAPH + GRAPH)
    assert "checksum" in problem(examine_models(store, registry)).text


def test_a_model_without_a_runtime_is_a_problem(tmp_path: Path) -> None:
    store, _ = installed(tmp_path)
    registry = Registry({"classic": ClassicEngine()}, store)
    found = problem(examine_models(store, registry))
    assert "bshm engines install tf1" in found.mend


def test_a_size_that_makes_jagged_edges_is_a_problem(tmp_path: Path) -> None:
    large = replace(BSHM, input=replace(BSHM.input, size=AtMost(4000)))
    assert "jagged" in problem(examine_models(*installed(tmp_path, large))).text


# ----------------------------------------------------------------- editors


class Gimp:
    name, title = "gimp", "GIMP"
    entries: Sequence[str] = ()
    leftovers: Sequence[str] = ()
    zip_root = ""

    def __init__(self, **versions: str) -> None:
        self._versions = versions

    def profiles(self) -> list[Profile]:
        return [Profile("gimp", label, Path()) for label in self._versions]

    def version(self, profile: Profile) -> str:
        return self._versions[profile.label]

    def write(self, target: Path) -> None:
        raise NotImplementedError

    def enable(self, profile: Profile, enabled: bool) -> None:
        raise NotImplementedError


def test_plugins_are_compared_with_the_service() -> None:
    found = list(examine_editors([Gimp(good=__version__, old="0.0.1", none="")]))
    assert levels(found) == ["ok", "problem", "note"]
    assert "0.0.1" in found[1].text
    assert levels(examine_editors([Gimp()])) == ["note"]


# ----------------------------------------------------------------- service

STATUS = ServiceStatus(
    version=__version__,
    protocol=1,
    pid=1,
    uptime=5,
    draining=False,
    models=(),
    jobs=(),
    memory=0,
    exchange=True,
    max_pixels=1,
    done=2,
    failed=0,
    cancelled=0,
    timings={},
    default_model="classic",
    default_reason="",
)


def test_a_service_that_is_fine_or_not_running_is_no_problem(tmp_path: Path) -> None:
    def missing() -> ServiceStatus:
        raise ServiceMissing("none")

    assert levels(examine_service(Paths(tmp_path), missing)) == ["ok"]
    assert levels(examine_service(Paths(tmp_path), lambda: STATUS)) == ["ok"]


def test_a_service_of_another_version_or_without_an_answer_is_a_problem(tmp_path: Path) -> None:
    def lost() -> ServiceStatus:
        raise ServiceLost("The service does not answer.")

    old = replace(STATUS, version="0.0.1")
    assert "0.0.1" in problem(examine_service(Paths(tmp_path), lambda: old)).text
    assert "bshm stop" in problem(examine_service(Paths(tmp_path), lost)).mend


def test_a_failed_model_is_a_problem(tmp_path: Path) -> None:
    model = ModelInfo("bshm", "BSHM", True, "tf1", "CPU", "failed", "out of memory")
    status = replace(STATUS, models=(model,))
    assert "out of memory" in problem(examine_service(Paths(tmp_path), lambda: status)).text


# ------------------------------------------------------------------- trial


def test_the_classic_engine_passes_the_trial() -> None:
    (found,) = examine_trial(Registry({"classic": ClassicEngine()}))
    assert found.level == "ok"
    assert "classic on CPU" in found.text


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "all black"), (1.0, "all white"), (0.5, "not the person")]
)
def test_a_model_that_answers_nonsense_fails_the_trial(
    tmp_path: Path, value: float, words: str
) -> None:
    store, _ = installed(tmp_path)
    engines: dict[str, Engine] = {"classic": ClassicEngine(), "tf1": RunsEverything(value)}
    found = problem(examine_trial(Registry(engines, store)))
    assert words in found.text
    assert "bshm models check bshm" in found.mend
