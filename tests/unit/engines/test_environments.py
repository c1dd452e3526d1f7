from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bshm_bridge.engines import interpreters
from bshm_bridge.engines.environments import Environment, Environments
from bshm_bridge.engines.installation import (
    PYTHONS,
    Installer,
    Platform,
    card_notice,
    package_set,
)
from bshm_bridge.engines.interpreters import Interpreter, Version
from bshm_bridge.engines.process import environment
from bshm_bridge.errors import NotReady

HERE: Version = (sys.version_info[0], sys.version_info[1])
LINUX = Platform("Linux", "x86_64", nvidia=True)
LINUX_CPU = Platform("Linux", "x86_64", nvidia=False)
WINDOWS = Platform("Windows", "amd64", nvidia=True)
MAC = Platform("Darwin", "arm64", nvidia=False)


def made(python: Path = Path(sys.executable)) -> Environment:
    return Environment("tf2", python, True, "tf2-cpu", "TensorFlow 2", "3.12.1", "CPU", "")


def test_a_recorded_environment_is_found_again(tmp_path: Path) -> None:
    environments = Environments(tmp_path / "engines")
    environments.record(made())
    assert Environments(tmp_path / "engines").get("tf2") == made()


def test_an_engine_that_is_not_installed_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="bshm engines install tf1") as caught:
        Environments(tmp_path).get("tf1")
    assert caught.value.reason == "engine-not-installed"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"python": "x"}', '{"python": 5}'])
def test_a_damaged_record_counts_as_not_installed(text: str, tmp_path: Path) -> None:
    environments = Environments(tmp_path)
    environments.record(made())
    (environments.folder("tf2") / "environment.json").write_text(text)
    with pytest.raises(NotReady, match="damaged"):
        environments.get("tf2")


def test_an_interpreter_that_was_deleted_is_noticed(tmp_path: Path) -> None:
    environments = Environments(tmp_path)
    environments.record(made(tmp_path / "gone"))
    with pytest.raises(NotReady, match="not there any more"):
        environments.get("tf2")


def test_removing_deletes_everything_once(tmp_path: Path) -> None:
    environments = Environments(tmp_path)
    environments.record(made())
    assert environments.remove("tf2") is True
    assert environments.remove("tf2") is False
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("engine", "device", "here", "expected"),
    [
        ("tf1", "auto", LINUX_CPU, "tf1"),
        ("tf2", "auto", LINUX, "tf2-cuda"),
        ("tf2", "cpu", LINUX, "tf2-cpu"),
        ("tf2", "auto", LINUX_CPU, "tf2-cpu"),
        ("tf2", "gpu", LINUX_CPU, "tf2-cuda"),
        ("tf2", "auto", WINDOWS, "tf2-cpu"),
        ("onnx", "auto", LINUX, "onnx-cuda"),
        ("onnx", "auto", WINDOWS, "onnx-directml"),
        ("onnx", "cpu", WINDOWS, "onnx-cpu"),
        ("onnx", "gpu", MAC, "onnx-cpu"),
    ],
)
def test_the_build_fits_the_computer(
    engine: str, device: str, here: Platform, expected: str
) -> None:
    assert package_set(engine, device, here) == expected


@pytest.mark.parametrize("here", [WINDOWS, MAC])
def test_a_gpu_build_that_does_not_exist_is_an_error(here: Platform) -> None:
    with pytest.raises(NotReady):
        package_set("tf2", "gpu", here)


def test_tensorflow_1_on_a_card_that_its_cuda_does_not_know_is_warned_about() -> None:
    new = Platform("Linux", "x86_64", nvidia=True, capability=(8, 9))
    old = Platform("Linux", "x86_64", nvidia=True, capability=(7, 5))
    assert "bshm engines add tf1" in card_notice("tf1", new)
    assert not card_notice("tf1", old)
    assert not card_notice("tf2", new)


def installer(tmp_path: Path, found: Interpreter | None = None) -> Installer:
    def find(wanted: Sequence[Version]) -> Interpreter | None:
        return found

    return Installer(
        Environments(tmp_path / "engines"), tmp_path / "logs", lambda text: None, find, LINUX_CPU
    )


def test_without_a_fitting_python_it_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match=r"uv python install 3\.7") as caught:
        installer(tmp_path).install("tf1")
    assert caught.value.reason == "python-missing"


def test_a_python_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match=r"needs Python 3\.7; that one is"):
        installer(tmp_path).install("tf1", Path(sys.executable))


def test_an_environment_without_the_runtime_is_not_adopted(tmp_path: Path) -> None:
    it = installer(tmp_path)
    with pytest.raises(NotReady, match="cannot be imported"):
        it.add("tf1", Path(sys.executable))
    with pytest.raises(NotReady):
        Environments(tmp_path / "engines").get("tf1")


def test_a_path_without_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="no Python at that path"):
        installer(tmp_path).add("tf1", tmp_path)


