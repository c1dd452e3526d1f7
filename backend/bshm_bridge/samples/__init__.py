"""A portrait to try things on."""

from __future__ import annotations

from pathlib import Path


def portrait() -> Path:
    """Return the path of a public-domain portrait (see README.md beside it)."""
    return Path(__file__).parent / "portrait.jpg"
