"""What the docker says of the service, from its status or from why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .i18n import tr
from .worker import Failure

POLL = 2.0  # seconds between looks while the docker is visible
_ME = "krita"
_NAMES = {"gimp": "GIMP", "cli": "bshm"}
_OFF = {"not-running", "service-missing", "not-installed", "cannot-start"}


@dataclass(frozen=True)
class ServiceState:
    """The service as the docker shows it.

    Attributes
    ----------
    line
        One line on what it is doing.
    model
        Model and device, for instance "bshm · NVIDIA RTX 4070"; empty where unknown.
    models
        Names of the models that can be chosen.
    loaded
        Whether a model holds memory that can be given back.
    """

    line: str
    model: str = ""
    models: tuple[str, ...] = ()
    loaded: bool = False


def state_of_failure(failure: Failure) -> ServiceState:
    """Return the state where the status could not be had."""
    if failure.reason in _OFF:
        return ServiceState(tr("Service: off (it starts when needed)"))
    return ServiceState(tr("Service: {problem}", problem=failure.sentence))


def state_of_start() -> ServiceState:
    """Return the state while the service is being started."""
    return ServiceState(tr("Service: starting"))


def state_of_status(status: Any, wanted: str) -> ServiceState:
    """Return the state of a service that answered.

    Parameters
    ----------
    status
        The client's `ServiceStatus`.
    wanted
        Name of the model in the settings, or "auto".
    """
    name = status.default_model if wanted == "auto" else wanted
    model = next((model for model in status.models if model.name == name), None)
    return ServiceState(
        line=_line(status),
        model=_model_line(model),
        models=tuple(model.name for model in status.models if model.installed),
        loaded=any(model.state in ("ready", "busy", "starting") for model in status.models),
    )


def _line(status: Any) -> str:
    if status.draining:
        return tr("Service: ending")
    others = [job.client for job in status.jobs if job.client != _ME and job.stage != "queued"]
    if others:
        return tr("Service: busy with {editor}", editor=_NAMES.get(others[0], others[0]))
    loading = _named(status.models, "starting")
    if loading or any(job.stage == "loading" for job in status.jobs):
        return tr("Service: loading {model}", model=loading or tr("the model"))
    if status.jobs:
        return tr("Service: working")
    if _named(status.models, "ready"):
        return tr("Service: ready")
    return tr("Service: on, no model loaded")


def _named(models: Sequence[Any], state: str) -> str:
    return next((model.name for model in models if model.state == state), "")


def _model_line(model: Any) -> str:
    if model is None:
        return ""
    if model.state == "failed" and model.message:
        return f"{model.name}: {model.message}"
    return " · ".join(filter(None, [model.name, model.device]))
