"""Starts the service from within an editor or from the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bridge_client.errors import ServiceMissing

# Set by editors for their own bundled Python, Qt and libraries; poison for another program.
_EDITOR_VARIABLES = (
    "PYTHONPATH",
    "PYTHONHOME",
    "__PYVENV_LAUNCHER__",
    "PYTHONNOUSERSITE",
    "PYTHONDONTWRITEBYTECODE",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "DYLD_INSERT_LIBRARIES",
    "DYLD_FRAMEWORK_PATH",
    "GI_TYPELIB_PATH",
    "GIO_MODULE_DIR",
    "QT_PLUGIN_PATH",
    "QML2_IMPORT_PATH",
)


def launch_file(home: Path) -> Path:
    """Return the file in which an installed service says how it is started."""
    return home / "launch.json"


def write_launch_file(home: Path) -> None:
    """Record how the service of the running interpreter is started."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = launch_file(home)
    content = json.dumps({"command": [sys.executable, "-m", "bshm_bridge", "serve"]})
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(content, encoding="utf-8")
    fresh.replace(path)


def find_command(home: Path) -> list[str]:
    """Return the command that starts the service.

    Raises
    ------
    ServiceMissing
        Where bshm-bridge is not installed, or this process may not start programs.
    """
    if Path("/.flatpak-info").exists():
        raise ServiceMissing(
            "The bshm service is not running, and an editor inside Flatpak cannot start it: "
            "run `bshm serve` in a terminal and try again.",
            "cannot-start",
        )
    try:
        command = json.loads(launch_file(home).read_text(encoding="utf-8"))["command"]
        if (
            isinstance(command, list)
            and command
            and all(isinstance(part, str) for part in command)
            and Path(command[0]).exists()
        ):
            return command
    except (OSError, ValueError, KeyError, TypeError):
        pass
    name = "bshm.exe" if os.name == "nt" else "bshm"
    for candidate in (shutil.which(name), Path.home() / ".local" / "bin" / name):
        if candidate and Path(candidate).exists():
            return [str(candidate), "serve"]
    raise ServiceMissing(
        "The bshm service is not installed for this user: install it with "
        "`pip install bshm-bridge`, run `bshm serve` once, and try again.",
        "not-installed",
    )


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` without what an editor set for its own bundled libraries."""
    clean = {key: value for key, value in environment.items() if key not in _EDITOR_VARIABLES}
    bundle = clean.pop("APPDIR", None)
    if bundle and "PATH" in clean:
        parts = clean["PATH"].split(os.pathsep)
        clean["PATH"] = os.pathsep.join(part for part in parts if not part.startswith(bundle))
    return clean


def start_service(home: Path) -> subprocess.Popen[bytes]:
    """Start the service as a process of its own, which outlives the caller.

    Returns
    -------
    subprocess.Popen
        To see whether it ended early; it is not waited for.

    Raises
    ------
    ServiceMissing
        Where it is not installed or the system refuses to start it.
    """
    command = find_command(home)
    environment = clean_environment(os.environ)
    environment["BSHM_HOME"] = str(home)
    try:
        # Python looks for modules in the folder that it is started in: not the user's photos.
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
            return subprocess.Popen(
                command,
                cwd=home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                creationflags=flags,
            )
        return subprocess.Popen(
            command,
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise ServiceMissing(
            "The bshm service could not be started "
            f"({error.strerror or 'the system refused'}): run `bshm doctor` in a terminal.",
            "cannot-start",
        ) from error
