"""Mattes videos: files, and folders of numbered frames, each frame in its order."""

from __future__ import annotations

import argparse
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from bridge_client import (
    BridgeClient,
    BridgeError,
    Cancellation,
    CannotMatte,
    Matte,
    MatteOptions,
    Pixels,
    VideoFrame,
)
from bshm_bridge.cli.frames import Frames, frames_of
from bshm_bridge.cli.inputs import Input
from bshm_bridge.cli.sinks import ClipSink, PictureSink, Sink
from bshm_bridge.errors import InvalidInput


def matte_video(
    video: Input,
    client: BridgeClient,
    options: MatteOptions,
    args: argparse.Namespace,
    advance: Callable[[int, int], None],
) -> dict[str, Any]:
    """Matte a video and return what became of it, as JSON shows it.

    Parameters
    ----------
    advance
        Called with the number of frames that are done, and of all.

    Raises
    ------
    InvalidInput
        It cannot be read, or a frame has another size than the first.
    BridgeError
        What the service said of a frame.
    OSError
        The results cannot be written.
    """
    if args.hint or args.trimap:
        raise InvalidInput(
            "--hint and --trimap are for single pictures: a video has another for each frame.",
            "single-picture-option",
        )
    start = time.perf_counter()
    source = frames_of(video)
    video.folder.mkdir(parents=True, exist_ok=True)
    as_files = args.frames or source.rate is None
    sink: Sink = PictureSink(video.folder) if as_files else ClipSink(video.folder, source.rate)
    run = _Run(client, options, temporal=_is_temporal(client, options.model))
    try:
        for done in run.through(source, sink, jobs=args.jobs, resume=args.resume):
            advance(done, max(done, source.count))
        alpha, rgba = sink.finish()
    except BaseException:
        sink.abandon()
        raise
    last = run.last
    notices = {notice.reason: notice.message for notice in last.notices} if last else {}
    if run.empty:
        notices["no-person-found"] = (
            f"No person was found in {run.empty} of {run.done} frames: their mattes are empty."
        )
    return {
        "input": video.name,
        "alpha": str(alpha),
        "rgba": str(rgba),
        "frames": run.done,
        "skipped_frames": run.skipped,
        "width": run.size[0],
        "height": run.size[1],
        "model": last.model if last else "",
        "engine": last.engine if last else "",
        "device": last.device if last else "",
        "seconds": round(time.perf_counter() - start, 3),
        "cached": False,
        "notices": [{"reason": reason, "message": text} for reason, text in notices.items()],
    }


class _Run:
    """One video on its way through the service."""

    def __init__(self, client: BridgeClient, options: MatteOptions, *, temporal: bool) -> None:
        self.done = self.skipped = self.empty = 0
        self.size = (0, 0)
        self.last: Matte | None = None
        self._client = client
        self._options = options
        self._cancel = Cancellation()
        self._temporal = temporal
        self._video = uuid.uuid4().hex

    def through(self, source: Frames, sink: Sink, *, jobs: int, resume: bool) -> Iterator[int]:
        """Matte and write frame after frame, and yield how many are done.

        A temporal model gets one frame at a time; the next is read, and the last written, while
        it works. Others get as many as `jobs`.
        """
        frames = source.frames
        if resume and self._temporal:
            # It must see every frame, or none where all of them are done; of a file's frames
            # nobody knows the number before they were read.
            frames = list(frames) if source.rate is None else frames
            resume = isinstance(frames, list) and all(sink.has(name) for name, _ in frames)
        flight = 1 if self._temporal else jobs
        pending: deque[tuple[str, Pixels, Future[Matte]]] = deque()
        with ThreadPoolExecutor(flight) as pool:
            try:
                number = 0
                for (name, read), last in _with_last(frames):
                    if resume and sink.has(name):
                        self.skipped += 1
                        continue
                    pixels = self._checked(name, read())
                    finished = self._wait(pending) if len(pending) >= flight else None
                    frame = VideoFrame(self._video, number, last)
                    pending.append((name, pixels, pool.submit(self._matte, pixels, frame)))
                    number += 1
                    if finished is not None:
                        yield self._write(sink, *finished)
                while pending:
                    yield self._write(sink, *self._wait(pending))
            except BaseException:
                self._cancel.cancel()
                for _, _, future in pending:
                    future.cancel()
                raise

    def _checked(self, name: str, pixels: Pixels) -> Pixels:
        size = (pixels.width, pixels.height)
        if self.size not in ((0, 0), size):
            raise InvalidInput(
                f"frame {name} is {size[0]}×{size[1]}, those before {self.size[0]}×{self.size[1]}.",
                "frame-size",
            )
        self.size = size
        return pixels

    def _matte(self, pixels: Pixels, frame: VideoFrame) -> Matte:
        return self._client.matte(pixels, options=self._options, frame=frame, cancel=self._cancel)

    def _wait(
        self, pending: deque[tuple[str, Pixels, Future[Matte]]]
    ) -> tuple[str, Pixels, Matte | None]:
        name, pixels, future = pending.popleft()
        try:
            return name, pixels, future.result()
        except CannotMatte as error:
            if error.reason != "no-person-found":
                raise
            return name, pixels, None
        except BridgeError as error:
            error.args = (f"frame {name}: {error}",)
            raise

    def _write(self, sink: Sink, name: str, pixels: Pixels, matte: Matte | None) -> int:
        if matte is None:
            self.empty += 1
            matte = _empty(pixels, self.last)
        else:
            self.last = matte
        sink.write(name, matte, pixels)
        self.done += 1
        return self.done + self.skipped


def _empty(pixels: Pixels, like: Matte | None) -> Matte:
    """Return the matte of a frame from which everybody has gone."""
    alpha = Pixels(bytes(pixels.width * pixels.height), pixels.width, pixels.height, "GRAY")
    names = (like.model, like.engine, like.device) if like else ("", "", "")
    return Matte(alpha, None, *names)


def _with_last(frames: Iterable[Any]) -> Iterator[tuple[Any, bool]]:
    """Yield each item, and whether it is the last."""
    items = iter(frames)
    for item in items:
        for following in items:
            yield item, False
            item = following
        yield item, True


def _is_temporal(client: BridgeClient, model: str) -> bool:
    models = client.status(start=True).models
    return any(known.temporal for known in models if known.name == model)
