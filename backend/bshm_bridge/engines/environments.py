"""Which interpreter each engine runs in, as recorded below the state directory."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from bshm_bridge.errors import NotReady
from bshm_bridge.paths import private_directory

_RECORD = "environment.json"


@dataclass(frozen=True)
class Environment:
    """An interpreter that passed the check of its engine.

    Attributes
    ----------
    managed
        Made by this program and removed with its record; else it belongs to the user.
    packages
        Name of the pinned set that was installed; empty where it is not managed.
    runtime, python_version, device, notice
        What the check found: "TensorFlow 1.15.5", "3.7.16", "NVIDIA RTX 4070" or "CPU", and
        why it is not the GPU.
    libraries
        `LD_LIBRARY_PATH` of the check. A service that an editor starts has none of its own, and
        the runtime would not find there what it found in the user's terminal.
    """

    engine: str
    python: Path
    managed: bool
    packages: str
    runtime: str
    python_version: str
    device: str
    notice: str
    libraries: str = ""


class Environments:
    """Records of engines' interpreters.

    Parameters
    ----------
    root
        Folder with one folder for each engine.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def folder(self, engine: str) -> Path:
        """Return where an engine's environment and record are, whether they exist or not."""
        return self._root / engine

    def get(self, engine: str) -> Environment:
        """Return an engine's environment.

        Raises
        ------
        NotReady
            It is not installed, or its interpreter has gone.
        """
        how = f"run “bshm engines install {engine}”"
        try:
            text = (self.folder(engine) / _RECORD).read_text(encoding="utf-8")
            values = json.loads(text)
            environment = Environment(**{**values, "python": Path(values["python"])})
        except FileNotFoundError:
            raise NotReady(
                f"The engine {engine} is not installed; {how}.", "engine-not-installed"
            ) from None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise NotReady(
                f"The record of the engine {engine} is damaged; {how} again.",
                "engine-not-installed",
            ) from error
        if not environment.python.is_file():
            raise NotReady(
                f"The Python of the engine {engine} is not there any more; {how} again.",
                "engine-not-installed",
            )
        return environment

    def record(self, environment: Environment) -> None:
        """Write an environment down, in place of what was there."""
        folder = private_directory(self.folder(environment.engine))
        values = {**asdict(environment), "python": str(environment.python)}
        temporary = folder / (_RECORD + ".new")
        temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        temporary.replace(folder / _RECORD)

    def remove(self, engine: str) -> bool:
        """Forget an engine and delete what was installed for it; true where there was any."""
        folder = self.folder(engine)
        if not folder.is_dir():
            return False
        # The record goes first, so that a deletion cut short leaves no engine that looks whole.
        (folder / _RECORD).unlink(missing_ok=True)
        shutil.rmtree(folder)
        return True
