from __future__ import annotations

from typing import Any

import pytest

from bridge_client import CannotMatte, Matte, ModelInfo, Notice, Pixels, Progress, ServiceStatus
from bshm_gimp.wording import (
    CannotRun,
    done_text,
    error_text,
    model_texts,
    progress_text,
    status_text,
    version_text,
)


def status(**changes: object) -> ServiceStatus:
    model: dict[str, Any] = {"title": "BSHM portrait matting", "state": "ready"}
    known: dict[str, object] = {
        "version": "1.0",
        "protocol": 1,
        "pid": 1,
        "uptime": 1.0,
        "draining": False,
        "models": (
            ModelInfo("bshm", installed=False, engine="tf2", device="", **model),
            ModelInfo("classic", installed=True, engine="classic", device="CPU", **model),
            ModelInfo("trimap", installed=True, engine="x", device="", needs_trimap=True, **model),
        ),
        "jobs": (),
        "memory": 0,
        "exchange": True,
        "max_pixels": 1,
        "done": 0,
        "failed": 0,
        "cancelled": 0,
        "timings": {},
        "default_model": "classic",
        "default_reason": "BSHM is not installed.",
    }
    return ServiceStatus(**{**known, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Progress("starting"), "Starting the matting service…"),
        (Progress("sending", fraction=0.5), "Sending the layer…"),
        (Progress("queued", position=0), "Next in the queue…"),
        (Progress("queued", position=1), "Waiting: 1 job ahead…"),
        (Progress("queued", position=3), "Waiting: 3 jobs ahead…"),
        (
            Progress("loading", detail="downloading", fraction=0.434, model="BSHM"),
            "Downloading BSHM: 43 %",
        ),
        (Progress("loading", detail="downloading", model="BSHM"), "Downloading BSHM…"),
        (Progress("loading", detail="starting", model="BSHM"), "Loading BSHM…"),
        (Progress("loading", detail="warming-up", model="BSHM"), "Warming up BSHM…"),
        (Progress("running", detail="inference"), "Finding the subject…"),
        (Progress("running", detail="refining"), "Refining the edges…"),
        (Progress("receiving"), "Receiving the matte…"),
    ],
)
def test_every_stage_has_its_text(step: Progress, text: str) -> None:
    assert progress_text(step, 1, 1) == text
    assert progress_text(step, 2, 3) == f"Layer 2 of 3: {text}"


def test_result_names_model_and_device_and_why_not_a_better_one() -> None:
    alpha = Pixels(b"\0", 1, 1, "GRAY")
    plain = Matte(alpha, None, "bshm", "tf2", "NVIDIA RTX 4070")
    assert done_text(plain) == "bshm · NVIDIA RTX 4070"
    reason = Notice("fallback", "BSHM is not installed.")
    other = Notice("matte-empty", "Nothing was found.")
    fallen = Matte(alpha, None, "classic", "classic", "CPU", notices=(reason, other))
    assert done_text(fallen) == "classic · CPU: BSHM is not installed."


def test_status_names_the_device_the_reason_and_a_version_that_differs() -> None:
    assert status_text(status(), "1.0", trimap=False) == "classic · CPU: BSHM is not installed."
    assert "1.0, this plug-in 2.0" in status_text(status(), "2.0", trimap=False)
    assert version_text("1.0", "1.0") == ""


def test_status_tells_that_a_trimap_counts() -> None:
    first, second = status_text(status(), "1.0", trimap=True).splitlines()
    assert first == "classic · CPU: BSHM is not installed."
    assert second == "The layer “trimap” says where the subject is."


def test_models_are_offered_with_what_they_run_on() -> None:
    assert model_texts(status()) == {
        "auto": "Best installed (classic)",
        "bshm": "BSHM portrait matting (not installed)",
        "classic": "BSHM portrait matting · CPU",
        "trimap": "BSHM portrait matting",
    }


def test_sentences_of_the_service_reach_the_user_and_bugs_get_one_of_their_own() -> None:
    assert error_text(CannotMatte("No person: select one.")) == "No person: select one."
    assert error_text(CannotRun("Select a layer.")) == "Select a layer."
    assert (
        error_text(KeyError("x")) == "Remove Background failed (KeyError). The image is unchanged."
    )
