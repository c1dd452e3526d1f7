"""A model that comes while Krita runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.editors.krita.cases import case

# The embedded engine under another name: a model with a file would need an engine to be installed.
SECOND = """
name = "second"
engines = ["classic"]
[input]
layout = "HWC"
size = { rule = "at-most", long_side = 400 }
[output]
"""


@case
def models_switch_without_a_restart_of_anything(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    assert stage.controller.state.matte.model == "classic"
    pid = stage.service_pid()
    choice = stage.widget("bshm_model")
    assert choice.findData("second") < 0
    folder = Path(os.environ["BSHM_HOME"]) / "models" / "second"
    folder.mkdir(parents=True)
    try:
        (folder / "model.toml").write_text(SECOND)
        yield lambda: choice.findData("second") >= 0
        for model in ("second", "classic", "second"):
            choice.setCurrentIndex(choice.findData(model))
            stage.click("bshm_remove")
            yield stage.idle
            assert stage.controller.state.phase == "done", stage.controller.state
            assert stage.controller.state.matte.model == model
        assert stage.service_pid() == pid
    finally:
        shutil.rmtree(folder)
