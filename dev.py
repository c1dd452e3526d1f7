#!/usr/bin/env python3
"""Set-up for people who have git and Python 3.10 or newer, and nothing else.

    python3 dev.py demo     install into .venv, matte the sample portrait into ./results
    python3 dev.py test     install what the tests need, run every check and test

Arguments after `test` go to nox: `python3 dev.py test -l` lists the parts,
`python3 dev.py test -s unit` runs one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")


def run(*command: str | Path) -> None:
    """Run a command, or end this one with its exit code."""
    code = subprocess.run([str(part) for part in command], cwd=ROOT).returncode
    if code:
        sys.exit(code)


def make_environment() -> None:
    """Make `.venv`, by uv where it is installed, else by Python itself."""
    if PYTHON.exists() and any((SCRIPTS / name).exists() for name in ("uv", "uv.exe")):
        return
    uv = shutil.which("uv")
    if uv:
        run(uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, VENV)
        run(uv, "pip", "install", "--quiet", "--python", PYTHON, "uv")
        return
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        _install_venv_package()
    run(sys.executable, "-m", "venv", VENV)
    run(PYTHON, "-m", "pip", "install", "--quiet", "uv")


def _install_venv_package() -> None:
    # Debian splits the standard library: a bare Python has no ensurepip.
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if not shutil.which("apt-get") or os.geteuid() != 0:
        sys.exit(f"Python's venv module is incomplete: install {package} (or uv) and run it again.")
    run("apt-get", "update", "-qq")
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", package)


def install(*what: str) -> None:
    """Install packages into `.venv`."""
    run(PYTHON, "-m", "uv", "pip", "install", "--quiet", "--python", PYTHON, *what)


def demo() -> None:
    """Install bshm-bridge, and matte the sample portrait through a running service."""
    install("-e", str(ROOT))
    run(SCRIPTS / "bshm", "matte", "--sample", "-d", "results")
    results = ROOT / "results"
    print(f"\nThe alpha matte is {results / 'alpha.png'}, the cut-out {results / 'rgba.png'}.")


def test(arguments: list[str]) -> None:
    """Run every check and test, each in an environment of its own."""
    install("nox>=2024.4.15")
    run(PYTHON, "-m", "nox", "--noxfile", ROOT / "noxfile.py", *arguments)


def main() -> None:
    if sys.version_info < (3, 10):  # noqa: UP036  people run this with the Python they have
        sys.exit("bshm-bridge needs Python 3.10 or newer.")
    arguments = sys.argv[1:]
    if arguments == ["demo"]:
        make_environment()
        demo()
    elif arguments[:1] == ["test"]:
        make_environment()
        test(arguments[1:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
