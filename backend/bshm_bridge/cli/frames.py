"""The frames of a video: a file's, or numbered pictures in a folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge_client import Pixels
from bshm_bridge.cli.clips import ClipReader
from bshm_bridge.cli.inputs import Input, pictures_in
from bshm_bridge.cli.pictures import read_picture
from bshm_bridge.errors import InvalidInput


@dataclass
class Frames:
    """The frames of one video in their order.

    Attributes
    ----------
    count
        About how many there are; 0 where that is not known.
    rate
        Frames per second; None for numbered pictures.
    frames
        A name for each frame, and a function that returns its pixels.
    """

    count: int
    rate: Any
    frames: Iterable[tuple[str, Callable[[], Pixels]]]


def frames_of(video: Input) -> Frames:
    """Open a video; raises `InvalidInput` where it is none, `NotReady` where PyAV is missing."""
    assert isinstance(video.source, Path)
    return _numbered(video, video.source) if video.source.is_dir() else _clip(video, video.source)


def _clip(video: Input, file: Path) -> Frames:
    clip = ClipReader(file, video.name)

    def frames() -> Iterator[tuple[str, Callable[[], Pixels]]]:
        try:
            for number, picture in enumerate(clip, start=1):
                yield f"{number:06}", partial(_pixels, picture)
        finally:
            clip.close()

    return Frames(clip.count, clip.rate, frames())


def _numbered(video: Input, folder: Path) -> Frames:
    files = sorted(pictures_in(folder, video.folder), key=_by_number)
    (stem, count), *_ = Counter(file.stem for file in files).most_common(1)
    if count > 1:
        raise InvalidInput(f"{video.name} has two frames named {stem}.", "frame-twice")
    frames = [(file.stem, partial(read_picture, file, file.name)) for file in files]
    return Frames(len(files), None, frames)


def _by_number(file: Path) -> tuple[list[tuple[int, int | str]], str]:
    """Order names as people do: frame9 before frame10."""
    parts = re.split(r"(\d+)", file.stem)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts if part], file.name


def _pixels(picture: NDArray[np.uint8]) -> Pixels:
    height, width = picture.shape[:2]
    return Pixels(memoryview(picture).cast("B"), width, height, "RGB")
