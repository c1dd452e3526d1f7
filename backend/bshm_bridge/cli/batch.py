"""Mattes many pictures at once: reading and writing of some while others are in the service."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bridge_client import (
    BadRequest,
    BridgeClient,
    BridgeError,
    Cancellation,
    Cancelled,
    Matte,
    MatteOptions,
    Pixels,
    Progress,
)
from bridge_client.launcher import write_launch_file
from bshm_bridge import paths
from bshm_bridge.cli.inputs import Input
from bshm_bridge.cli.pictures import read_gray, write_results
from bshm_bridge.cli.videos import matte_video
from bshm_bridge.errors import InvalidInput, MattingError

_CODES = {"too-large": 3, "no-person-found": 1}
"""Exit codes of what the service refuses because of the picture alone, by reason."""


@dataclass
class Report:
    """What became of the pictures, as JSON shows it."""

    results: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    codes: set[int] = field(default_factory=set)

    @property
    def exit_code(self) -> int:
        """0, or that of the failure that says most: the service's before a picture's."""
        return next((code for code in (4, 1, 3) if code in self.codes), 0)


def matte_all(inputs: list[Input], args: argparse.Namespace) -> Report:
    """Matte every picture, then every video; one that fails does not stop the others."""
    pictures = [it for it in inputs if not it.is_video]
    videos = [it for it in inputs if it.is_video]
    report = Report()
    options = MatteOptions(
        model=args.model,
        engine=args.engine,
        device=args.device,
        refinement=args.refine,
        depth=args.depth,
        foreground=not args.keep_colours,
        edge_shift=args.edge_shift,
        feather=args.feather,
        fill_holes=args.fill_holes,
        remove_specks=args.remove_specks,
        priority="batch" if len(inputs) > 1 or videos else "interactive",
    )
    # Whoever runs this command has the service installed: clients start this one from now on.
    write_launch_file(paths.home())
    client = BridgeClient("cli", exchange=not args.inline)
    if pictures:
        _matte_pictures(pictures, client, options, args, report)
    for video in videos:
        _matte_video(video, client, options, args, report)
    order = {it.name: place for place, it in enumerate(inputs)}
    report.results.sort(key=lambda result: order[result["input"]])
    report.failed.sort(key=lambda failure: order[failure["input"]])
    return report


def _matte_video(
    video: Input,
    client: BridgeClient,
    options: MatteOptions,
    args: argparse.Namespace,
    report: Report,
) -> None:
    with _Display(0, args, unit="frame") as display:
        work: Future[dict[str, Any]] = Future()
        try:
            work.set_result(matte_video(video, client, options, args, display.reached))
        except Exception as error:
            work.set_exception(error)
        _collect(report, video, work)


def _matte_pictures(
    pictures: list[Input],
    client: BridgeClient,
    options: MatteOptions,
    args: argparse.Namespace,
    report: Report,
) -> None:
    cancel = Cancellation()
    with _Display(len(pictures), args) as display:

        def one(picture: Input) -> dict[str, Any]:
            if cancel.cancelled:
                raise Cancelled
            start = time.perf_counter()
            pixels = picture.read()
            matte = client.matte(
                pixels,
                hint=_gray(args.hint, pixels),
                trimap=_gray(args.trimap, pixels),
                options=options,
                progress=display.step,
                cancel=cancel,
                timeout=args.timeout,
            )
            alpha, rgba = write_results(matte, pixels, picture.folder)
            return _result(picture, matte, alpha, rgba, time.perf_counter() - start)

        pool = ThreadPoolExecutor(min(args.jobs, len(pictures)))
        futures = {pool.submit(one, picture): picture for picture in pictures}
        try:
            for future in as_completed(futures):
                _collect(report, futures[future], future)
                display.advance()
        except KeyboardInterrupt:
            cancel.cancel()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        pool.shutdown()


def _collect(report: Report, picture: Input, future: Any) -> None:
    try:
        report.results.append(future.result())
        return
    except (InvalidInput, BadRequest) as error:
        code, reason, message = 3, error.reason, str(error)
    except (BridgeError, MattingError) as error:
        code, reason, message = _CODES.get(error.reason, 4), error.reason, str(error)
    except OSError as error:
        code, reason = 1, "not-written"
        message = f"the results cannot be written: {error.strerror or error}"
    except Exception as error:  # a bug, or no memory: the other pictures go on
        code, reason, message = 1, "internal", f"unexpectedly failed: {error!r}"
    report.codes.add(code)
    report.failed.append({"input": picture.name, "reason": reason, "message": message})


def _result(
    picture: Input, matte: Matte, alpha: Path, rgba: Path, seconds: float
) -> dict[str, Any]:
    return {
        "input": picture.name,
        "alpha": str(alpha),
        "rgba": str(rgba),
        "width": matte.alpha.width,
        "height": matte.alpha.height,
        "model": matte.model,
        "engine": matte.engine,
        "device": matte.device,
        "seconds": round(seconds, 3),
        "timings": {stage: round(value, 4) for stage, value in matte.timings.items()},
        "cached": matte.cached,
        "transport": matte.transport,
        "notices": [{"reason": n.reason, "message": n.message} for n in matte.notices],
    }


def _gray(path: str | None, pixels: Pixels) -> Pixels | None:
    if path is None:
        return None
    gray = read_gray(Path(path), path)
    if (gray.width, gray.height) != (pixels.width, pixels.height):
        raise InvalidInput(
            f"{path} is {gray.width}×{gray.height}, the picture {pixels.width}×{pixels.height}.",
            "bad-size",
        )
    return gray


class _Display:
    """Progress on a terminal: a bar that counts many pictures, or follows the stages of one.

    Of a video it counts the frames.
    """

    def __init__(self, count: int, args: argparse.Namespace, unit: str = "picture") -> None:
        shown = sys.stderr.isatty() and not args.quiet
        self._single = count == 1
        self._bar = tqdm(
            total=count or None,
            unit=unit,
            bar_format="{desc}|{bar}| {elapsed}" if self._single else None,
            disable=not shown,
            leave=False,
            file=sys.stderr,
        )

    def __enter__(self) -> _Display:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def step(self, progress: Progress) -> None:
        """Show what happens to a picture; of many, what all of them wait for."""
        if self._bar.disable:
            return
        if not self._single and progress.stage != "loading":
            if progress.stage == "running":
                self._bar.set_description("")
            return
        words = [progress.stage, progress.model, progress.detail]
        if progress.stage == "queued":
            words.append(f"({progress.position} before)")
        if progress.fraction is not None:
            words.append(f"{progress.fraction:.0%}")
        if self._single:
            self._bar.n = progress.fraction or 0.0
        self._bar.set_description(" ".join(word for word in words if word))

    def reached(self, done: int, total: int) -> None:
        """Show how many frames of a video are done."""
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def advance(self) -> None:
        if not self._single:
            self._bar.update()
