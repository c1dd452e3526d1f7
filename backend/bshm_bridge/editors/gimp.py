"""GIMP 3: its profiles and its plug-in."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from bshm_bridge.editors.base import Profile
from bshm_bridge.editors.vendor import (
    copy_package,
    plugin_sources,
    read_version,
    vendor,
    write_version,
)

PLUGIN = "bshm_remove_background"
_VERSION = re.compile(r"3\.\d*[02468]")  # odd minors are development versions


class Gimp:
    """GIMP 3.0 and newer, however it was packaged.

    Parameters
    ----------
    folders
        Folders that may hold profiles, with a word for how GIMP was packaged; by default
        those of this user.
    """

    name = "gimp"
    title = "GIMP"
    entries: Sequence[str] = (f"plug-ins/{PLUGIN}",)
    leftovers: Sequence[str] = (
        "bshm-remove-background.json",
        "plug-in-settings/plug-in-bshm-remove-background*",
    )
    zip_root = "plug-ins"

    def __init__(self, folders: list[tuple[Path, str]] | None = None) -> None:
        self._folders = folders

    def profiles(self) -> list[Profile]:
        found: dict[Path, Profile] = {}
        folders = _user_folders() if self._folders is None else self._folders
        for folder, packaging in folders:
            for profile in sorted(folder.glob("3.*")):
                if not (_VERSION.fullmatch(profile.name) and profile.is_dir()):
                    continue
                label = f"GIMP {profile.name}" + (f" ({packaging})" if packaging else "")
                found.setdefault(profile.resolve(), Profile("gimp", label, profile))
        named = os.environ.get("GIMP3_DIRECTORY")
        if named and self._folders is None:
            folder = Path.home() / named
            found.setdefault(folder.resolve(), Profile("gimp", "GIMP (GIMP3_DIRECTORY)", folder))
        return list(found.values())

    def write(self, target: Path) -> None:
        plugin = target / "plug-ins" / PLUGIN
        copy_package(plugin_sources("gimp") / PLUGIN, plugin)
        (plugin / f"{PLUGIN}.py").chmod(0o755)
        vendor(plugin / "vendor", plugin / "licences")
        write_version(plugin)

    def version(self, profile: Profile) -> str:
        return read_version(profile.folder / "plug-ins" / PLUGIN)

    def enable(self, profile: Profile, enabled: bool) -> None:
        """Do nothing: GIMP loads what is in its folder."""


def _user_folders() -> list[tuple[Path, str]]:
    # Also Flatpak's, whose GIMP shares the folder of a native one.
    folders = [(platformdirs.user_config_path(roaming=True) / "GIMP", "")]
    if sys.platform.startswith("linux"):
        home = Path.home()
        folders.append((home / ".var/app/org.gimp.GIMP/config/GIMP", "Flatpak"))
        folders.append((home / "snap/gimp/current/.config/GIMP", "Snap"))
        folders.append((home / "snap/gimp/common/.config/GIMP", "Snap"))
    return folders
