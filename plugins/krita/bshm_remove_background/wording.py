"""What the docker says: progress, the service's state, what undo does."""

from __future__ import annotations

from typing import Any

from .i18n import tr
from .settings import Settings

_RUNNING = {
    "receiving": "Sending the layer …",
    "decoding": "Preparing the layer …",
    "inference": "Finding the subject …",
    "refining": "Refining the edges …",
    "sending": "Getting the result …",
}
_LOADING = {
    "downloading": "Downloading {model} …",
    "starting": "Loading {model} …",
    "warming-up": "Warming up {model} …",
}


# Where each stage begins and ends on the bar, by experience with a portrait of 12 megapixels.
_SPANS = {
    ("starting", ""): (0.0, 0.05),
    ("sending", ""): (0.05, 0.1),
    ("queued", ""): (0.1, 0.1),
    ("running", "receiving"): (0.1, 0.1),
    ("running", "decoding"): (0.1, 0.15),
    ("loading", ""): (0.15, 0.3),
    ("running", "inference"): (0.3, 0.75),
    ("running", "refining"): (0.75, 0.95),
    ("running", "sending"): (0.95, 1.0),
    ("receiving", ""): (0.95, 1.0),
}


def progress_text(step: Any) -> str:
    """Return one line for a `Progress`; None is before the first."""
    if step is None:
        return tr("Reading the layer …")
    if step.stage == "starting":
        return tr("Starting the service …")
    if step.stage == "queued":
        if step.position:
            return tr("Waiting: {count} ahead …", count=step.position)
        return tr("Waiting …")
    if step.stage == "loading":
        return tr(
            _LOADING.get(step.detail, "Loading {model} …"), model=step.model or tr("the model")
        )
    if step.stage == "running":
        return tr(_RUNNING[step.detail]) if step.detail in _RUNNING else tr("Working …")
    if step.stage == "receiving":
        return tr("Getting the result …")
    return tr("Sending the layer …")


def overall_fraction(step: Any) -> float:
    """Return how far a request is as a whole, 0 to 1; it never falls as long as all goes well.

    The bar stands still where nothing is known: a bar that wanders makes Krita draw its
    whole window again for each step, which costs an old computer more than the waiting.
    """
    if step is None:
        return 0.0
    key = (step.stage, step.detail) if (step.stage, step.detail) in _SPANS else (step.stage, "")
    begin, end = _SPANS.get(key, (0.0, 0.0))
    return begin + (end - begin) * min(max(step.fraction or 0.0, 0.0), 1.0)


def batch_text(index: int, total: int, layer: str) -> str:
    """Return which layer of a batch is in work; empty for a single one."""
    if total < 2:
        return ""
    return tr("Layer {number} of {total}: {layer}", number=index + 1, total=total, layer=layer)


def undo_text(settings: Settings) -> str:
    """Return what the button will do and what undo does afterwards."""
    if settings.output == "layer":
        return tr(
            "Puts a cut-out above each layer. One undo removes it; the layer itself is not changed."
        )
    if settings.output == "selection":
        return tr(
            "Selects the subject. Krita does not record this in its history: "
            "use Select › Deselect to drop the selection."
        )
    if settings.existing == "replace":
        return tr(
            "Gives each layer a transparency mask instead of those it has. One undo per layer "
            "brings the old ones back; the layer's pixels are not changed."
        )
    return tr(
        "Gives each layer a transparency mask. One undo per layer removes it; "
        "the layer's pixels are not changed."
    )
