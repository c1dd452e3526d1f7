"""Krita: its profiles and its plugin."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bshm_bridge.editors.base import Profile
from bshm_bridge.editors.vendor import (
    copy_package,
    plugin_sources,
    read_version,
    vendor,
    write_version,
)

PLUGIN = "bshm_remove_background"


class Krita:
    """Krita 5.2 and newer, however it was packaged; an AppImage uses the native folders.

    Parameters
    ----------
    folders
        For each packaging its word (empty for native), the folder of resources and the
        file of settings; by default those of this user.
    """

    name = "krita"
    title = "Krita"
    entries: Sequence[str] = (
        f"pykrita/{PLUGIN}",
        f"pykrita/{PLUGIN}.desktop",
        f"actions/{PLUGIN}.action",
    )
    leftovers: Sequence[str] = ()
    zip_root = ""

    def __init__(self, folders: Sequence[tuple[str, Path, Path]] | None = None) -> None:
        self._folders = user_folders() if folders is None else folders

    def profiles(self) -> list[Profile]:
        return [
            Profile("krita", f"Krita ({word})" if word else "Krita", resources)
            for word, resources, settings in self._folders
            if resources.is_dir() or settings.is_file()
        ]

    def write(self, target: Path) -> None:
        sources = plugin_sources("krita")
        package = target / "pykrita" / PLUGIN
        package.parent.mkdir(parents=True)
        copy_package(sources / PLUGIN, package)
        vendor(package / "vendor", package / "licences")
        write_version(package)
        shutil.copyfile(sources / f"{PLUGIN}.desktop", target / "pykrita" / f"{PLUGIN}.desktop")
        (target / "actions").mkdir()
        shutil.copyfile(sources / f"{PLUGIN}.action", target / "actions" / f"{PLUGIN}.action")

    def version(self, profile: Profile) -> str:
        return read_version(profile.folder / "pykrita" / PLUGIN)

    def enable(self, profile: Profile, enabled: bool) -> None:
        """Switch the plugin on or off in ``kritarc``, touching no other line.

        A profile folder that is none of the user's own has no settings that we know.
        """
        for _, resources, settings in self._folders:
            if resources == profile.folder:
                _write_enabled(settings, enabled)


def user_folders(
    environment: Mapping[str, str] | None = None,
    platform: str = sys.platform,
    home: Path | None = None,
) -> list[tuple[str, Path, Path]]:
    """Return where this user's Kritas keep resources and settings, whether they are there or not.

    Each entry is a word for the packaging, the folder of resources and the file of
    settings.
    """
    env = os.environ if environment is None else environment
    user = Path.home() if home is None else home
    if platform == "win32":
        roaming = Path(env.get("APPDATA") or user / "AppData" / "Roaming")
        local = Path(env.get("LOCALAPPDATA") or user / "AppData" / "Local")
        return [("", roaming / "krita", local / "kritarc")]
    if platform == "darwin":
        library = user / "Library"
        return [
            ("", library / "Application Support" / "Krita", library / "Preferences" / "kritarc")
        ]
    data = Path(env.get("XDG_DATA_HOME") or user / ".local" / "share")
    config = Path(env.get("XDG_CONFIG_HOME") or user / ".config")
    flatpak = user / ".var" / "app" / "org.kde.krita"
    snap = user / "snap" / "krita" / "current"
    return [
        ("", data / "krita", config / "kritarc"),
        ("Flatpak", flatpak / "data" / "krita", flatpak / "config" / "kritarc"),
        ("Snap", snap / ".local" / "share" / "krita", snap / ".config" / "kritarc"),
    ]


def _write_enabled(settings: Path, enabled: bool) -> None:
    lines = settings.read_text(encoding="utf-8").splitlines() if settings.is_file() else []
    key = f"enable_{PLUGIN}"
    fresh = [line for line in lines if not re.match(rf"\s*{key}\s*=", line)]
    if enabled:
        if "[python]" not in fresh:
            fresh += ["", "[python]"] if fresh else ["[python]"]
        fresh.insert(fresh.index("[python]") + 1, f"{key}=true")
    if fresh == lines:
        return
    settings.parent.mkdir(parents=True, exist_ok=True)
    beside = settings.with_name(f"{settings.name}.bshm")
    beside.write_text("\n".join(fresh) + "\n", encoding="utf-8")
    if settings.is_file():
        shutil.copymode(settings, beside)
    beside.replace(settings)
