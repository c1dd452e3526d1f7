from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bshm_bridge.cli.main import main

MINE = """
name = "mine"
engines = ["onnx"]
file = "net.onnx"
licence = "CC-BY-NC-4.0"
commercial_use = false
[input]
layout = "NCHW"
size = { rule = "fixed", width = 320, height = 320 }
[output]
"""
# ModelProto: ir_version 8, graph { input "a", output "b" }, opset_import { version 17 }.
NETWORK = b"\x08\x08\x3a\x0a\x5a\x03\x0a\x01a\x62\x03\x0a\x01b\x42\x02\x10\x11"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BSHM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "model.toml").write_text(MINE)
    (folder / "net.onnx").write_bytes(NETWORK)
    return folder


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["models", "list", "--json"]) == 0
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)}


def test_the_list_shows_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    rows = listed(capsys)
    assert rows["classic"]["installed"] is True
    assert rows["bshm"]["installed"] is False
    assert rows["bshm"]["source"] == "modelscope:iic/cv_unet_image-matting"


def test_a_model_can_be_added_checked_and_removed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "add", str(folder)]) == 0
    assert listed(capsys)["mine"]["installed"] is True
    assert main(["models", "check"]) == 0
    assert main(["models", "check", "mine"]) == 0
    assert "mine: right" in capsys.readouterr().out
    assert main(["models", "remove", "mine"]) == 0
    assert "mine" not in listed(capsys)


def test_a_licence_against_commercial_use_is_marked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["models", "add", str(folder)])
    main(["models", "list"])
    shown = capsys.readouterr().out
    assert "CC-BY-NC-4.0 *" in shown
    assert "does not allow commercial use" in shown


def test_check_has_a_sentence_for_each_mistake(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = MINE.replace('"NCHW"', '"CHW"').replace("commercial_use = false", "comercial_use = 0")
    (folder / "model.toml").write_text(text)
    assert main(["models", "check", str(folder)]) == 3
    out = capsys.readouterr().out
    assert "input.layout: must be one of" in out
    assert "did you mean “commercial_use”" in out
    assert main(["models", "add", str(folder)]) == 3
    assert "input.layout" in capsys.readouterr().err


def test_wrong_names_and_files_have_their_exit_codes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "remove", "nonesuch"]) == 4
    assert main(["models", "pull", "nonesuch"]) == 4
    assert main(["models", "add", str(folder / "absent")]) == 3
    (folder / "net.onnx").write_bytes(b"\x80\x02}q\x00.")
    assert main(["models", "add", str(folder)]) == 3
    err = capsys.readouterr().err
    assert "pickle" in err
    assert "Traceback" not in err


def test_the_doctor_finds_nothing_wrong_in_a_fresh_home(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["doctor", "--quick", "--json"])
    report = json.loads(capsys.readouterr().out)
    wrong = [finding for finding in report["findings"] if finding["level"] == "problem"]
    assert report["problems"] == len(wrong)
    assert code == (1 if wrong else 0)
    assert {"system", "graphics", "models", "editors", "service"} <= {
        finding["area"] for finding in report["findings"]
    }
    assert all(finding["area"] in ("editors", "graphics", "system") for finding in wrong)


def test_the_doctor_says_what_is_wrong(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "models" / "broken").mkdir(parents=True)
    (home / "models" / "broken" / "model.toml").write_text("name = 3")
    assert main(["doctor", "--quick"]) == 1
    out = capsys.readouterr().out
    assert "PROBLEM broken: name: must be a text" in out
    assert "-> Correct its model.toml" in out
