"""Starts the real service and the real Krita once, and hands out what the cases reported."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bridge_client import BridgeClient, BridgeError
from bridge_client.connection import connection_file
from bridge_client.launcher import launch_file
from bshm_bridge import samples
from bshm_bridge.editors.install import build, install
from bshm_bridge.editors.krita import Krita
from tests.editors.krita.cases import load, start_of
from tests.editors.krita.other_plugin import make_other_plugin
from tests.editors.sandbox import REPOSITORY, Sandbox

SIZES = {
    "small": (240, 240),
    "first": (1200, 1200),
    "second": (1200, 1201),
    "third": (4000, 3000),
    "large": (6000, 4000),
}
START = ["dbus-run-session", "--", "xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]

CRASHED = "Fatal Python error: Segmentation fault"

DRIVER = Path(__file__).parent / "driver"
BRIGHT_AND_KEPT = """
[theme]
Theme=Krita bright

[bshm_remove_background]
existing=replace
feather=1.5
edge_shift=much
"""


@dataclass
class Ran:
    """Everything that one start of Krita reported, by case."""

    home: Path
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    output: str = ""
    crashes: list[str] = field(default_factory=list)

    def of(self, case: str) -> dict[str, Any]:
        assert case in self.results, f"Krita ended before {case}\n{self.output}"
        result = self.results[case]
        assert result["error"] is None, result["error"]
        values: dict[str, Any] = result["values"]
        return values


@dataclass
class Profile:
    """A private home with Krita's folders in it."""

    home: Path

    @property
    def resources(self) -> Path:
        return self.home / ".local/share/krita"

    @property
    def settings(self) -> Path:
        return self.home / ".config/kritarc"

    def make(self) -> None:
        """Make the folders, and have Krita draw its canvas itself.

        Without a GPU that is faster than OpenGL.
        """
        self.resources.mkdir(parents=True)
        self.settings.parent.mkdir(parents=True)
        self.settings.write_text("[python]\n")
        self.settings.with_name("kritadisplayrc").write_text("OpenGLRenderer=none\n")

    def install(self) -> None:
        """Put our plugin in, as the installer lays it out."""
        editor = Krita([("", self.resources, self.settings)])
        install(editor, editor.profiles()[0])

    def add_plugin(self, folder: Path, name: str) -> None:
        """Put another plugin in and enable it."""
        pykrita = self.resources / "pykrita"
        pykrita.mkdir(exist_ok=True)
        shutil.copytree(folder / name, pykrita / name)
        shutil.copyfile(folder / f"{name}.desktop", pykrita / f"{name}.desktop")
        self.enable(name)

    def enable(self, name: str) -> None:
        text = self.settings.read_text()
        self.settings.write_text(text.replace("[python]\n", f"[python]\nenable_{name}=true\n"))

    def add_settings(self, lines: str) -> None:
        self.settings.write_text(self.settings.read_text() + lines)


def run_krita(
    sandbox: Sandbox,
    profile: Profile,
    cases: list[str],
    *,
    state: Path,
    plan: dict[str, Any],
    environment: dict[str, str] | None = None,
    timeout: float = 1800,
) -> Ran:
    """Start Krita, let it run `cases`, and return what they reported."""
    report = profile.home / "report.jsonl"
    evidence = profile.home / "evidence"
    evidence.mkdir(exist_ok=True)
    plan_file = profile.home / "plan.json"
    plan_file.write_text(
        json.dumps(
            {
                "repository": str(REPOSITORY),
                "cases": cases,
                "report": str(report),
                "evidence": str(evidence),
                **plan,
            }
        )
    )
    runtime = profile.home / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    report.unlink(missing_ok=True)
    finished = sandbox.run(
        [*START, "krita", "--nosplash"],
        env={
            "HOME": str(profile.home),
            "XDG_RUNTIME_DIR": str(runtime),
            "BSHM_HOME": str(state),
            "BSHM_TEST_PLAN": str(plan_file),
            "PYTHONUNBUFFERED": "1",
            "LANG": "C.UTF-8",
            **(environment or {}),
        },
        timeout=timeout,
    )
    _let_service_go_on(state)
    ended = "Krita was ended because its time was up" if finished.timed_out else ""
    ran = Ran(state, output=f"{finished.stdout[-4000:]}\n{finished.stderr[-4000:]}\n{ended}")
    for line in report.read_text().splitlines() if report.exists() else []:
        result = json.loads(line)
        ran.results[result["case"]] = result
    broken = ran.results.pop("", None)
    assert broken is None, broken and broken["error"]
    return ran


