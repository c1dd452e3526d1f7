"""Finding Python interpreters of given versions on this computer."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

Version = tuple[int, int]

_PROBE = (
    "import sys, struct; "
    "print('%d.%d %d' % (sys.version_info[0], sys.version_info[1], struct.calcsize('P') * 8))"
)


@dataclass(frozen=True)
class Interpreter:
    """A Python that was started and answered.

    Attributes
    ----------
    version
        (3, 7).
    origin
        Where it was found: "PATH", "pyenv", "conda", "uv", "py launcher", "given".
    """

    path: Path
    version: Version
    origin: str


def probe(path: Path, origin: str = "given") -> Interpreter | None:
    """Start an interpreter and ask its version; None where it is none, or a 32-bit one."""
    try:
        answer = subprocess.run(
            [str(path), "-E", "-s", "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=30,
            cwd=path.anchor or None,
            check=True,
        ).stdout.split()
        major, minor = answer[0].split(".")
        if answer[1] != "64":
            return None
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    return Interpreter(path, (int(major), int(minor)), origin)


def find(
    wanted: Iterable[Version], env: Mapping[str, str] = os.environ, user_home: Path | None = None
) -> Interpreter | None:
    """Return the first interpreter of the first wanted version that there is.

    Parameters
    ----------
    wanted
        Versions, best first.
    """
    for version in wanted:
        seen: set[Path] = set()
        for path, origin in _candidates(version, env, user_home or Path.home()):
            # A pyenv shim answers for whatever version is selected where it is started.
            if path in seen or "shims" in path.parts or not path.is_file():
                continue
            seen.add(path)
            interpreter = probe(path, origin)
            if interpreter is not None and interpreter.version == version:
                return interpreter
    return None


def find_uv(env: Mapping[str, str] = os.environ) -> Path | None:
    """Return the uv program on PATH or beside this Python, if there is one."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which("uv", path=env.get("PATH", "")) or shutil.which("uv", path=beside)
    return Path(found) if found else None


def _candidates(
    version: Version, env: Mapping[str, str], user_home: Path
) -> Iterator[tuple[Path, str]]:
    dotted = f"{version[0]}.{version[1]}"
    if version == sys.version_info[:2] and sys.prefix == sys.base_prefix:
        yield Path(sys.executable), "PATH"
    for name in (f"python{dotted}", "python3", "python"):
        found = shutil.which(name, path=env.get("PATH", ""))
        if found:
            yield Path(found), "PATH"
    for python in _pyenv(dotted, env, user_home):
        yield python, "pyenv"
    for python in _conda(env, user_home):
        yield python, "conda"
    uv = find_uv(env)
    for python in _asked(uv, ["python", "find", "--no-python-downloads", dotted], env):
        yield python, "uv"
    if sys.platform == "win32":
        py = shutil.which("py", path=env.get("PATH", ""))
        for python in _asked(py, [f"-{dotted}", "-c", "import sys;print(sys.executable)"], env):
            yield python, "py launcher"


def _pyenv(dotted: str, env: Mapping[str, str], user_home: Path) -> list[Path]:
    roots = [Path(env.get("PYENV_ROOT") or user_home / ".pyenv")]
    roots.append(user_home / ".pyenv" / "pyenv-win")
    folders = [
        folder
        for root in roots
        if (root / "versions").is_dir()
        for folder in (root / "versions").iterdir()
        if re.fullmatch(re.escape(dotted) + r"(\.\d+)?", folder.name)
    ]
    folders.sort(key=lambda folder: [int(n) for n in folder.name.split(".")], reverse=True)
    return [_python_in(folder) for folder in folders]


def _conda(env: Mapping[str, str], user_home: Path) -> list[Path]:
    prefixes = [Path(env["CONDA_PREFIX"])] if env.get("CONDA_PREFIX") else []
    listed = user_home / ".conda" / "environments.txt"
    if listed.is_file():
        lines = listed.read_text(encoding="utf-8", errors="replace").splitlines()
        prefixes += [Path(line.strip()) for line in lines if line.strip()]
    conda = env.get("CONDA_EXE") or shutil.which("conda", path=env.get("PATH", ""))
    if conda:
        with_json = _output([conda, "env", "list", "--json"], env)
        with suppress(ValueError, AttributeError, TypeError):
            prefixes += [Path(item) for item in json.loads(with_json or "{}").get("envs", [])]
    return [_python_in(prefix) for prefix in prefixes]


def _python_in(prefix: Path) -> Path:
    if sys.platform == "win32":
        return prefix / "python.exe"
    return prefix / "bin" / "python"


def _asked(program: str | Path | None, arguments: list[str], env: Mapping[str, str]) -> list[Path]:
    answer = _output([str(program), *arguments], env).strip() if program else ""
    return [Path(answer.splitlines()[-1])] if answer else []


def _output(command: list[str], env: Mapping[str, str]) -> str:
    try:
        # uv prefers the environment that is active, or that of the folder it is started in.
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=30,
            env={key: value for key, value in env.items() if key != "VIRTUAL_ENV"},
            cwd=Path(command[0]).anchor or None,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout if result.returncode == 0 else ""
