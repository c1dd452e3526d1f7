"""A service of its own for a test, which an editor can find and start."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from bridge_client import BridgeClient, ServiceStatus
from bridge_client.errors import BridgeError
from tests.editors.sandbox import Sandbox


class TestService:
    """The state directory of a service that an editor starts, and that service.

    Parameters
    ----------
    sandbox
        Where the editor runs.
    home
        The state directory, below the temporary folder.
    """

    __test__ = False

    def __init__(self, sandbox: Sandbox, home: Path) -> None:
        self.home = home
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._gate = home.parent / f"{home.name}-held"
        self._reached = home.parent / f"{home.name}-reached"
        wait = 'while [ -e "$1" ]; do touch "$2"; sleep 0.05; done'
        serve = wait + '; shift 2; exec "$@" serve'
        self._starter = sandbox.host_program(
            home.parent / f"{home.name}-start", ["sh", "-c", serve, "serve"]
        )
        self.prepare()

    def prepare(self, *, held: bool = False) -> None:
        """Say how the service is started, as `bshm plugins install` does.

        Parameters
        ----------
        held
            Whether a start gets no further before the next call; see `is_held`.
        """
        self._reached.unlink(missing_ok=True)
        if held:
            self._gate.touch()
        else:
            self._gate.unlink(missing_ok=True)
        command = [self._starter, self._gate, self._reached, sys.executable, "-m", "bshm_bridge"]
        launch = json.dumps({"command": [str(word) for word in command]})
        (self.home / "launch.json").write_text(launch)

    def is_held(self) -> bool:
        """Whether somebody has started the service, which gets no further."""
        return self._reached.exists()

    @property
    def client(self) -> BridgeClient:
        return BridgeClient("test", self.home)

    def start(self) -> ServiceStatus:
        """Start the service where it does not run."""
        status = self.client.status(start=True)
        self.prepare()  # a starting service records its own command, which works here only
        return status

    def pid(self) -> int:
        """Return the process of the running service, 0 where none runs."""
        try:
            return self.client.status().pid
        except BridgeError:
            return 0

    def kill(self) -> None:
        """End the service at once, without its knowledge."""
        pid = self.pid()
        if pid:
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: not Path(f"/proc/{pid}").exists() or _zombie(pid))
        self.prepare()


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def wait_for(condition: object, seconds: float = 60, every: float = 0.05) -> None:
    """Wait until `condition()` is true; fails after `seconds`."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {condition}"
        time.sleep(every)
