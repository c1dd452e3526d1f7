"""The engines' interpreters: whether the runtimes work, and whether they use the card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from bshm_bridge.doctor.finding import Finding
from bshm_bridge.engines import interpreters
from bshm_bridge.engines.check import check
from bshm_bridge.engines.environments import Environment, Environments
from bshm_bridge.engines.installation import PYTHONS
from bshm_bridge.errors import MattingError, NotReady
from bshm_worker.gpu import Driver

_AREA = "engines"
Check = Callable[[Environment, Path], Environment]


def check_again(environment: Environment, log: Path) -> Environment:
    """Check an environment as a worker would meet it."""
    return check(environment.engine, environment.python, log, libraries=environment.libraries)


def examine_runtimes(
    environments: Environments, logs: Path, driver: Driver, run: Check = check_again
) -> Iterator[Finding]:
    """Start every engine that is installed and let it compute something.

    Parameters
    ----------
    run
        Called with the environment and its log file.
    """
    installed = 0
    for engine in PYTHONS:
        known = environments.folder(engine).is_dir()
        try:
            environment = environments.get(engine)
        except NotReady as error:
            if known:
                yield Finding(_AREA, "problem", str(error), f"`bshm engines install {engine}`.")
            else:
                yield _absent(engine)
            continue
        installed += 1
        yield from _examine(environment, logs / f"engine-{engine}.log", driver, run)
    if not installed:
        yield Finding(
            _AREA,
            "note",
            "No engine for BSHM is installed: the classic engine does the work.",
            "`bshm engines install tf2`, then `bshm models pull bshm`.",
        )


def _examine(environment: Environment, log: Path, driver: Driver, run: Check) -> Iterator[Finding]:
    engine = environment.engine
    try:
        found = run(environment, log)
    except MattingError as error:
        mend = f"`bshm engines install {engine}` puts the packages right"
        if not environment.managed:
            mend = f"Mend the environment of {environment.python}, or {mend[0].lower()}{mend[1:]}"
        yield Finding(_AREA, "problem", f"{engine}: {error}", f"{mend}. Its log is {log}.")
        return
    what = f"{engine}: {found.runtime}, Python {found.python_version}, runs on {found.device}."
    if found.device == "CPU" and not driver.problem:
        yield Finding(
            _AREA,
            "problem",
            f"{what} It does not use the graphics card, and is slow: {_clause(found.notice)}",
            f"`bshm engines remove {engine}`, then `bshm engines install {engine} --device gpu`; "
            "or install the libraries that are named.",
        )
    elif found.device == "CPU":
        yield Finding(_AREA, "ok", what)
    else:
        notice = f" {found.notice}" if found.notice else ""
        yield Finding(_AREA, "ok", what + notice)


def _absent(engine: str) -> Finding:
    wanted = PYTHONS[engine]
    python = interpreters.find(wanted)
    newest = f"{wanted[0][0]}.{wanted[0][1]}"
    if python is None:
        return Finding(
            _AREA,
            "note",
            f"{engine}: not installed, and there is no Python {newest} for it.",
            f"`uv python install {newest}`, `pyenv install {newest}` or `conda create -n "
            f"py{newest} python={newest}`, then `bshm engines install {engine}`.",
        )
    return Finding(
        _AREA,
        "ok",
        f"{engine}: not installed; `bshm engines install {engine}` would use Python "
        f"{python.version[0]}.{python.version[1]} ({python.origin}).",
    )


def _clause(notice: str) -> str:
    return notice or "its build has no GPU support."
