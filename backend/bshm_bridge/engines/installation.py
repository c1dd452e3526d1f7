"""Making an environment for an engine: an interpreter, a pinned set of packages, a check.

Every step can be cut short and done again: the package tools keep what they have
downloaded, and the record that makes an engine count is written last.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bshm_bridge.engines import interpreters
from bshm_bridge.engines.check import check
from bshm_bridge.engines.environments import Environment, Environments
from bshm_bridge.engines.interpreters import Interpreter, Version
from bshm_bridge.engines.process import environment
from bshm_bridge.errors import MattingError, NotReady
from bshm_bridge.paths import private_directory
from bshm_worker.gpu import ask_driver

Say = Callable[[str], None]
Find = Callable[[Sequence[Version]], Interpreter | None]

_SETS = Path(__file__).parent / "requirements"

PYTHONS: dict[str, tuple[Version, ...]] = {
    "tf1": ((3, 7),),
    "tf2": ((3, 12), (3, 11), (3, 13), (3, 10)),
    "onnx": ((3, 12), (3, 11), (3, 13), (3, 10)),
}
"""Interpreters that the pinned sets have packages for, best first."""


_UNKNOWN_TO_CUDA_10 = (8, 0)
_OLD_CUDA = (
    "This card is newer than the CUDA 10.0 that TensorFlow 1.15.5 from PyPI was built for, and it "
    "will probably not work on it: use the engine tf2 or onnx, or “bshm engines add tf1” with an "
    "environment that holds a build for newer CUDA, such as 1.15.5+cu113."
)


@dataclass(frozen=True)
class Platform:
    """What decides which build of a runtime is installed."""

    system: str
    machine: str
    nvidia: bool
    capability: tuple[int, int] = (0, 0)
    """CUDA compute capability of the newest card."""

    @classmethod
    def here(cls) -> Platform:
        driver = ask_driver()
        newest = max(driver.capabilities, default=(0, 0))
        return cls(platform.system(), platform.machine().lower(), not driver.problem, newest)


def package_set(engine: str, device: str, here: Platform) -> str:
    """Return the name of the pinned set for a computer.

    Parameters
    ----------
    device
        "auto": with GPU support where there is a GPU; "gpu": with it; "cpu": without.

    Raises
    ------
    NotReady
        GPU support was asked for and there is no such build for this system.
    """
    if engine == "tf1":
        return "tf1"  # one build for both
    wants_gpu = device == "gpu" or (device == "auto" and here.nvidia)
    on_linux = here.system == "Linux" and here.machine in ("x86_64", "amd64")
    if engine == "onnx" and here.system == "Windows" and device != "cpu":
        return "onnx-directml"  # works with the cards of every maker
    if wants_gpu and on_linux:
        return f"{engine}-cuda"
    # ONNX Runtime for macOS has Apple's GPU in its one build.
    if device == "gpu" and not (engine == "onnx" and here.system == "Darwin"):
        raise NotReady(
            f"There is no build of the engine {engine} that uses the graphics card on this "
            "system; leave “--device” out.",
            "gpu-not-available",
        )
    return f"{engine}-cpu"


def card_notice(engine: str, here: Platform) -> str:
    """Return what to know about an engine on this computer's card; mostly nothing."""
    return _OLD_CUDA if engine == "tf1" and here.capability >= _UNKNOWN_TO_CUDA_10 else ""


