"""Video files, frame by frame, through PyAV (FFmpeg)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bshm_bridge.errors import InvalidInput, NotReady

ALPHA_NAME, RGBA_NAME = "alpha.mkv", "rgba.mov"

SUFFIXES = (
    *(".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv"),
    *(".mts", ".m2ts", ".3gp", ".ogv", ".mxf"),
)


class ClipReader:
    """The pictures of a video file.

    Parameters
    ----------
    path
        The file.
    name
        What to call it in messages.

    Raises
    ------
    NotReady
        PyAV is not installed.
    InvalidInput
        It is no video that can be read.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._av = _pyav()
        self._name = name
        try:
            self._container = self._av.open(str(path))
            self._stream = self._container.streams.video[0]
        except FileNotFoundError as error:
            raise InvalidInput(f"{name}: there is no such file.", "no-file") from error
        except (OSError, ValueError, IndexError, self._av.FFmpegError) as error:
            raise InvalidInput(f"{name} is no video that can be read.", "no-video") from error
        self._stream.thread_type = "AUTO"

    @property
    def rate(self) -> Fraction:
        """Frames per second."""
        return Fraction(self._stream.average_rate or self._stream.base_rate or 25)

    @property
    def count(self) -> int:
        """About how many frames there are; 0 where that is not known."""
        if self._stream.frames:
            return int(self._stream.frames)
        if self._stream.duration and self._stream.time_base:
            return round(float(self._stream.duration * self._stream.time_base * self.rate))
        return 0

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the pictures, H×W×3, RGB, upright.

        Raises
        ------
        InvalidInput
            The file is broken from here on.
        """
        number = 0
        try:
            for frame in self._container.decode(self._stream):
                number += 1
                turns = round(getattr(frame, "rotation", 0) / 90)
                upright = np.rot90(frame.to_ndarray(format="rgb24"), turns)
                yield np.ascontiguousarray(upright)
        except self._av.FFmpegError as error:
            raise InvalidInput(
                f"{self._name} is broken after frame {number}.", "broken-video"
            ) from error

    def close(self) -> None:
        self._container.close()


class ClipWriter:
    """A video file in the making; it gets its name when it is whole.

    Parameters
    ----------
    path
        A grey video is written without loss (FFV1 in .mkv), one with transparency as ProRes
        4444 (.mov), which editing programs take.
    size
        Width and height of the pictures.
    """

    def __init__(self, path: Path, size: tuple[int, int], rate: Fraction) -> None:
        self._av = _pyav()
        self._path = path
        self._partial = path.with_name(f".{path.name}.part")
        grey = path.suffix == ".mkv"
        self._format = "gray" if grey else "rgba"
        container = "matroska" if grey else "mov"
        self._container = self._av.open(str(self._partial), "w", format=container)
        self._stream = self._container.add_stream("ffv1" if grey else "prores_ks", rate=rate)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "gray" if grey else "yuva444p10le"
        if not grey:
            self._stream.options = {"profile": "4444"}

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Append a picture: H×W for a grey video, else H×W×4."""
        frame = self._av.VideoFrame.from_ndarray(picture, format=self._format)
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> Path:
        """Write what is still held back, and give the file its name."""
        self._container.mux(self._stream.encode())
        self._container.close()
        self._partial.replace(self._path)
        return self._path

    def abandon(self) -> None:
        """Leave nothing behind."""
        with suppress(Exception):  # a full disk, for instance: that has been reported
            self._container.close()
        self._partial.unlink(missing_ok=True)


def _pyav() -> Any:
    try:
        import av
    except ImportError as error:
        raise NotReady(
            "Video files need PyAV: install it with `pip install 'bshm-bridge[video]'`, or give "
            "the frames as numbered pictures (--sequence).",
            "no-pyav",
        ) from error
    # What is broken in a file is said in our own words.
    av.logging.set_level(av.logging.PANIC)
    return av
