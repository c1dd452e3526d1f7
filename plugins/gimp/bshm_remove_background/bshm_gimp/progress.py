"""How much of a layer is done."""

from __future__ import annotations

from bridge_client.types import Progress

_SENDING = (0.0, 0.05)
_RECEIVING = (0.95, 1.0)
# Parts of the progress bar while the service runs, by its own words.
_RUNNING = {
    "receiving": (0.05, 0.1),
    "decoding": (0.1, 0.15),
    "inference": (0.15, 0.7),
    "refining": (0.7, 0.95),
    "sending": (0.95, 0.95),
}
_UNKNOWN = (0.15, 0.15)


def done_part(step: Progress) -> float | None:
    """Return the part of one layer's work that is done, 0 to 1; None where nobody knows.

    It never falls from one step of a request to the next, but for a download, which
    fills the bar on its own.
    """
    if step.stage == "loading":
        return step.fraction if step.detail == "downloading" else None
    if step.stage in ("starting", "queued"):
        return None
    parts = {"sending": _SENDING, "receiving": _RECEIVING}
    first, last = parts.get(step.stage) or _RUNNING.get(step.detail, _UNKNOWN)
    return first + (last - first) * (step.fraction or 0.0)
