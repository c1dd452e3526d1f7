"""Puts plugins into editors' profiles and takes them out again."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path

from bshm_bridge.editors.base import Editor, Profile
from bshm_bridge.editors.gimp import Gimp
from bshm_bridge.editors.krita import Krita
from bshm_bridge.errors import NotReady

_TIME = (1980, 1, 1, 0, 0, 0)  # zips of the same content are the same
_PREFIX = ".bshm-install-"


def editors() -> dict[str, Editor]:
    """Return every editor that has a plugin, by name."""
    known: list[Editor] = [Gimp(), Krita()]
    return {editor.name: editor for editor in known}


def install(editor: Editor, profile: Profile) -> None:
    """Copy the plugin into a profile; an older one is replaced whole.

    Raises
    ------
    NotReady
        This installation lacks something, or the profile cannot be written; an older
        plugin is then still there.
    """
    try:
        _sweep(profile)
        # Beside its destination, so that only renames are left to do at the end.
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=profile.folder) as temporary:
            built, old = Path(temporary, "new"), Path(temporary, "old")
            editor.write(built)
            for entry in editor.entries:
                _swap(profile.folder / entry, built / entry, old / entry)
        editor.enable(profile, True)
    except OSError as error:
        raise _unwritable(profile, "installed", error) from error


def uninstall(editor: Editor, profile: Profile) -> bool:
    """Remove the plugin from a profile; return whether there was one.

    Raises
    ------
    NotReady
        The profile cannot be written.
    """
    try:
        _sweep(profile)
        found = [entry for entry in editor.entries if _remove(profile.folder / entry)]
        for pattern in editor.leftovers:
            for path in profile.folder.glob(pattern):
                _remove(path)
        if found:
            editor.enable(profile, False)
    except OSError as error:
        raise _unwritable(profile, "uninstalled", error) from error
    return bool(found)


def build(editor: Editor, folder: Path, version: str) -> Path:
    """Write the plugin as a zip file to hand out, and return its path.

    Raises
    ------
    NotReady
        This installation lacks something, or `folder` cannot be written.
    """
    path = folder / f"bshm-remove-background-{editor.name}-{version}.zip"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            target = Path(temporary)
            editor.write(target)
            root = target / editor.zip_root
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in sorted(root.rglob("*")):
                    _add(archive, file, file.relative_to(root).as_posix())
    except OSError as error:
        reason = error.strerror or "the system refused"
        raise NotReady(f"The zip file could not be written ({reason}).", "cannot-write") from error
    return path


def _add(archive: zipfile.ZipFile, file: Path, name: str) -> None:
    # Krita's importer wants entries for folders; run bits make GIMP's unzip-and-go work.
    directory = file.is_dir()
    entry = zipfile.ZipInfo(f"{name}/" if directory else name, _TIME)
    entry.external_attr = (file.stat().st_mode & 0xFFFF) << 16 | (0x10 if directory else 0)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, b"" if directory else file.read_bytes())


def _swap(place: Path, fresh: Path, old: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    old.parent.mkdir(parents=True, exist_ok=True)
    replaced = place.exists() or place.is_symlink()
    if replaced:
        place.rename(old)
    try:
        fresh.rename(place)
    except OSError:
        if replaced:
            old.rename(place)
        raise


def _remove(path: Path) -> bool:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        return False
    return True


def _sweep(profile: Profile) -> None:
    """Remove what an interrupted installation left."""
    for leftover in profile.folder.glob(f"{_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _unwritable(profile: Profile, done: str, error: OSError) -> NotReady:
    reason = error.strerror or "the system refused"
    return NotReady(
        f"The plugin could not be {done} in {profile.label} ({reason}): "
        "close the editor, check the folder's permissions and try again.",
        "cannot-write",
    )
