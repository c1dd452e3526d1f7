"""Folders and files below the state directory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bridge_client.home import home as client_home


def home() -> Path:
    """Return the state directory: `BSHM_HOME`, else the platform's user data directory."""
    return client_home()


@dataclass(frozen=True)
class Paths:
    """Where what is kept below the state directory `home`."""

    home: Path

    @property
    def run(self) -> Path:
        """Connection file, lock and socket of the running service; private to its owner."""
        return self.home / "run"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def engines(self) -> Path:
        return self.home / "engines"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def config(self) -> Path:
        return self.home / "config.toml"


def private_directory(path: Path) -> Path:
    """Make `path`, readable by its owner alone, and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix":
        path.chmod(0o700)
    return path
