"""`bshm engines install` makes environments that work, also after it was cut short."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bshm_bridge.engines.environments import Environments
from bshm_bridge.engines.installation import Installer
from bshm_bridge.errors import MattingError

from .conftest import install

BSHM = [sys.executable, "-c", "from bshm_bridge.cli.main import entry; entry()", "engines"]


def bshm_engines(home: Path, *arguments: str) -> Any:
    """Run the command and return what it printed as JSON."""
    done = subprocess.run(
        [*BSHM, *arguments, "--json"],
        env={**os.environ, "BSHM_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def state(home: Path, engine: str) -> dict[str, Any]:
    (row,) = (row for row in bshm_engines(home, "list") if row["engine"] == engine)
    return dict(row)


def test_an_installation_that_was_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [*BSHM, "install", "onnx", "--device", "cpu"],
        env={**os.environ, "BSHM_HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert first.stderr is not None
    with first:
        for line in first.stderr:
            if line.startswith("Installing"):
                break
        first.send_signal(signal.SIGKILL)
    assert state(tmp_path, "onnx")["installed"] is False
    made = bshm_engines(tmp_path, "install", "onnx", "--device", "cpu")
    assert made["runtime"].startswith("ONNX Runtime 1.")
    assert state(tmp_path, "onnx")["installed"] is True
    again = bshm_engines(tmp_path, "install", "onnx", "--device", "cpu")
    assert again == made
    bshm_engines(tmp_path, "remove", "onnx")
    assert not (tmp_path / "engines" / "onnx").exists()


def test_venv_and_pip_serve_where_there_is_no_uv(tmp_path: Path) -> None:
    environments = Environments(tmp_path / "engines")
    said: list[str] = []
    installer = Installer(environments, tmp_path / "logs", said.append, uv=None)
    assert installer.install("onnx", device="cpu").runtime.startswith("ONNX Runtime 1.")
    assert any("Collecting onnxruntime" in line for line in said)


def test_packages_that_cannot_be_had_are_a_readable_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    environments = Environments(tmp_path / "engines")
    installer = Installer(environments, tmp_path / "logs", lambda text: None, uv=None)
    with pytest.raises(MattingError, match="No matching distribution") as caught:
        installer.install("onnx", device="cpu")
    assert caught.value.reason == "install-failed"
    with pytest.raises(MattingError, match="is not installed"):
        environments.get("onnx")


def test_an_environment_that_exists_is_adopted_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    python = install("tf1").get("tf1").python
    found = bshm_engines(tmp_path, "add", "tf1", "--python", str(python))
    assert found["runtime"] == "TensorFlow 1.15.5" and found["managed"] is False
    assert found["libraries"] == str(tmp_path)
    bshm_engines(tmp_path, "remove", "tf1")
    assert state(tmp_path, "tf1")["installed"] is False
    assert python.is_file()


def test_the_wrong_runtime_is_not_adopted(tmp_path: Path) -> None:
    python = install("tf1").get("tf1").python
    done = subprocess.run(
        [*BSHM, "add", "tf2", "--python", str(python)],
        env={**os.environ, "BSHM_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 4
    assert "needs TensorFlow 2" in done.stderr and "Traceback" not in done.stderr
