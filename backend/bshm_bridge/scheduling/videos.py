"""What temporal models remember of the videos that are under way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bshm_bridge.engines.base import Recurrence
from bshm_bridge.errors import InvalidInput, NotReady
from bshm_bridge.scheduling.request import JobRequest, VideoFrame

ModelKey = tuple[str, str, str]


@dataclass
class _Video:
    model: ModelKey
    size: tuple[int, int]
    recurrence: Recurrence = field(default_factory=Recurrence)
    next: int = 0
    busy: bool = False
    used: float = field(default_factory=time.monotonic)


class Videos:
    """Keeps the frames of each video in order, and each video's memory apart.

    Parameters
    ----------
    most
        Videos that are remembered at the most; the one that was idle longest goes first.
    idle
        Seconds without a frame after which a video is forgotten.
    """

    def __init__(self, most: int = 16, idle: float = 300.0) -> None:
        self._most = most
        self._idle = idle
        self._videos: dict[tuple[str, str], _Video] = {}

    def __len__(self) -> int:
        return len(self._videos)

    @contextmanager
    def frame(self, request: JobRequest, model: ModelKey) -> Iterator[Recurrence]:
        """Hold what is remembered of a request's video while its next frame is worked on.

        A frame that fails or is cancelled ends its video, and so does its last one.

        Raises
        ------
        InvalidInput
            The frame is not the next one, or has another size or model than the one before.
        NotReady
            Nothing is remembered of the video.
        """
        assert request.frame is not None
        key = _key(request, request.frame)
        video = self._next(key, request.frame, model, _size(request))
        video.busy = True
        try:
            yield video.recurrence
        except BaseException:
            self._videos.pop(key, None)
            raise
        video.busy = False
        video.next += 1
        video.used = time.monotonic()
        if request.frame.last:
            self._videos.pop(key, None)

    def forget(self, request: JobRequest) -> None:
        """Drop what is remembered of a request's video: nobody wants more of it."""
        if request.frame is not None:
            self._videos.pop(_key(request, request.frame), None)

    def _next(
        self, key: tuple[str, str], frame: VideoFrame, model: ModelKey, size: tuple[int, int]
    ) -> _Video:
        self._make_room()
        video = self._videos.get(key)
        if video is not None and video.busy:
            raise InvalidInput(
                "The frame before is still in work: send the frames of a video one by one.",
                "frame-order",
            )
        if frame.number == 0:
            video = self._videos[key] = _Video(model, size)
            return video
        if video is None:
            raise NotReady(
                "What was remembered of this video is gone: start it again from its first frame.",
                "video-forgotten",
            )
        if frame.number != video.next:
            raise InvalidInput(
                f"Frame {video.next} of the video comes next, not frame {frame.number}.",
                "frame-order",
            )
        if video.size != size:
            raise InvalidInput("The frames of a video must all have one size.", "frame-size")
        if video.model != model:
            raise InvalidInput(
                "The model cannot change in the middle of a video: start it again from its "
                "first frame.",
                "frame-model",
            )
        return video

    def _make_room(self) -> None:
        now = time.monotonic()
        idle = sorted(
            (key for key, video in self._videos.items() if not video.busy),
            key=lambda key: self._videos[key].used,
        )
        surplus = len(self._videos) + 1 - self._most
        for place, key in enumerate(idle):
            if place < surplus or now - self._videos[key].used > self._idle:
                del self._videos[key]


def _key(request: JobRequest, frame: VideoFrame) -> tuple[str, str]:
    return request.client_id or request.client, frame.video


def _size(request: JobRequest) -> tuple[int, int]:
    return request.pixels.width, request.pixels.height
