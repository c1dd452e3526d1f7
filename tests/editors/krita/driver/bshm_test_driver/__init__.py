"""A Krita plugin that runs test cases in Krita's own event loop and reports each.

``BSHM_TEST_PLAN`` names a JSON file: where the repository is, which cases to run, where to
append one JSON line per finished case, and values that the cases may want.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QTimer

import krita

TIMEOUT = 150.0  # seconds that a case may wait for one thing
POLL = 20  # milliseconds


class Driver(krita.Extension):  # type: ignore[misc]
    def setup(self) -> None:
        pass

    def createActions(self, window: Any) -> None:
        plan = os.environ.get("BSHM_TEST_PLAN")
        if plan and not hasattr(self, "run"):
            self.run = Run(json.loads(Path(plan).read_text()))
            QTimer.singleShot(1500, self.run.begin)


class Run:
    """Runs one case after the other; a case is a generator.

    It yields seconds to wait for, or a function to wait for until it returns something true.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.names = list(plan["cases"])
        self.generator: Iterator[Any] = iter(())
        self.ending = False
        self.error: str | None = None

    def begin(self) -> None:
        sys.path.append(self.plan["repository"])
        try:
            from tests.editors.krita.cases import load
            from tests.editors.krita.cases.stage import Stage

            self.cases = load()
            self.stage = Stage(self.plan)
        except BaseException:
            self.write({"case": "", "error": traceback.format_exc()})
            self.end()
            return
        self.next_case()

    def next_case(self) -> None:
        if not self.names:
            self.end()
            return
        self.name = self.names.pop(0)
        self.started = time.monotonic()
        self.stage.begin(self.name)
        try:
            self.generator = self.cases[self.name](self.stage)
            self.step()
        except BaseException:
            self.finish(traceback.format_exc())

    def step(self) -> None:
        try:
            wanted = next(self.generator)
        except StopIteration:
            self.finish(None)
            return
        except BaseException:
            self.finish(traceback.format_exc())
            return
        if callable(wanted):
            self.wait_for(wanted, time.monotonic() + TIMEOUT)
        else:
            QTimer.singleShot(max(1, int(wanted * 1000)), self.step)

    def wait_for(self, condition: Callable[[], object], deadline: float) -> None:
        try:
            if condition():
                self.step()
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited too long; {self.stage.describe()}")
        except BaseException:
            self.finish(traceback.format_exc())
            return
        QTimer.singleShot(POLL, lambda: self.wait_for(condition, deadline))

    def finish(self, error: str | None) -> None:
        if self.ending:  # what the case did wrong is known already
            self.report(self.error or error)
            return
        # Krita crashes now and then where a document goes before Python's handles into it.
        self.generator = iter(())
        gc.collect()
        self.ending, self.error = True, error
        self.generator = self.stage.end()
        self.step()

    def report(self, error: str | None) -> None:
        self.ending = False
        self.write(
            {
                "case": self.name,
                "error": error,
                "seconds": round(time.monotonic() - self.started, 2),
                "values": self.stage.values,
            }
        )
        QTimer.singleShot(50, self.next_case)

    def write(self, line: dict[str, Any]) -> None:
        with Path(self.plan["report"]).open("a") as file:
            file.write(json.dumps(line) + "\n")

    def end(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # nothing may be asked about unsaved images


faulthandler.enable()  # where a crash of Krita was, as far as Python knows
krita.Krita.instance().addExtension(Driver(krita.Krita.instance()))
