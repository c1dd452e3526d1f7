"""`bshm engines`: the interpreters that models run in."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bshm_bridge.engines.environments import Environments

NAMES = ("tf1", "tf2", "onnx")
_ABOUT = {
    "tf1": "BSHM in TensorFlow 1.15 (Python 3.7)",
    "tf2": "BSHM in TensorFlow 2",
    "onnx": "ONNX models, and BSHM once it is converted, in ONNX Runtime",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="show which engines are installed")
    install = actions.add_parser("install", help="make an environment for an engine")
    install.add_argument("engine", choices=NAMES)
    install.add_argument("--python", type=Path, help="interpreter to build on")
    install.add_argument(
        "--device",
        choices=("auto", "gpu", "cpu"),
        default="auto",
        help="which build to install; auto takes GPU support where there is a GPU",
    )
    add = actions.add_parser("add", help="use an environment that exists (conda, venv)")
    add.add_argument("engine", choices=NAMES)
    add.add_argument("--python", type=Path, required=True, help="its interpreter")
    remove = actions.add_parser("remove", help="delete an engine's environment or record")
    remove.add_argument("engine", choices=NAMES)
    for action in (listing, install, add, remove):
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    from bshm_bridge.engines.environments import Environments
    from bshm_bridge.paths import Paths, home

    paths = Paths(home())
    environments = Environments(paths.engines)
    if args.action == "list":
        return _list(environments, args.json)
    if args.action == "remove":
        return _remove(environments, args.engine, args.json)
    return _install_or_add(environments, paths.logs, args)


def _list(environments: Environments, as_json: bool) -> int:
    from bshm_bridge.errors import NotReady

    rows: list[dict[str, Any]] = []
    for name in NAMES:
        row: dict[str, Any] = {"engine": name, "about": _ABOUT[name]}
        try:
            found = environments.get(name)
            row |= {"installed": True, **_facts(found)}
        except NotReady as error:
            row |= {"installed": False, "message": str(error)}
        rows.append(row)
    if as_json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        if row["installed"]:
            made = "" if row["managed"] else " (your own environment)"
            what = f"{row['runtime']}, Python {row['python_version']}, {row['device']}{made}"
        else:
            what = row["message"]
        print(f"{row['engine']:<6}{row['about']}")
        for line in (what, row.get("notice")):
            if line:
                print(f"      {line}")
    return 0


def _remove(environments: Environments, engine: str, as_json: bool) -> int:
    removed = environments.remove(engine)
    if as_json:
        print(json.dumps({"engine": engine, "removed": removed}))
    elif removed:
        print(f"The engine {engine} is removed.")
    else:
        print(f"The engine {engine} is not installed.")
    return 0


def _install_or_add(environments: Environments, logs: Path, args: argparse.Namespace) -> int:
    from bshm_bridge.engines.installation import Installer
    from bshm_bridge.engines.interpreters import find_uv

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    installer = Installer(
        environments,
        logs,
        say,
        uv=find_uv(),
        terminal=sys.stderr.isatty() and not args.json,
    )
    if args.action == "install":
        made = installer.install(args.engine, args.python, args.device)
    else:
        made = installer.add(args.engine, args.python)
    if args.json:
        print(json.dumps(_facts(made), indent=2))
    else:
        print(f"The engine {made.engine} works: {made.runtime} on {made.device}.")
        if made.notice:
            print(made.notice)
    return 0


def _facts(environment: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(environment), "python": str(environment.python)}
