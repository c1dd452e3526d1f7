"""Runs Python in the real GIMP, with a profile of its own and the plugin in it."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from bshm_bridge.editors.base import Profile
from bshm_bridge.editors.gimp import Gimp
from bshm_bridge.editors.install import install
from tests.editors.sandbox import Finished, Sandbox
from tests.editors.service import wait_for

INSIDE = Path(__file__).parent / "inside"
NAME = "bshm_remove_background"
# All that our process says, and what GIMP (not its theme or its desktop) says of anything.
_COMPLAINT = re.compile(
    r"^\(bshm[^:]*:\d+\): |^\(gimp[^:]*:\d+\): (Lib)?(Gimp|GEGL)"
    r"|Traceback|bshm_(remove|gimp)|[Pp]lug-?in crashed"
)
# GIMP ends so with any plug-in; GTK says it of any program that is driven from outside.
_NOT_OURS = re.compile(
    r"gimp_finalize: list of contexts|gegl_tile_cache_destroy: runtime check"
    r"|gdk_window_get_window_type: assertion|gtk_accessible_get_widget: assertion"
)


def complaints(log: str) -> list[str]:
    """Return the lines in what GIMP and its plug-ins wrote that GIMP alone would not write."""
    lines = log.splitlines()
    return [line for line in lines if _COMPLAINT.search(line) and not _NOT_OURS.search(line)]


class GimpWindow:
    """A running GIMP with windows; `inside/window.py` says what code sent to it can use."""

    def __init__(self, connection: socket.socket, log: Path) -> None:
        self._stream = connection.makefile("rw")
        self._log = log

    def do(self, code: str) -> Any:
        """Run `code` in GIMP's Python, as a function's body, and return what it returns."""
        self._stream.write(json.dumps({"code": code}) + "\n")
        self._stream.flush()
        line = self._stream.readline()
        assert line, f"GIMP has ended\n{self.log}"
        answer = json.loads(line)
        assert "error" not in answer, answer.get("error")
        return answer["value"]

    @property
    def log(self) -> str:
        """What GIMP wrote on stdout and stderr."""
        return self._log.read_text()


class GimpRunner:
    """A GIMP profile with the plugin installed.

    Parameters
    ----------
    sandbox
        Where GIMP runs.
    folder
        For its home and profile, below the temporary folder.
    service_home
        State directory of the service that the plugin finds or starts.
    """

    def __init__(self, sandbox: Sandbox, folder: Path, service_home: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.profile = folder / "profile"
        self.profile.mkdir(parents=True, exist_ok=True)
        self._service_home = service_home
        self._write_settings()
        install(Gimp(), Profile("gimp", "GIMP", self.profile))

    def _write_settings(self) -> None:
        asked = ["gimp-console-3.0", "--version"]
        answer = self.sandbox.run(asked, env=self.environment(), timeout=300).check()
        version = answer.stdout.split()[-1]  # another one would be welcomed with a dialog
        settings = f'(config-version "{version}")\n(show-welcome-dialog no)\n(check-updates no)\n'
        (self.profile / "gimprc").write_text(settings)

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        # GIMP's Python sees what an editor's bundle may set; the service must not.
        return {
            "HOME": str(home),
            "GIMP3_DIRECTORY": str(self.profile),
            "BSHM_HOME": str(self._service_home),
            "PYTHONPATH": "/nonexistent",
            **(extra or {}),
        }

    @property
    def plugin(self) -> Path:
        """The plug-in's folder."""
        return self.profile / "plug-ins" / NAME

    @property
    def settings(self) -> Path:
        """Where the plug-in keeps the one-click entry's settings."""
        return self.profile / "bshm-remove-background.json"

    def at_work(self) -> bool:
        """Whether a process of the plug-in lives."""
        script = str(self.plugin / f"{NAME}.py")
        return any(script in (p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"]))

    def console(
        self, script: str, arguments: Mapping[str, Any], *, name: str = "", timeout: float = 600
    ) -> Finished:
        """Run ``inside/<script>`` in GIMP without windows; it sees `arguments`.

        Several may run at once under different names.
        """
        argv = self._command("gimp-console-3.0", script, arguments, name)
        return self.sandbox.run(argv, env=self.environment(), timeout=timeout)

    def shell(self, line: str, folder: Path, *, timeout: float = 600) -> Finished:
        """Run a line of shell in `folder`, where GIMP is installed."""
        code = f"cd {shlex.quote(str(folder))}\n{line}"
        program = ["dbus-run-session", "--", "sh", "-c", code]
        return self.sandbox.run(program, env=self.environment(), timeout=timeout)

    @contextmanager
    def window(self, *, language: str = "en_US") -> Iterator[GimpWindow]:
        """Start GIMP with windows, on a display of its own, and yield a way to drive it."""
        place = self.folder / "window.sock"
        place.unlink(missing_ok=True)
        argv = self._command("gimp-3.0", "window.py", {"socket": place})
        display = ["xvfb-run", "-a", "-s", "-screen 0 1280x900x24", "sh", "-c"]
        session = 'openbox & exec "$@"'
        env = self.environment({"LC_ALL": f"{language}.UTF-8", "LANGUAGE": language})
        program = [*argv[:2], *display, session, "session", *argv[2:]]
        log = self.folder / f"window-{language}.log"
        with self.sandbox.start(program, env=env, log=log) as process:
            wait_for(lambda: place.exists() or process.poll() is not None, seconds=300)
            assert process.poll() is None, log.read_text()
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(120)
                connection.connect(str(place))
                yield GimpWindow(connection, log)

    def _command(
        self, program: str, script: str, arguments: Mapping[str, Any], name: str = ""
    ) -> list[str]:
        given = self.folder / f"arguments-{name}.json"
        given.write_text(json.dumps(arguments, default=os.fspath))
        code = (
            f"import json; arguments = json.load(open({str(given)!r}));"
            f" exec(compile(open({str(INSIDE / script)!r}).read(), {script!r}, 'exec'))"
        )
        batch = ["-d", "--quit", "--batch-interpreter=python-fu-eval", "-b", code]
        if "console" in program:
            batch.insert(0, "-i")
        return ["dbus-run-session", "--", program, *batch]