class Installer:
    """Installs and adopts engines.

    Parameters
    ----------
    environments
        Where they are recorded.
    logs
        Folder for logs.
    say
        Called with a sentence at each step.
    find
        Finds an interpreter of one of some versions.
    here
        This computer; None asks it.
    uv
        The program that installs packages; None for venv and pip.
    terminal
        Leave the terminal to the package tools, which then show their progress bars.
    """

    def __init__(
        self,
        environments: Environments,
        logs: Path,
        say: Say,
        find: Find = interpreters.find,
        here: Platform | None = None,
        uv: Path | None = None,
        terminal: bool = False,
    ) -> None:
        self._environments = environments
        self._logs = logs
        self._say = say
        self._find = find
        self._here = here
        self._uv = uv
        self._terminal = terminal

    def install(self, engine: str, python: Path | None = None, device: str = "auto") -> Environment:
        """Make or complete an engine's environment.

        Raises
        ------
        NotReady
            No fitting Python, the packages could not be installed, or they do not work.
        """
        here = self._here or Platform.here()
        packages = package_set(engine, device, here)
        interpreter = self._interpreter(engine, python)
        folder = private_directory(self._environments.folder(engine)) / "env"
        target = python_in(folder)
        if interpreters.probe(target) is None:
            dotted = ".".join(map(str, interpreter.version))
            self._say(f"Making an environment with Python {dotted} ({interpreter.origin})")
            shutil.rmtree(folder, ignore_errors=True)
            self._run(_create(self._uv, interpreter.path, folder), engine)
        self._say(f"Installing the packages of “{packages}” (this may download gigabytes)")
        self._run(_install(self._uv, target, _SETS / f"{packages}.txt"), engine)
        self._say("Checking that the runtime works")
        made = check(engine, target, self._log(engine), packages=packages, managed=True)
        made = replace(made, notice=f"{made.notice} {card_notice(engine, here)}".strip())
        self._environments.record(made)
        return made

    def add(self, engine: str, python: Path) -> Environment:
        """Adopt an environment that exists, after a check in it."""
        if self._environments.folder(engine).joinpath("env").is_dir():
            raise NotReady(
                f"The engine {engine} has an environment already; run “bshm engines remove "
                f"{engine}” first.",
                "engine-exists",
            )
        # Not resolved: a virtual environment is known by the link through which it is started.
        python = python.absolute()
        if python.is_dir():
            python = python_in(python)
        if not python.is_file():
            raise NotReady("There is no Python at that path.", "python-missing")
        self._say("Checking that the runtime works")
        found = check(engine, python, self._log(engine))
        self._environments.record(found)
        return found

    def _interpreter(self, engine: str, python: Path | None) -> Interpreter:
        wanted = PYTHONS[engine]
        names = ", ".join(f"{major}.{minor}" for major, minor in sorted(wanted))
        if python is not None:
            given = interpreters.probe(python.absolute())
            if given is None:
                raise NotReady("There is no 64-bit Python at that path.", "python-missing")
            if given.version not in wanted:
                raise NotReady(
                    f"The engine {engine} needs Python {names}; that one is "
                    f"{given.version[0]}.{given.version[1]}.",
                    "python-version",
                )
            return given
        found = self._find(wanted)
        if found is None:
            newest = f"{wanted[0][0]}.{wanted[0][1]}"
            raise NotReady(
                f"The engine {engine} needs Python {names}, and there is none on PATH, under "
                f"pyenv, conda or uv. Get one with “uv python install {newest}”, “pyenv install "
                f"{newest}” or “conda create -n py{newest} python={newest}” and try again, or "
                "name one with “--python”.",
                "python-missing",
            )
        return found

    def _log(self, engine: str) -> Path:
        return self._logs / f"engine-{engine}.log"

    def _run(self, command: list[str], engine: str) -> None:
        """Run a package tool and turn its failure into ours."""
        env = environment(Path(command[0]))
        if self._terminal:
            if subprocess.run(command, stdout=sys.stderr, env=env).returncode:
                raise _failed(engine, "what is wrong stands above.")
            return
        tail: list[str] = []
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    if line.strip():
                        tail = [*tail[-20:], line.strip()]
                        self._say("  " + line.rstrip())
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            detail = next(
                (line for line in reversed(tail) if "error" in line.lower()), "".join(tail[-1:])
            )
            raise _failed(engine, detail[:300])


def python_in(prefix: Path) -> Path:
    """Return the interpreter of the environment at `prefix`."""
    if sys.platform == "win32":
        scripts = prefix / "Scripts" / "python.exe"
        return scripts if scripts.is_file() or not prefix.is_dir() else prefix / "python.exe"
    return prefix / "bin" / "python"


def _failed(engine: str, detail: str) -> MattingError:
    return MattingError(
        f"The packages of the engine {engine} could not be installed: {detail} Mend that and run "
        "the command again; it goes on where it stopped.",
        "install-failed",
    )


def _create(uv: Path | None, python: Path, folder: Path) -> list[str]:
    if uv is not None:
        return [str(uv), "venv", "--no-project", "--python", str(python), str(folder)]
    return [str(python), "-E", "-s", "-m", "venv", str(folder)]


def _install(uv: Path | None, python: Path, requirements: Path) -> list[str]:
    if uv is not None:
        command = [str(uv), "pip", "install", "--python", str(python), "-r", str(requirements)]
        return command
    pip = [str(python), "-E", "-s", "-m", "pip", "--disable-pip-version-check"]
    return [*pip, "install", "-r", str(requirements)]
