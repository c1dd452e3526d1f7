"""What the user chose in the docker, kept from one start of Krita to the next."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

Output = Literal["mask", "layer", "selection"]
Existing = Literal["intersect", "replace"]

GROUP = "bshm_remove_background"
EDGE_SHIFT = (-20.0, 20.0)
FEATHER = (0.0, 20.0)


@dataclass(frozen=True)
class Settings:
    """Choices in the docker.

    Parameters
    ----------
    output
        ``mask`` (a transparency mask), ``layer`` (a cut-out with clean colours) or
        ``selection``.
    existing
        What happens to a transparency mask that a layer has: ``intersect`` or ``replace``.
    clean_edges
        Whether a cut-out's edge colours are freed of the old background.
    use_selection
        Whether the selection, where there is one, says roughly where the subject is.
    edge_shift
        Layer pixels; above 0 grows the subject.
    feather
        Layer pixels; standard deviation of the edge's blur.
    model
        Name of a model, or ``auto``.
    """

    output: Output = "mask"
    existing: Existing = "intersect"
    clean_edges: bool = True
    use_selection: bool = True
    edge_shift: float = 0.0
    feather: float = 0.0
    model: str = "auto"


def load(read: Callable[[str, str, str], str]) -> Settings:
    """Return the settings that `read` (group, name, default) finds; nonsense is ignored."""
    known: dict[str, Any] = {}
    for field in fields(Settings):
        with contextlib.suppress(ValueError):
            known[field.name] = _parse(field.name, read(GROUP, field.name, ""))
    return Settings(**known)


def save(settings: Settings, write: Callable[[str, str, str], object]) -> None:
    """Hand each setting to `write` (group, name, value)."""
    for field in fields(Settings):
        value = getattr(settings, field.name)
        write(GROUP, field.name, str(value).lower() if isinstance(value, bool) else str(value))


def _parse(name: str, text: str) -> object:
    if not text:
        raise ValueError(name)
    if name == "output":
        return _one_of(text, get_args(Output))
    if name == "existing":
        return _one_of(text, get_args(Existing))
    if name in ("clean_edges", "use_selection"):
        return _one_of(text, ("true", "false")) == "true"
    if name == "edge_shift":
        return _within(text, EDGE_SHIFT)
    if name == "feather":
        return _within(text, FEATHER)
    return text


def _one_of(text: str, allowed: tuple[str, ...]) -> str:
    if text not in allowed:
        raise ValueError(text)
    return text


def _within(text: str, limits: tuple[float, float]) -> float:
    value = float(text)
    if not limits[0] <= value <= limits[1]:
        raise ValueError(text)
    return value
