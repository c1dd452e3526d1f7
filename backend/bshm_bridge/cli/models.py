"""`bshm models`: model files and the manifests that describe them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bshm_bridge.models.manifest import Manifest
    from bshm_bridge.models.store import ModelStore
    from bshm_bridge.paths import Paths

DONE, FAILED, BAD_INPUT = 0, 1, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="show the models and which are installed")
    pull = actions.add_parser("pull", help="download a model")
    pull.add_argument("name", help="as in the list, for instance bshm")
    add = actions.add_parser("add", help="use a model file that is on this machine already")
    add.add_argument("path", type=Path, help="a model.toml, its folder, or a known model's file")
    add.add_argument(
        "--as", dest="name", default="", metavar="NAME", help="which known model the file is"
    )
    check = actions.add_parser("check", help="find the mistakes in manifests and model files")
    check.add_argument(
        "what", nargs="*", help="a model.toml, its folder, or a name; all that is installed if none"
    )
    convert = actions.add_parser(
        "convert", help="make the ONNX file of a TensorFlow model, for the engine onnx"
    )
    convert.add_argument("name")
    remove = actions.add_parser("remove", help="delete a model's files")
    remove.add_argument("name")
    for action in (listing, pull, add, check, convert, remove):
        action.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    from bshm_bridge.models.manifest import ManifestError
    from bshm_bridge.models.store import store_of
    from bshm_bridge.paths import Paths, home

    paths = Paths(home())
    store = store_of(paths.models)
    try:
        if args.action == "list":
            return _list(store, args)
        if args.action == "pull":
            return _pull(store, args)
        if args.action == "add":
            manifest = store.add(args.path, args.name)
            _say(args, {"name": manifest.name}, f"The model “{manifest.name}” is installed.")
            return DONE
        if args.action == "check":
            return _check(store, paths, args)
        if args.action == "convert":
            return _convert(store, paths, args)
        removed = store.remove(args.name)
        what = "is removed" if removed else "is not installed"
        _say(args, {"name": args.name, "removed": removed}, f"The model “{args.name}” {what}.")
        return DONE
    except ManifestError as error:
        about = getattr(args, "path", None) or getattr(args, "name", args.action)
        for mistake in error.mistakes:
            print(f"bshm: {about}: {mistake}", file=sys.stderr)
        return BAD_INPUT


def _say(args: argparse.Namespace, machine: dict[str, Any], people: str) -> None:
    print(json.dumps(machine, indent=2) if args.json else people)


def _list(store: ModelStore, args: argparse.Namespace) -> int:
    from bshm_bridge.engines.registry import CLASSIC, PREFERRED

    rows = [_row(CLASSIC, True, "")]
    for entry in sorted(store.entries(), key=lambda entry: entry.name != PREFERRED):
        if entry.manifest is None:
            rows.append({"name": entry.name, "installed": False, "problem": entry.problem})
        else:
            rows.append(_row(entry.manifest, entry.file is not None, entry.problem))
    if args.json:
        print(json.dumps(rows, indent=2))
        return DONE
    for row in rows:
        if row["problem"]:
            print(f"{row['name']}: {row['problem']}", file=sys.stderr)
    table: list[tuple[str, ...]] = [
        ("MODEL", "INSTALLED", "ENGINES", "SPEED", "SIZE", "LICENCE", "GOOD FOR")
    ]
    table += [_cells(row) for row in rows if "engines" in row]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]) - 1)]
    for line in table:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        print("  ".join([*cells, line[-1]]).rstrip())
    if any(not row.get("commercial_use", True) for row in rows):
        print("* The licence of the weights does not allow commercial use.")
    return DONE


def _row(manifest: Manifest, installed: bool, problem: str) -> dict[str, Any]:
    kept = manifest.to_dict()
    for part in ("input", "output", "extra_inputs", "states"):
        kept.pop(part)
    kept |= {"needs_trimap": manifest.needs_trimap, "temporal": manifest.temporal}
    return {**kept, "installed": installed, "problem": problem}


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    size = row["download_size"]
    return (
        row["name"],
        "yes" if row["installed"] else "no",
        ", ".join(row["engines"]),
        row["speed"],
        f"{size / 1e6:.0f} MB" if size else "",
        row["licence"] + ("" if row["commercial_use"] else " *"),
        row["good_for"]
        + (" (needs a trimap)" if row["needs_trimap"] else "")
        + (" (follows a video)" if row["temporal"] else ""),
    )


def _pull(store: ModelStore, args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from bshm_bridge.engines.base import Cancellation

    manifest = store.get(args.name)
    if store.file(manifest) is not None:
        store.verify(manifest)
        _say(
            args,
            {"name": manifest.name, "downloaded": False},
            f"The model “{manifest.name}” is installed already.",
        )
        return DONE
    with tqdm(
        total=100,
        unit="%",
        desc=manifest.name,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}",
        disable=args.json or not sys.stderr.isatty(),
        leave=False,
    ) as bar:

        def progress(stage: str, fraction: float) -> None:
            if fraction > 0:
                bar.update(100 * fraction - bar.n)

        store.fetch(manifest, Cancellation(), progress)
    _say(
        args,
        {"name": manifest.name, "downloaded": True},
        f"The model “{manifest.name}” is installed.",
    )
    return DONE


def _check(store: ModelStore, paths: Paths, args: argparse.Namespace) -> int:
    from bshm_bridge.models.inspection import inspect_path

    places = [
        (name, paths.models / name if (paths.models / name).is_dir() else Path(name))
        for name in args.what
    ]
    if not args.what:
        places = [
            (entry.name, paths.models / entry.name)
            for entry in store.entries()
            if entry.file is not None or entry.problem
        ]
    rows = []
    for name, path in places:
        manifest, mistakes = inspect_path(path)
        rows.append({"name": manifest.name if manifest else name, "mistakes": mistakes})
    if args.json:
        print(json.dumps(rows, indent=2))
    else:
        for row in rows:
            for mistake in row["mistakes"]:
                print(f"{row['name']}: {mistake}")
            if not row["mistakes"]:
                print(f"{row['name']}: right")
        if not rows:
            print("No model is installed.")
    return BAD_INPUT if any(row["mistakes"] for row in rows) else DONE


def _convert(store: ModelStore, paths: Paths, args: argparse.Namespace) -> int:
    from bshm_bridge.engines.base import Cancellation
    from bshm_bridge.engines.conversion import convert
    from bshm_bridge.engines.environments import Environments

    store.verify(store.get(args.name))
    manifest = store.get(args.name)  # with the checksum that may have been recorded just now
    file = store.file(manifest)
    assert file is not None

    def progress(stage: str, fraction: float) -> None:
        if not args.json:
            print(f"{stage} …", file=sys.stderr)

    environments = Environments(paths.engines)
    changed = convert(manifest, file, environments, paths.logs, Cancellation(), progress)
    store.save(changed)
    _say(
        args,
        {"name": changed.name, "engines": list(changed.engines)},
        f"The model “{changed.name}” now runs on {', '.join(changed.engines)}.",
    )
    return DONE
