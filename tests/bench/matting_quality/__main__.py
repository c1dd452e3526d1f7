"""Compare ways to bring a network's matte to full size, on scenes with a known answer.

    python -m tests.bench.matting_quality --megapixels 24 --colours --sheet sheet.png

pymatting, where it is installed, adds the closed-form matte of the sample portrait and the
reference for foreground colours. Errors count in the soft band; times are of this machine.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bshm_bridge.matting.foreground import foreground

from . import memory, photographs, trials
from .scenes import HELD_OUT, RECIPES, Scene, render


def main() -> None:
    options = _arguments()
    if options.memory:
        side = (options.megapixels * 1e6 / 6) ** 0.5
        for name, share in memory.table(round(3 * side), round(2 * side)):
            print(f"{name:28s} {share:5.2f} × layer")
        return
    rows: list[trials.Row] = []
    colours: list[trials.Row] = []
    strips = []
    for scene in _scenes(options):
        long_side = round(max(scene.alpha.shape) / options.ratio)
        alpha = trials.network_alpha(scene.alpha, long_side, options.network)
        found = trials.try_mattes(scene, alpha, options.methods)
        rows += found
        _print(found, header=len(rows) == len(found))
        if options.colours:
            found_colours = trials.try_colours(scene)
            _print(found_colours, header=not colours)
            colours += found_colours
        if options.sheet:
            strips.append(_strip(scene, found))
    print()
    _summary(rows)
    if colours:
        _summary(colours)
    if options.sheet:
        cv2.imwrite(str(options.sheet), np.vstack(strips)[..., ::-1])
        print(
            f"contact sheet: {options.sheet} (picture, {', '.join(_order(rows))}, true, on green)"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=float, default=6, help="of rendered scenes")
    parser.add_argument("--ratio", type=float, default=4, help="layer side / network side")
    parser.add_argument("--network", choices=["exact", "soft"], default="exact")
    parser.add_argument("--scenes", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--set", choices=["seen", "held-out", "all", "none"], default="all")
    parser.add_argument("--methods", nargs="*", default=list(trials.METHODS))
    parser.add_argument(
        "--photo", nargs=2, type=Path, action="append", default=[], metavar=("PICTURE", "MATTE")
    )
    parser.add_argument("--colours", action="store_true", help="compare foreground colours too")
    parser.add_argument("--memory", action="store_true", help="peak memory only")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet to look at")
    return parser.parse_args()


def _scenes(options: argparse.Namespace) -> Iterator[Scene]:
    sets = {"seen": RECIPES, "held-out": HELD_OUT, "all": RECIPES | HELD_OUT, "none": {}}
    side = (options.megapixels * 1e6 / 6) ** 0.5
    for name in options.scenes or sets[options.set]:
        yield render(name, round(3 * side), round(2 * side))
    if not options.scenes:
        portrait = photographs.portrait()
        if portrait is not None:
            yield portrait
    for picture, matte in options.photo:
        yield photographs.from_files(picture, matte)


def _print(rows: list[trials.Row], *, header: bool) -> None:
    if header and rows:
        print(f"{'':26s}{'':12s}" + "".join(f"{key:>11s}" for key in rows[0].figures))
    for row in rows:
        cells = "".join(f"{value:11.4g}" for value in row.figures.values())
        print(f"{row.scene:26s}{row.method:12s}{cells}", flush=True)


def _summary(rows: list[trials.Row]) -> None:
    """Means over the rendered scenes and over the photographs."""
    groups: dict[tuple[str, str], list[trials.Row]] = defaultdict(list)
    for row in rows:
        kind = "photographs" if row.scene.startswith("photo ") else "rendered"
        groups[kind, row.method].append(row)
    for (kind, method), members in groups.items():
        figures = {
            key: float(np.mean([row.figures[key] for row in members])) for key in members[0].figures
        }
        _print(
            [trials.Row(f"mean of {len(members)} {kind}", method, figures, members[0].result)],
            header=False,
        )
        if "MAD/cubic" in figures:
            worst = max(members, key=lambda row: row.figures["MAD/cubic"])
            print(f"{'':26s}{'':12s}worst {worst.figures['MAD/cubic']:.2f}: {worst.scene}")


def _order(rows: list[trials.Row]) -> list[str]:
    return list(dict.fromkeys(row.method for row in rows))


def _strip(scene: Scene, rows: list[trials.Row]) -> NDArray[np.uint8]:
    """A crop where the matte is softest: the picture, every matte, the true one, cut out."""
    height, width = 200, 260
    soft = cv2.boxFilter(scene.alpha * (1 - scene.alpha), -1, (width, height))
    y, x = np.unravel_index(int(np.argmax(soft)), soft.shape)
    top = int(np.clip(y - height // 2, 0, max(0, soft.shape[0] - height)))
    left = int(np.clip(x - width // 2, 0, max(0, soft.shape[1] - width)))
    window = np.s_[top : top + height, left : left + width]

    def grey(matte: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.repeat(matte[window][..., None], 3, axis=2)

    best = rows[-1].result
    colour = foreground(scene.image, best)[window].astype(np.float32)
    cover = best[window][..., None].astype(np.float32) / 255
    on_green = np.array([40, 200, 60]) + cover * (colour - np.array([40, 200, 60]))
    cells = [
        scene.image[window],
        *(grey(row.result) for row in rows),
        grey(np.round(scene.alpha * 255).astype(np.uint8)),
        on_green.astype(np.uint8),
    ]
    padded = [np.pad(c, [(0, height - c.shape[0]), (0, width - c.shape[1]), (0, 0)]) for c in cells]
    return np.hstack(padded)


if __name__ == "__main__":
    main()
