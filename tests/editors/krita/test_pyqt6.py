"""Krita 6 brings PyQt6: the docker, its threads and its pictures under the real one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bridge_client import BridgeClient, MatteOptions, Pixels
from tests.editors.krita.conftest import Profile
from tests.editors.sandbox import REPOSITORY, Sandbox

SCRIPT = Path(__file__).parent / "inside" / "pyqt6.py"
RESTING = ["Service: ready", "Service: on, no model loaded"]


def test_plugin_works_under_pyqt6(
    krita_sandbox: Sandbox, portraits: dict[str, dict[str, Any]], state_folder: Path, tmp_path: Path
) -> None:
    environment = {"HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    found = krita_sandbox.run(["python3", "-c", "import PyQt6"], env=environment, timeout=60)
    if found.code:
        missing = "PyQt6 (python3-pyqt6) is not installed beside Krita"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    profile = Profile(tmp_path / "home")
    profile.make()
    profile.install()
    portrait = portraits["small"]
    plan = {
        "repository": str(REPOSITORY),
        "pykrita": str(profile.resources / "pykrita"),
        "portrait": portrait,
        "resting": RESTING,
        **{name: str(tmp_path / name) for name in ("mask", "shifted")},
        "picture": str(tmp_path / "docker.png"),
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    krita_sandbox.run(
        ["python3", "-X", "faulthandler", SCRIPT, tmp_path / "plan.json"],
        env={**environment, "BSHM_HOME": str(state_folder), "LANG": "C.UTF-8"},
        timeout=600,
    ).check()
    data, width, height = Path(portrait["bgra"]).read_bytes(), portrait["width"], portrait["height"]
    for name, options in (("mask", MatteOptions()), ("shifted", MatteOptions(edge_shift=-2.0))):
        matte = BridgeClient("test", state_folder).matte(
            Pixels(data, width, height, "BGRA"), options=options
        )
        assert (tmp_path / name).read_bytes() == bytes(matte.alpha.data)
    with Image.open(tmp_path / "docker.png") as picture:
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 1000  # a photo is in it
