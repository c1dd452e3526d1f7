"""What an editor is to the installer: its profiles, and what a plugin for it consists of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Profile:
    """One user profile of one editor, into which a plugin can be installed.

    Attributes
    ----------
    editor
        Name of the editor: ``"gimp"``, ``"krita"``.
    label
        For people: ``"GIMP 3.0"``, ``"GIMP 3.0 (Snap)"``.
    folder
        The profile's folder.
    """

    editor: str
    label: str
    folder: Path


class Editor(Protocol):
    """An editor that has a plugin."""

    name: str
    title: str
    entries: Sequence[str]
    """Files and folders that the plugin puts into a profile, relative to it."""
    leftovers: Sequence[str]
    """Patterns of what using the plugin leaves in a profile: settings."""
    zip_root: str
    """Folder of a profile from which the zip to hand out is made; empty for the profile."""

    def profiles(self) -> list[Profile]:
        """Return the profiles that exist on this machine, for every way of packaging."""

    def write(self, target: Path) -> None:
        """Write `entries` below `target`, which is laid out like a profile."""

    def version(self, profile: Profile) -> str:
        """Return the version of the plugin in `profile`, empty where there is none."""

    def enable(self, profile: Profile, enabled: bool) -> None:
        """Switch the plugin on or off in the editor's settings, where that is needed."""
