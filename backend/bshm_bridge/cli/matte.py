"""`bshm matte`: pictures and videos in, alpha and cut-out out, through the running service."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bshm_bridge.cli.batch import Report
    from bshm_bridge.cli.inputs import Input


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help="picture, video, folder of pictures, or http(s) URL",
    )
    parser.add_argument(
        "-i", "--input", action="append", default=[], metavar="INPUT", help="the same"
    )
    parser.add_argument(
        "-d",
        "--output_dir",
        "--output-dir",
        default="results",
        metavar="DIR",
        help="where the results go; made where it is missing (default: ./results); several "
        "inputs get a folder each",
    )
    parser.add_argument(
        "--sample", action="store_true", help="matte the portrait that comes with bshm-bridge"
    )
    parser.add_argument("--model", default="auto", metavar="M", help="default: the best there is")
    parser.add_argument("--engine", default="", metavar="E", help="tf1, tf2, onnx, classic …")
    parser.add_argument("--device", default="auto", choices=["auto", "gpu", "cpu"])
    parser.add_argument("--hint", metavar="FILE", help="grey picture: white roughly on the subject")
    parser.add_argument("--trimap", metavar="FILE", help="grey picture: 0, 255, else unknown")
    parser.add_argument(
        "--refine", default="best", choices=["best", "fast"], help="how edges become full size"
    )
    parser.add_argument("--depth", default="u8", choices=["u8", "u16"], help="of alpha.png")
    parser.add_argument(
        "--keep-colours",
        action="store_true",
        help="leave the old background's colour in the edges of rgba.png",
    )
    parser.add_argument("--edge-shift", type=float, default=0.0, metavar="PX", help="grow, shrink")
    parser.add_argument("--feather", type=float, default=0.0, metavar="PX")
    parser.add_argument(
        "--fill-holes",
        type=_area,
        default=0,
        metavar="AREA",
        help="up to so many pixels of the photo",
    )
    parser.add_argument(
        "--remove-specks",
        type=_area,
        default=0,
        metavar="AREA",
        help="the same, beside the subject",
    )
    parser.add_argument(
        "--sequence",
        action="store_true",
        help="the pictures of a folder are the frames of one video, in the order of their numbers",
    )
    parser.add_argument(
        "--frames",
        action="store_true",
        help="write a PNG file for each frame of a video, in place of alpha.mkv and rgba.mov",
    )
    parser.add_argument("--recursive", action="store_true", help="folders in folders as well")
    parser.add_argument("--resume", action="store_true", help="skip pictures that have results")
    parser.add_argument(
        "--jobs", type=_positive, default=3, metavar="N", help="pictures under way at once"
    )
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="limit for one picture")
    parser.add_argument("--inline", action="store_true", help="send pixels through the socket")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.add_argument("--json", action="store_true", help="results for programs")


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from bshm_bridge import samples
    from bshm_bridge.cli.batch import matte_all
    from bshm_bridge.cli.inputs import expand, refuse_to_overwrite
    from bshm_bridge.cli.pictures import refuse_unwritable

    named = [*args.inputs, *args.input]
    if args.sample:
        named.append(str(samples.portrait()))
    if not named:
        print("bshm matte: name a picture, a folder or a URL (or --sample)", file=sys.stderr)
        return 2
    folder = Path(args.output_dir)
    refuse_unwritable(folder)
    pictures = expand(named, folder, recursive=args.recursive, sequence=args.sequence)
    refuse_to_overwrite(pictures, [Path(path) for path in (args.hint, args.trimap) if path])
    skipped: list[Input] = []
    if args.resume:
        skipped = [picture for picture in pictures if picture.done]
        done = set(skipped)
        pictures = [picture for picture in pictures if picture not in done]
    report = matte_all(pictures, args)
    _print(report, skipped, args)
    return report.exit_code


def _print(report: Report, skipped: list[Input], args: argparse.Namespace) -> None:
    import json

    if args.json:
        print(
            json.dumps(
                {
                    "results": report.results,
                    "failed": report.failed,
                    "skipped": [picture.name for picture in skipped],
                },
                indent=2,
                ensure_ascii=False,
            )
        )
    else:
        for result in report.results:
            cached = ", cached" if result["cached"] else ""
            frames = f"{result['frames']} frames, " if "frames" in result else ""
            print(
                f"{result['input']}: {result['alpha']}, {result['rgba']} ({frames}"
                f"{result['model']} on {result['device']}, {result['seconds']:.1f} s{cached})"
            )
            for notice in result["notices"]:
                print(f"  note: {notice['message']}")
        if skipped:
            print(f"{len(skipped)} skipped: they have results already")
    for failure in report.failed:
        name, message = failure["input"], failure["message"]
        print(f"bshm: {message if name in message else f'{name}: {message}'}", file=sys.stderr)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _area(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must be at least 0")
    return value
