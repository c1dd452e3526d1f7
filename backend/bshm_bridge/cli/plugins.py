"""``bshm plugins``: the editors on this machine and the plugin in each."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bshm_bridge.editors.base import Editor, Profile

ACTIONS = ("list", "install", "uninstall", "build")
DONE, FAILED, USAGE = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument(
        "editors", nargs="*", metavar="EDITOR", help="gimp, krita; both where none is named"
    )
    parser.add_argument(
        "--profile", type=Path, metavar="DIR", help="a profile folder that is not found by itself"
    )
    parser.add_argument(
        "-d",
        "--dir",
        type=Path,
        default=Path("dist"),
        metavar="DIR",
        help="where `build` writes the zip files (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def run(args: argparse.Namespace) -> int:
    from bshm_bridge.editors.install import editors
    from bshm_bridge.errors import MattingError

    known = editors()
    unknown = [name for name in args.editors if name not in known]
    if unknown:
        print(f"There is no editor {unknown[0]}: choose {' or '.join(known)}.", file=sys.stderr)
        return USAGE
    if args.profile is not None and len(args.editors) != 1:
        print("--profile needs the one editor whose profile it is.", file=sys.stderr)
        return USAGE
    chosen = {name: known[name] for name in args.editors} or known
    if args.action == "build":
        return _build(chosen, args)
    rows, failures = [], []
    for editor in chosen.values():
        for profile in _profiles(editor, args.profile):
            row = {"editor": editor.name, "label": profile.label, "folder": str(profile.folder)}
            try:
                row["change"] = _change(args.action, editor, profile)
            except MattingError as error:
                failures.append(str(error))
                row["change"] = "failed"
            row["version"] = editor.version(profile)
            rows.append(row)
    _report(args, rows)
    for failure in failures:
        print(failure, file=sys.stderr)
    if not rows:
        names = " or ".join(editor.title for editor in chosen.values())
        print(
            f"No {names} profile was found: start the editor once, then try again.",
            file=sys.stderr,
        )
        return DONE if args.action == "list" else FAILED
    return FAILED if failures else DONE


def _profiles(editor: Editor, named: Path | None) -> list[Profile]:
    from bshm_bridge.editors.base import Profile

    if named is None:
        return editor.profiles()
    return [Profile(editor.name, f"{editor.title} in {named}", named)]


def _change(action: str, editor: Editor, profile: Profile) -> str:
    from bridge_client.home import home
    from bridge_client.launcher import write_launch_file
    from bshm_bridge.editors import install

    if action == "install":
        write_launch_file(home())  # a plugin starts the service that installed it
        before = editor.version(profile)
        install.install(editor, profile)
        return "updated" if before else "installed"
    if action == "uninstall":
        return "removed" if install.uninstall(editor, profile) else "was not installed"
    return ""


def _report(args: argparse.Namespace, rows: list[dict[str, str]]) -> None:
    if args.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        state = row["change"] or (
            f"plugin {row['version']}" if row["version"] else "no plugin (`bshm plugins install`)"
        )
        print(f"{row['label']}: {state}")


def _build(chosen: dict[str, Editor], args: argparse.Namespace) -> int:
    from bshm_bridge import __version__
    from bshm_bridge.editors.install import build
    from bshm_bridge.errors import MattingError

    try:
        paths = {name: str(build(editor, args.dir, __version__)) for name, editor in chosen.items()}
    except MattingError as error:
        print(error, file=sys.stderr)
        return FAILED
    print(json.dumps(paths, indent=2) if args.json else "\n".join(paths.values()))
    return DONE
