"""Where the results of a video go: a file each for matte and cut-out, or a picture each frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bridge_client import Matte, Pixels
from bshm_bridge.cli.clips import ALPHA_NAME, RGBA_NAME, ClipWriter
from bshm_bridge.cli.pictures import result_images, save
from bshm_bridge.errors import InvalidInput

ALPHA_FOLDER, RGBA_FOLDER = "alpha", "rgba"


class Sink(Protocol):
    """Where the results of a video go."""

    def has(self, name: str) -> bool:
        """Whether the results of a frame are there already."""

    def write(self, name: str, matte: Matte, pixels: Pixels) -> None:
        """Take the results of the next frame."""

    def finish(self) -> tuple[Path, Path]:
        """Return where alpha and cut-out are, as files or folders."""

    def abandon(self) -> None:
        """Leave nothing behind that looks whole and is not."""


class PictureSink:
    """A PNG file for each frame, in the folders ``alpha`` and ``rgba``."""

    def __init__(self, folder: Path) -> None:
        self._folders = folder / ALPHA_FOLDER, folder / RGBA_FOLDER
        for inside in self._folders:
            inside.mkdir(exist_ok=True)

    def has(self, name: str) -> bool:
        return all(self._file(folder, name).exists() for folder in self._folders)

    def write(self, name: str, matte: Matte, pixels: Pixels) -> None:
        profiles = b"", pixels.icc_profile
        images = result_images(matte, pixels)
        for folder, image, profile in zip(self._folders, images, profiles, strict=True):
            save(image, self._file(folder, name), profile)

    def finish(self) -> tuple[Path, Path]:
        return self._folders

    def abandon(self) -> None:
        """Keep the frames that are done: each is whole."""

    def _file(self, folder: Path, name: str) -> Path:
        return folder / f"{name}.png"


class ClipSink:
    """``alpha.mkv``, without loss, and ``rgba.mov``, with transparency."""

    def __init__(self, folder: Path, rate: Any) -> None:
        self._folder = folder
        self._rate = rate
        self._writers: list[ClipWriter] = []

    def has(self, name: str) -> bool:
        return False

    def write(self, name: str, matte: Matte, pixels: Pixels) -> None:
        alpha, rgba = result_images(matte, pixels)
        if not self._writers:
            size = (pixels.width, pixels.height)
            for file in (ALPHA_NAME, RGBA_NAME):
                self._writers.append(ClipWriter(self._folder / file, size, self._rate))
        self._writers[0].write(np.asarray(alpha.convert("L")))
        self._writers[1].write(np.asarray(rgba.convert("RGBA")))

    def finish(self) -> tuple[Path, Path]:
        if not self._writers:
            raise InvalidInput("The video has no frames.", "no-video")
        alpha, rgba = (writer.finish() for writer in self._writers)
        return alpha, rgba

    def abandon(self) -> None:
        for writer in self._writers:
            writer.abandon()
