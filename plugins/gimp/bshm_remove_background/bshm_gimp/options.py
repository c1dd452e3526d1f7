"""What the user can choose, and how it is remembered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from bridge_client.types import Depth, MatteOptions

OUTPUTS = ("mask", "layer", "selection", "background")
EXISTING_MASK = ("intersect", "replace")
LARGEST_SHIFT = 50.0  # layer pixels
LARGEST_FEATHER = 50.0  # layer pixels


@dataclass(frozen=True)
class Options:
    """Choices of one run.

    Attributes
    ----------
    model
        Name of a model, or ``"auto"``.
    output
        ``"mask"``; ``"layer"``, a new cut-out layer; ``"selection"``; ``"background"``, a
        mask and a new layer below.
    existing_mask
        ``"intersect"`` keeps hidden what a mask hides already; ``"replace"`` forgets it.
    clean_edges
        Whether a cut-out layer's edge is freed from the old background's colour.
    edge_shift, feather
        Layer pixels; see `bridge_client.MatteOptions`.
    use_selection
        Whether a selection tells roughly where the subject is.
    """

    model: str = "auto"
    output: str = "mask"
    existing_mask: str = "intersect"
    clean_edges: bool = True
    edge_shift: float = 0.0
    feather: float = 0.0
    use_selection: bool = True

    def for_service(self, layer_depth: Depth) -> MatteOptions:
        """Return the service's part of these options."""
        return MatteOptions(
            model=self.model or "auto",
            depth="u8" if layer_depth == "u8" else "u16",
            foreground=self.output == "layer" and self.clean_edges,
            edge_shift=self.edge_shift,
            feather=self.feather,
        )


@dataclass(frozen=True)
class Settings:
    """What is kept between runs.

    Attributes
    ----------
    options
        Of the one-click entry.
    told
        What the user was told last of the model and device in use.
    """

    options: Options = Options()
    told: str = ""


def load_settings(path: Path) -> Settings:
    """Return the settings saved in `path`; whatever is missing or odd there is default."""
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Settings()
    if not isinstance(saved, dict):
        return Settings()
    options, told = saved.get("options"), saved.get("told")
    return Settings(
        options=_checked(options) if isinstance(options, dict) else Options(),
        told=told if isinstance(told, str) else "",
    )


def save_settings(path: Path, settings: Settings) -> None:
    """Remember `settings`; where that fails, the old ones stay."""
    fresh = path.with_suffix(".new")
    try:
        fresh.write_text(json.dumps(asdict(settings), indent=1), encoding="utf-8")
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)


def _checked(saved: Mapping[str, Any]) -> Options:
    default = Options()
    known: dict[str, Any] = {}
    for field in fields(Options):
        value = saved.get(field.name)
        kind = type(getattr(default, field.name))
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is kind:
            known[field.name] = value
    options = replace(default, **known)
    if options.output not in OUTPUTS or options.existing_mask not in EXISTING_MASK:
        return default
    if abs(options.edge_shift) > LARGEST_SHIFT or not 0 <= options.feather <= LARGEST_FEATHER:
        return default
    return options
