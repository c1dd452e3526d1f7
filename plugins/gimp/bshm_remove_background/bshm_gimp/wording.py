"""What the user reads."""

from __future__ import annotations

from bridge_client.errors import BridgeError
from bridge_client.types import Matte, Progress, ServiceStatus
from bshm_gimp.i18n import _, ngettext
from bshm_gimp.sentences import translated


class CannotRun(Exception):
    """The plug-in cannot work on what was chosen; the text says why and what to do."""


def progress_text(step: Progress, layer: int, layers: int) -> str:
    """Return one line for GIMP's progress bar; `layer` counts from 1."""
    text = _stage_text(step)
    if layers == 1:
        return text
    return _("Layer {layer} of {layers}: {text}").format(layer=layer, layers=layers, text=text)


def _stage_text(step: Progress) -> str:
    if step.stage == "starting":
        return _("Starting the matting service…")
    if step.stage == "sending":
        return _("Sending the layer…")
    if step.stage == "receiving":
        return _("Receiving the matte…")
    if step.stage == "queued":
        if step.position == 0:
            return _("Next in the queue…")
        return ngettext(
            "Waiting: {jobs} job ahead…", "Waiting: {jobs} jobs ahead…", step.position
        ).format(jobs=step.position)
    if step.stage == "loading":
        return _loading_text(step)
    if step.detail == "refining":
        return _("Refining the edges…")
    return _("Finding the subject…")


def _loading_text(step: Progress) -> str:
    model = step.model
    if step.detail == "downloading":
        if step.fraction is None:
            return _("Downloading {model}…").format(model=model)
        percent = round(100 * step.fraction)
        return _("Downloading {model}: {percent} %").format(model=model, percent=percent)
    if step.detail == "warming-up":
        return _("Warming up {model}…").format(model=model)
    return _("Loading {model}…").format(model=model)


def done_text(matte: Matte) -> str:
    """Return what did the work, and why it was not something better, where it was not."""
    text = f"{matte.model} · {matte.device}"
    reasons = [n for n in matte.notices if n.reason in ("fallback", "device")]
    if not reasons:
        return text
    return f"{text}: " + " ".join(translated(n.message, n.reason) for n in reasons)


def status_text(status: ServiceStatus, version: str, trimap: bool) -> str:
    """Return what the automatic choice is now, and what else the user should know of a run.

    Parameters
    ----------
    version
        The plugin's; another one than the service's is told.
    trimap
        Whether a trimap will be followed.
    """
    model = next((m for m in status.models if m.name == status.default_model), None)
    device = model.device if model is not None and model.device else ""
    text = " · ".join(filter(None, (status.default_model, device)))
    if status.default_reason:
        text += f": {translated(status.default_reason, 'fallback')}"
    followed = _("The layer “trimap” says where the subject is.") if trimap else ""
    difference = version_text(status.version, version)
    return "\n".join(filter(None, (text, followed, difference)))


def version_text(service: str, plugin: str) -> str:
    """Return a sentence where plugin and service are not of one version, else nothing."""
    if service == plugin:
        return ""
    return _(
        "The service is version {service}, this plug-in {plugin}: run `bshm plugins install` "
        "and `bshm stop` in a terminal."
    ).format(service=service, plugin=plugin)


def model_texts(status: ServiceStatus) -> dict[str, str]:
    """Return the models to choose from, by name, with their devices."""
    texts = {"auto": _("Best installed ({model})").format(model=status.default_model)}
    for model in status.models:
        text = " · ".join(filter(None, (model.title or model.name, model.device)))
        if not model.installed:
            text = _("{model} (not installed)").format(model=text)
        texts[model.name] = text
    return texts


def error_text(error: BaseException) -> str:
    """Return a sentence that says what went wrong and what to do next."""
    if isinstance(error, BridgeError):
        return translated(str(error), error.reason)
    if isinstance(error, CannotRun):
        return str(error)
    return _("Remove Background failed ({kind}). The image is unchanged.").format(
        kind=type(error).__name__
    )