def test_this_interpreter_is_probed() -> None:
    found = interpreters.probe(Path(sys.executable))
    assert found is not None and found.version == HERE
    assert interpreters.probe(Path("/bin/true")) is None


def test_interpreters_are_found_under_pyenv_newest_first(tmp_path: Path) -> None:
    dotted = f"{HERE[0]}.{HERE[1]}"
    for name in (f"{dotted}.2", f"{dotted}.10", "2.7.18", f"{dotted}-dev"):
        binaries = tmp_path / "versions" / name / "bin"
        binaries.mkdir(parents=True)
        (binaries / "python").symlink_to(sys.executable)
    found = interpreters.find([HERE], {"PYENV_ROOT": str(tmp_path), "PATH": ""}, tmp_path)
    assert found is not None
    if found.origin != "PATH":  # this test itself does not run in a virtual environment
        assert found.path == tmp_path / "versions" / f"{dotted}.10" / "bin" / "python"


def test_interpreters_are_found_on_path_but_not_through_pyenvs_shims(tmp_path: Path) -> None:
    python = Path(getattr(sys, "_base_executable", sys.executable))
    for folder in ("bin", "shims"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"python{HERE[0]}.{HERE[1]}").symlink_to(python)
    found = interpreters.find([HERE], {"PATH": str(tmp_path / "bin")}, tmp_path)
    assert found is not None
    assert found.origin == "PATH"
    found = interpreters.find([HERE], {"PATH": str(tmp_path / "shims")}, tmp_path)
    assert found is None or "shims" not in found.path.parts


@pytest.mark.skipif(sys.platform != "linux", reason="uv names its folders after the system")
def test_interpreters_are_found_among_uvs_own(tmp_path: Path) -> None:
    uv = interpreters.find_uv()
    assert uv is not None
    full = platform.python_version()
    libc = "gnu" if platform.libc_ver()[0] else "musl"
    binaries = tmp_path / f"cpython-{full}-linux-{platform.machine()}-{libc}" / "bin"
    binaries.mkdir(parents=True)
    for name in ("python", "python3", f"python{HERE[0]}.{HERE[1]}"):
        (binaries / name).symlink_to(Path(sys.executable).resolve())
    env = {"PATH": "", "HOME": str(tmp_path), "UV_PYTHON_INSTALL_DIR": str(tmp_path)}
    env["VIRTUAL_ENV"] = sys.prefix  # an environment that is active is none to build on
    found = interpreters.find([HERE], env, tmp_path)
    assert found is not None
    assert found.origin == "uv"
    assert found.path.is_relative_to(tmp_path)


def test_interpreters_are_found_in_conda_environments(tmp_path: Path) -> None:
    binaries = tmp_path / "envs" / "old" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    (tmp_path / ".conda").mkdir()
    (tmp_path / ".conda" / "environments.txt").write_text(f"{tmp_path / 'envs' / 'old'}\n")
    found = interpreters.find([HERE], {"PATH": ""}, tmp_path)
    assert found is not None
    assert found.origin in ("conda", "PATH")


def test_there_is_no_python_of_the_far_future(tmp_path: Path) -> None:
    assert interpreters.find([(3, 99)], {"PATH": ""}, tmp_path) is None


def test_pinned_sets_exist_for_every_engine_and_build() -> None:
    from bshm_bridge.engines import installation

    folder = Path(installation.__file__).parent / "requirements"
    for engine in PYTHONS:
        for here in (LINUX, LINUX_CPU, WINDOWS, MAC):
            lines = (folder / f"{package_set(engine, 'auto', here)}.txt").read_text().splitlines()
            pins = [line for line in lines if not line.startswith("#")]
            assert pins and all("==" in pin for pin in pins)


def test_a_child_does_not_inherit_this_pythons_settings(tmp_path: Path) -> None:
    base = {"PYTHONPATH": "/x", "PYTHONHOME": "/y", "PATH": "/bin", "HOME": "/z"}
    values = environment(tmp_path / "bin" / "python", base)
    assert "PYTHONPATH" not in values and "PYTHONHOME" not in values
    assert values["PATH"] == "/bin" and values["HOME"] == "/z"


def test_a_worker_finds_the_libraries_that_the_check_found(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    assert environment(python, {}, "/opt/cuda/lib64")["LD_LIBRARY_PATH"] == "/opt/cuda/lib64"
    assert "LD_LIBRARY_PATH" not in environment(python, {})
    assert environment(python, {"LD_LIBRARY_PATH": "/a"})["LD_LIBRARY_PATH"] == "/a"


def test_a_conda_environment_is_as_if_activated(tmp_path: Path) -> None:
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "bin").mkdir()
    values = environment(tmp_path / "bin" / "python", {"PATH": "/bin"})
    assert values["PATH"].split(":")[-1] == "/bin"
    assert str(tmp_path / "bin") in values["PATH"].split(":")
