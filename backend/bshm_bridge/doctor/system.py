"""The computer itself: Python, memory, disk, the state directory."""

from __future__ import annotations

import platform
import shutil
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from bshm_bridge import __version__
from bshm_bridge.config import load_settings
from bshm_bridge.doctor.finding import Finding
from bshm_bridge.errors import InvalidInput
from bshm_bridge.paths import Paths

_AREA = "system"
_LOW_MEMORY = 2e9
_LOW_DISK = 4e9  # an engine with GPU support takes about that


def examine_system(
    paths: Paths, free_memory: int | None = None, free_disk: int | None = None
) -> Iterator[Finding]:
    """Look at the computer; the amounts, in bytes, are measured where they are None."""
    bits = 8 * struct.calcsize("P")
    yield Finding(
        _AREA,
        "ok" if bits == 64 else "problem",
        f"bshm-bridge {__version__} on Python {platform.python_version()} ({bits}-bit), "
        f"{platform.system()} {platform.release()}, {platform.machine()}.",
        "" if bits == 64 else "Install bshm-bridge with a 64-bit Python.",
    )
    memory = psutil.virtual_memory().available if free_memory is None else free_memory
    yield Finding(
        _AREA,
        "note" if memory < _LOW_MEMORY else "ok",
        f"{memory / 1e9:.1f} GB of memory are free.",
        "Close other programs: large layers and TensorFlow need 2 GB and more."
        if memory < _LOW_MEMORY
        else "",
    )
    yield from _state_directory(paths, free_disk)


def _state_directory(paths: Paths, free_disk: int | None) -> Iterator[Finding]:
    existing = paths.home
    while not existing.exists():
        existing = existing.parent
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        yield Finding(
            _AREA,
            "problem",
            f"The state directory {paths.home} cannot be written ({error.strerror}).",
            "Give yourself the right to write there, or set BSHM_HOME to another folder.",
        )
        return
    free = shutil.disk_usage(existing).free if free_disk is None else free_disk
    yield Finding(
        _AREA,
        "note" if free < _LOW_DISK else "ok",
        f"State is kept in {paths.home}; {free / 1e9:.1f} GB are free there.",
        "Free some space before you install engines or models, or set BSHM_HOME to a larger disk."
        if free < _LOW_DISK
        else "",
    )
    try:
        load_settings(paths.config)
    except InvalidInput as error:
        yield Finding(_AREA, "problem", str(error), "Correct or delete that file.")
    if sys.platform.startswith("linux") and Path("/.flatpak-info").exists():
        yield Finding(
            _AREA,
            "note",
            "This runs inside a Flatpak sandbox.",
            "Install bshm-bridge outside of it; the editor in the sandbox finds it there.",
        )
