"""How editors start the service."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from bridge_client import ServiceMissing
from bridge_client.home import home
from bridge_client.launcher import (
    clean_environment,
    find_command,
    launch_file,
    start_service,
    write_launch_file,
)


def test_the_child_does_not_inherit_the_editors_libraries() -> None:
    editor = {
        "HOME": "/home/painter",
        "PATH": "/tmp/.mount_krita/usr/bin:/usr/bin",
        "APPDIR": "/tmp/.mount_krita",
        "PYTHONPATH": "/opt/krita/python",
        "PYTHONHOME": "/opt/krita",
        "LD_LIBRARY_PATH": "/opt/krita/lib",
        "LANG": "zh_CN.UTF-8",
    }
    assert clean_environment(editor) == {
        "HOME": "/home/painter",
        "PATH": "/usr/bin",
        "LANG": "zh_CN.UTF-8",
    }


def test_a_started_service_gets_the_state_directory_and_a_clean_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/poison")
    script = tmp_path / "service.py"
    script.write_text(
        "import json, os, pathlib, sys\n"
        "pathlib.Path(os.environ['BSHM_HOME'], 'seen').write_text(\n"
        "    json.dumps([os.environ.get('PYTHONPATH'), os.getsid(0) == os.getpid(),\n"
        "                os.getcwd()]))\n"
    )
    launch_file(tmp_path).write_text(json.dumps({"command": [sys.executable, str(script)]}))
    assert start_service(tmp_path).wait(30) == 0
    # A module in the folder of the photos is not to be taken for one of ours.
    assert json.loads((tmp_path / "seen").read_text()) == [None, True, str(tmp_path)]


def test_the_launch_file_names_this_interpreter(tmp_path: Path) -> None:
    write_launch_file(tmp_path / "home")
    assert find_command(tmp_path / "home")[0] == sys.executable


@pytest.mark.parametrize(
    "content", ["", "[]", '{"command": []}', '{"command": ["/gone", "serve"]}']
)
def test_a_useless_launch_file_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    launch_file(tmp_path).write_text(content)
    program = tmp_path / "bin" / "bshm"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    assert find_command(tmp_path) == [str(program), "serve"]


def test_where_nothing_is_installed_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ServiceMissing, match="pip install bshm-bridge") as caught:
        find_command(tmp_path)
    assert caught.value.reason == "not-installed"


def test_the_state_directory_is_the_same_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BSHM_HOME", str(tmp_path / "x"))
    assert home() == tmp_path / "x"
    monkeypatch.delenv("BSHM_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    if sys.platform.startswith("linux"):
        assert home() == tmp_path / ".local" / "share" / "bshm-bridge"
        monkeypatch.setenv("HOME", str(tmp_path / "snap" / "gimp" / "1"))
        monkeypatch.setenv("SNAP_REAL_HOME", str(tmp_path))
        assert home() == tmp_path / ".local" / "share" / "bshm-bridge"
    assert os.environ["HOME"]
