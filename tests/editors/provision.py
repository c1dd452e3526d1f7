"""Finds GIMP 3 and Krita 5.2 or newer, or makes a Debian 13 root that holds them.

Editors that are installed natively serve best. Where one is missing and we are root on a
Debian-like Linux, both are installed into a chroot below `BSHM_TEST_CACHE`; that takes
about two minutes and 2.5 GB once. Run this file to do it ahead of the tests:
``python -m tests.editors.provision``.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.editors.sandbox import ENTER, Sandbox

SUITE = "trixie"
PACKAGES = [
    "gimp",
    "gir1.2-gimp-3.0",
    "krita",
    "python3-gi",
    "python3-pyqt5",  # without it Krita loads no Python plugin
    "python3-pyqt6",  # what Krita 6 brings
    "xvfb",
    "xauth",
    "dbus-x11",
    "openbox",  # dialogs get a frame and the keyboard focus
    "at-spi2-core",  # dialogs are driven through their accessible names
    "gir1.2-atspi-2.0",
    "xdotool",
    "scrot",
    "procps",
    "locales",
    "fonts-dejavu-core",
    "fonts-wqy-microhei",  # Chinese
]
LOCALES = ["en_US", "zh_CN"]
MARKER = ".bshm-editors"
OLDEST = {"gimp": (3, 0), "krita": (5, 2)}
PROGRAMS = {"gimp": ("gimp-console-3.0", "gimp-console-3", "gimp-console"), "krita": ("krita",)}


class Unprovided(Exception):
    """An editor is neither installed nor can it be: the message says why."""


def cache_folder() -> Path:
    named = os.environ.get("BSHM_TEST_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "bshm-bridge-tests"


def sandbox_for(editor: str) -> Sandbox:
    """Return where `editor` ("gimp" or "krita") runs, installing it where that is possible.

    Raises
    ------
    Unprovided
        It is neither here nor can it be installed.
    """
    if _native(editor):
        return Sandbox(None)
    if sys.platform != "linux" or os.geteuid() != 0:
        oldest = ".".join(map(str, OLDEST[editor]))
        raise Unprovided(
            f"{editor.upper() if editor == 'gimp' else 'Krita'} {oldest} or newer (with xvfb-run "
            "and dbus-run-session) is not installed, and only root on Linux can install it here"
        )
    return Sandbox(_chroot())


def _native(editor: str) -> bool:
    if not (shutil.which("xvfb-run") and shutil.which("dbus-run-session")):
        return False
    program = next(filter(None, map(shutil.which, PROGRAMS[editor])), None)
    if program is None:
        return False
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    answer = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=60, env=environment
    )
    found = re.search(r"(\d+)\.(\d+)", answer.stdout)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST[editor]


def _chroot() -> Path:
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / f"editors-{SUITE}"
    marker = root / MARKER
    wanted = "\n".join([*PACKAGES, *LOCALES]) + "\n"
    with _locked(cache / f"editors-{SUITE}.lock"):
        if marker.is_file() and marker.read_text() == wanted:
            return root
        try:
            if not _has_base(root):
                _remove(root)
                _bootstrap(root)
            _install(root)
        except (OSError, subprocess.CalledProcessError) as error:
            log = getattr(error, "stdout", "") or ""
            raise Unprovided(
                f"Debian 13's editors could not be installed: {error}\n{log[-2000:]}"
            ) from error
        marker.write_text(wanted)  # last: an interrupted run starts again from what is there
    return root


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _run(*command: str | Path) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command,
        check=True,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    return done.stdout


def _has_base(root: Path) -> bool:
    """Whether debootstrap got to its end: it removes its own folder last."""
    return (root / "usr/bin/apt-get").exists() and not (root / "debootstrap").exists()


def _remove(root: Path) -> None:
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    below = [line.split()[4] for line in mounts if line.split()[4].startswith(f"{root}/")]
    for mount in sorted(below, reverse=True):
        _run("umount", "--lazy", mount)
    # A bind mount that stayed must not have its origin emptied.
    _run("rm", "-rf", "--one-file-system", root)


def _bootstrap(root: Path) -> None:
    if shutil.which("debootstrap") is None:
        if shutil.which("apt-get") is None:
            raise Unprovided("Debian's debootstrap is not installed and there is no apt-get")
        _run("apt-get", "update")
        _run("apt-get", "install", "-y", "--no-install-recommends", "debootstrap")
    mirror = _mirror()
    include = ["--include=ca-certificates"] if mirror.startswith("https:") else []
    _run("debootstrap", "--variant=minbase", *include, SUITE, root, mirror)


def _mirror() -> str:
    """Where the host gets Debian from: the packages of 13 are there too."""
    known = "http://deb.debian.org/debian"
    if shutil.which("apt-get") is None:
        return known
    fields = ["Created-By: Packages", "Origin: Debian", "Component: main"]
    try:
        addresses = _run("apt-get", "indextargets", "--format", "$(REPO_URI)", *fields).split()
    except subprocess.CalledProcessError:
        return known
    plain = [address for address in addresses if "security" not in address]
    return plain[0].rstrip("/") if plain else known


def _install(root: Path) -> None:
    settings = [line for line in _run("apt-config", "dump").splitlines() if "Acquire" in line[:7]]
    (root / "etc/apt/apt.conf.d/99host").write_text("\n".join(settings) + "\n")
    if Path("/etc/resolv.conf").exists():
        shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")  # installed daemons are not to start
    policy.chmod(0o755)
    enter: list[str | Path] = [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-ec",
        ENTER,
        "enter",
    ]
    _run(*enter, root, "", "dpkg", "--configure", "-a")
    _run(*enter, root, "", "apt-get", "update")
    _run(*enter, root, "", "apt-get", "install", "-y", "--no-install-recommends", *PACKAGES)
    for name in LOCALES:
        _run(*enter, root, "", "localedef", "-i", name, "-f", "UTF-8", f"{name}.UTF-8")


if __name__ == "__main__":
    for name in PROGRAMS:
        try:
            print(f"{name}: {sandbox_for(name).describe()}")
        except Unprovided as problem:
            sys.exit(f"{name}: {problem}")
