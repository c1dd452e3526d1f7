"""Runs programs beside the editors: natively, or in a chroot that shares our folders.

Every start gets mounts of its own that vanish with its last process, so nothing has to
be cleaned up and runs do not see each other's.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# $1: the root; $2: folders that it shares with us, one a line; then the program.
ENTER = """
root=$1; shared=$2; shift 2
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mountpoint -q "$root/dev" || mount --rbind /dev "$root/dev"
if [ -n "$shared" ]; then
    mkdir -p "$root/host"
    mount --rbind / "$root/host"
    printf '%s\\n' "$shared" | while read -r folder; do
        mkdir -p "$root$folder"
        mount --rbind "$folder" "$root$folder"
    done
fi
exec chroot "$root" "$@"
"""


@dataclass(frozen=True)
class Finished:
    """A program that ended, or was ended because its time was up."""

    code: int
    stdout: str
    stderr: str
    timed_out: bool = False

    def check(self) -> Finished:
        assert not self.timed_out, f"timed out\n{self.stdout}\n{self.stderr}"
        assert self.code == 0, f"exit code {self.code}\n{self.stdout}\n{self.stderr}"
        return self


class Sandbox:
    """Where an editor runs.

    Parameters
    ----------
    root
        The chroot that holds the editor, or None where it is installed natively. The
        temporary folder and this repository are at the same paths inside; our whole file
        system is at ``/host``.
    """

    def __init__(self, root: Path | None) -> None:
        self.root = root

    def describe(self) -> str:
        return "installed natively" if self.root is None else "in a Debian 13 chroot"

    def command(self, argv: Sequence[str | Path]) -> list[str]:
        """Return the command line that runs `argv` in here."""
        program = [str(word) for word in argv]
        if self.root is None:
            return program
        shared = "\n".join({tempfile.gettempdir(), str(REPOSITORY)})
        alone = ["unshare", "--mount", "--propagation", "private"]
        return [*alone, "sh", "-ec", ENTER, "enter", str(self.root), shared, *program]

    @contextlib.contextmanager
    def start(
        self, argv: Sequence[str | Path], *, env: Mapping[str, str], log: Path | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        """Start a program; at the end of the block its whole process group is killed.

        `env` is its complete environment; ``PATH`` gets a default. Output goes to pipes, or
        all of it to `log`.
        """
        complete = {"PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8", **env}
        with contextlib.ExitStack() as stack:
            out = stack.enter_context(log.open("w")) if log else subprocess.PIPE
            process = subprocess.Popen(
                self.command(argv),
                env=complete,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT if log else subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            try:
                yield process
            finally:
                kill_group(process)
                for pipe in (process.stdout, process.stderr):
                    if pipe:
                        pipe.close()

    def run(
        self, argv: Sequence[str | Path], *, env: Mapping[str, str], timeout: float
    ) -> Finished:
        """Run a program to its end, at most `timeout` seconds."""
        with self.start(argv, env=env) as process:
            try:
                out, err = process.communicate(timeout=timeout)
                return Finished(process.returncode, out, err)
            except subprocess.TimeoutExpired:
                kill_group(process)
                out, err = process.communicate()
                return Finished(-signal.SIGKILL, out, err, timed_out=True)

    def host_program(self, path: Path, argv: Sequence[str | Path]) -> Path:
        """Write a program to `path` that runs `argv` with our own files, in and out of here.

        This is how an editor in the chroot starts the service with our Python.
        """
        words = shlex.join(str(word) for word in argv)
        inside = 'if [ -d /host/proc ]; then set -- chroot /host "$@"; fi\n'
        path.write_text(f'#!/bin/sh\nset -- {words} "$@"\n{inside}exec "$@"\n')
        path.chmod(0o755)
        return path


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kill a process that leads a session, and what it started, and wait for it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