def _let_service_go_on(state: Path) -> None:
    """Wake a service that a case held still when Krita crashed."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        os.kill(json.loads(connection_file(state).read_text())["pid"], signal.SIGCONT)


def run_to_the_end(start: Callable[[list[str]], Ran], cases: list[str]) -> Ran:
    """Run `cases`, starting Krita anew for what is left where it crashed.

    Krita 5.2 itself falls over now and then under Xvfb, in its drawing and mostly with no Python
    frame on the stack. Each crash is kept, and `test_no_crash_is_ours` looks at it; a case in which
    it happens twice fails.
    """
    ran = start(cases)
    last = ""
    while CRASHED in ran.output and len(ran.crashes) < 3:
        ran.crashes.append(ran.output)
        left = [case for case in cases if case not in ran.results]
        if not left or left[0] == last:
            break
        last = left[0]
        print(f"\nKrita crashed in {last}; started again\n{ran.output}", file=sys.stderr)
        again = start(left)
        ran.results.update(again.results)
        ran.output = again.output
    return ran


@pytest.fixture(scope="session")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The portrait as raw BGRA in several sizes."""
    folder = tmp_path_factory.mktemp("portraits")
    photo = Image.open(samples.portrait()).convert("RGBA")
    found = {}
    for name, (width, height) in SIZES.items():
        red, green, blue, alpha = photo.resize((width, height)).split()
        path = folder / f"{name}.bgra"
        path.write_bytes(Image.merge("RGBA", (blue, green, red, alpha)).tobytes())
        found[name] = {"bgra": str(path), "width": width, "height": height}
    photo.resize(SIZES["small"]).save(folder / "small.png")
    found["small"]["png"] = str(folder / "small.png")
    return found


@pytest.fixture(scope="session")
def state_folder(
    krita_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A state directory whose service is started on demand, by the plugin too."""
    folder = tmp_path_factory.mktemp("state")
    program = krita_sandbox.host_program(
        folder / "serve",
        ["env", *_service_environment(folder), sys.executable, "-m", "bshm_bridge", "serve"],
    )
    launch_file(folder).write_text(json.dumps({"command": [str(program)]}))
    yield folder
    with contextlib.suppress(BridgeError):
        BridgeClient("test", folder).shutdown()


def _service_environment(folder: Path) -> list[str]:
    path = os.pathsep.join(str(REPOSITORY / part) for part in ("backend", "plugins", "protos"))
    return [f"PYTHONPATH={path}", f"BSHM_HOME={folder}"]


class Runs:
    """Starts Krita once per kind of start, with every case of it that was asked for."""

    def __init__(self, start: Callable[[str], Ran]) -> None:
        self._start = start
        self._done: dict[str, Ran] = {}

    @property
    def crashes(self) -> list[str]:
        """What Krita wrote before each of its crashes."""
        return [crash for ran in self._done.values() for crash in ran.crashes]

    def of(self, start: str) -> Ran:
        if start not in self._done:
            self._done[start] = self._start(start)
        return self._done[start]


StartKrita = Callable[..., Ran]


@pytest.fixture(scope="session")
def start_krita(
    krita_sandbox: Sandbox,
    portraits: dict[str, dict[str, Any]],
    state_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> StartKrita:
    """A function of a kind of start, the cases to run, and what else is in the plan."""
    launch = launch_file(state_folder).read_text()

    def start(kind: str, cases: list[str], **more: Any) -> Ran:
        environment = {}
        plan: dict[str, Any] = {"portraits": portraits, "launch": launch, **more}
        if kind == "restart":  # with what the importer left
            profile = Profile(tmp_path_factory.getbasetemp() / "krita-import0")
            profile.enable("bshm_remove_background")
        else:
            profile = Profile(tmp_path_factory.mktemp(f"krita-{kind}"))
            profile.make()
            profile.add_plugin(DRIVER, "bshm_test_driver")
        if kind == "import":
            folder = tmp_path_factory.mktemp("zip")
            plan["zip"] = str(build(Krita([]), folder, "0"))
            plan["installed"] = False
        elif kind != "restart":
            profile.install()
        if kind == "chinese":
            environment = {"LANG": "zh_CN.UTF-8", "LC_ALL": "zh_CN.UTF-8"}
            profile.add_settings(BRIGHT_AND_KEPT)
        if kind.startswith("other-"):
            other = make_other_plugin(tmp_path_factory.mktemp(kind), early=kind == "other-first")
            profile.add_plugin(other, "other_protobuf")

        def once(left: list[str]) -> Ran:
            launch_file(state_folder).write_text(launch)  # a case may have left another
            return run_krita(
                krita_sandbox,
                profile,
                left,
                state=state_folder,
                plan=plan,
                environment=environment,
            )

        return run_to_the_end(once, cases)

    return start


@pytest.fixture(scope="session")
def krita_runs(start_krita: StartKrita, request: pytest.FixtureRequest) -> Runs:
    wanted = {
        item.callspec.params["case"]
        for item in request.session.items
        if hasattr(item, "callspec") and "case" in item.callspec.params
    }

    def start(kind: str) -> Ran:
        if kind == "restart":
            runs.of("import")
        names = [name for name in load() if start_of(name) == kind]
        # The import is needed before the restart, asked for or not.
        return start_krita(kind, [name for name in names if name in wanted or kind == "import"])

    runs = Runs(start)
    return runs
