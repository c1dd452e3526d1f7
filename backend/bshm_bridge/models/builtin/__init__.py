"""Manifests that come with bshm-bridge, without the files that they describe."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bshm_bridge.models.manifest import Manifest, load


@cache
def manifests() -> tuple[Manifest, ...]:
    """Return them in alphabetical order of their names."""
    return tuple(load(path) for path in sorted(Path(__file__).parent.glob("*.toml")))
