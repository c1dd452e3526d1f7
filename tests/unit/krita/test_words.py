from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from bridge_client import JobInfo, ModelInfo, Progress, ServiceStatus
from krita.bshm_remove_background import diagnostics as diagnostics_module
from krita.bshm_remove_background.controller import State
from krita.bshm_remove_background.diagnostics import diagnostics
from krita.bshm_remove_background.service_state import (
    ServiceState,
    state_of_failure,
    state_of_start,
    state_of_status,
)
from krita.bshm_remove_background.settings import Settings
from krita.bshm_remove_background.vendoring import use_vendored
from krita.bshm_remove_background.wording import (
    batch_text,
    overall_fraction,
    progress_text,
    undo_text,
)
from krita.bshm_remove_background.worker import Failure

CLASSIC = ModelInfo("classic", "Classic", True, "classic", "CPU", "absent")
BSHM = ModelInfo("bshm", "BSHM", False, "tf1", "", "absent")
STATUS = ServiceStatus(
    version="1.2",
    protocol=1,
    pid=7,
    uptime=60.0,
    draining=False,
    models=(BSHM, CLASSIC),
    jobs=(),
    memory=0,
    exchange=True,
    max_pixels=10**8,
    done=5,
    failed=1,
    cancelled=2,
    timings={},
    default_model="classic",
    default_reason="",
)


def job(client: str, stage: str) -> JobInfo:
    return JobInfo(client, "classic", stage, "interactive", 10, 10, 0.5)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (STATUS, "Service: on, no model loaded"),
        (replace(STATUS, draining=True), "Service: ending"),
        (replace(STATUS, models=(replace(CLASSIC, state="ready"),)), "Service: ready"),
        (replace(STATUS, models=(replace(CLASSIC, state="starting"),)), "Service: loading classic"),
        (replace(STATUS, jobs=(job("gimp", "inference"),)), "Service: busy with GIMP"),
        (replace(STATUS, jobs=(job("krita", "inference"),)), "Service: working"),
        (
            replace(STATUS, jobs=(job("krita", "refining"), job("gimp", "queued"))),
            "Service: working",
        ),
    ],
)
def test_state_line(status: ServiceStatus, line: str) -> None:
    assert state_of_status(status, "auto").line == line


def test_model_line_names_the_device_and_only_installed_models_are_offered() -> None:
    state = state_of_status(STATUS, "auto")
    assert (state.model, state.models, state.loaded) == ("classic · CPU", ("classic",), False)
    failed = replace(CLASSIC, state="failed", message="no memory")
    assert state_of_status(replace(STATUS, models=(failed,)), "auto").model == "classic: no memory"
    ready = replace(STATUS, models=(replace(CLASSIC, state="ready"),))
    assert state_of_status(ready, "classic").loaded


def test_service_that_is_off_is_no_problem_and_others_are_said() -> None:
    assert state_of_failure(Failure("…", "not-running")).line.startswith("Service: off")
    assert state_of_start().line == "Service: starting"
    mismatch = state_of_failure(Failure("Update the plugin.", "protocol-mismatch"))
    assert mismatch.line == "Service: Update the plugin."


STEPS = [
    Progress("starting"),
    Progress("sending", fraction=0.5),
    Progress("queued", position=2),
    Progress("running", "receiving"),
    Progress("running", "decoding"),
    Progress("loading", "starting", model="bshm"),
    Progress("loading", "downloading", fraction=0.5, model="bshm"),
    Progress("running", "inference", 0.0),
    Progress("running", "inference", 0.9),
    Progress("running", "refining"),
    Progress("running", "sending"),
    Progress("receiving"),
]


def test_bar_never_goes_back() -> None:
    values = [overall_fraction(step) for step in [None, *STEPS]]
    assert values == sorted(values)
    assert values[0] == 0.0
    assert values[-1] < 1.0


def test_each_step_has_a_line_of_its_own_kind() -> None:
    assert progress_text(Progress("queued", position=2)) == "Waiting: 2 ahead …"
    assert progress_text(Progress("loading", "downloading", 0.5, model="bshm")) == (
        "Downloading bshm …"
    )
    assert progress_text(Progress("running", "something new")) == "Working …"
    assert all(progress_text(step).endswith("…") for step in [None, *STEPS])


def test_batch_line_only_for_a_batch() -> None:
    assert batch_text(0, 1, "hair") == ""
    assert batch_text(1, 3, "hair") == "Layer 2 of 3: hair"


def test_tooltip_says_what_undo_does() -> None:
    texts = {
        undo_text(settings)
        for settings in (
            Settings(),
            Settings(existing="replace"),
            Settings(output="layer"),
            Settings(output="selection"),
        )
    }
    assert len(texts) == 4
    assert all("undo" in text or "Deselect" in text for text in texts)


def test_diagnostics_tell_all_but_the_users_folders() -> None:
    failure = Failure("It broke.", "bug", f'File "{Path.home()}/secret/x.py", line 1')
    state = State("failed", message="It broke.", failure=failure)
    text = diagnostics("5.2.9", "Qt 5", state, ServiceState("Service: ready"), STATUS)
    assert "Krita 5.2.9" in text
    assert "service 1.2, protocol 1" in text
    assert "reason: bug" in text
    assert str(Path.home()) not in text
    assert "/secret/x.py" in text
    assert diagnostics_module.without_user("nothing here") == "nothing here"


def test_vendored_packages_come_last_and_once(tmp_path: Path) -> None:
    path = ["/krita", "/other/plugin"]
    use_vendored(tmp_path / "missing", path)
    assert path == ["/krita", "/other/plugin"]
    use_vendored(tmp_path, path)
    use_vendored(tmp_path, path)
    assert path == ["/krita", "/other/plugin", str(tmp_path)]


def test_vendored_packages_join_a_google_package_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    google = ModuleType("google")
    google.__path__ = ["/other/google"]
    monkeypatch.setitem(sys.modules, "google", google)
    use_vendored(tmp_path, [])
    assert google.__path__ == ["/other/google", str(tmp_path / "google")]
