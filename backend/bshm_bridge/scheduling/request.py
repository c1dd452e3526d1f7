"""What a job is asked to do, what it tells on the way, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bshm_bridge.errors import Exhausted, InvalidInput
from bshm_bridge.matting.edit import EditOptions
from bshm_bridge.matting.pixels import PixelFormat


@dataclass(frozen=True)
class JobOptions:
    """How the matte is to be made; lengths in layer pixels."""

    model: str = "auto"
    engine: str = ""
    device: str = "auto"
    refinement: Literal["best", "fast"] = "best"
    depth: Literal["u8", "u16"] = "u8"
    foreground: bool = False
    edit: EditOptions = field(default_factory=EditOptions)
    batch: bool = False


@dataclass(frozen=True)
class VideoFrame:
    """Which frame of which video a layer is.

    Attributes
    ----------
    video
        One per video and client.
    number
        From 0, without gaps.
    last
        Whether nothing needs to be remembered after it.
    """

    video: str
    number: int
    last: bool = False


@dataclass(frozen=True)
class JobRequest:
    """One layer to be matted, still without its pixels."""

    pixels: PixelFormat
    options: JobOptions = field(default_factory=JobOptions)
    hint: PixelFormat | None = None
    trimap: PixelFormat | None = None
    client: str = ""
    client_id: str = ""
    frame: VideoFrame | None = None
    remembered: str = ""
    """Names an earlier job's alpha of the same pixels, which are then not sent."""

    @property
    def planes(self) -> list[PixelFormat]:
        """Formats of what the payload holds, in order."""
        return [plane for plane in (self.pixels, self.hint, self.trimap) if plane is not None]

    @property
    def nbytes(self) -> int:
        """Bytes of the payload."""
        return 0 if self.remembered else sum(plane.nbytes for plane in self.planes)

    def check(self, max_pixels: int) -> None:
        """Raise `InvalidInput` where the request makes no sense, `Exhausted` if it is too large."""
        size = (self.pixels.width, self.pixels.height)
        for plane in self.planes:
            plane.check()
        if size[0] * size[1] > max_pixels:
            raise Exhausted(
                f"The layer has {size[0] * size[1] / 1e6:.0f} megapixels; the limit is "
                f"{max_pixels / 1e6:.0f}. Scale it down, or raise max_pixels in the settings.",
                "too-large",
            )
        for name, extra in (("selection", self.hint), ("trimap", self.trimap)):
            if extra is not None and (extra.width, extra.height) != size:
                raise InvalidInput(f"The {name} has another size than the layer.", "bad-size")
            if extra is not None and extra.layout != "GRAY":
                raise InvalidInput(f"The {name} must have one grey channel.", "bad-format")
        fast = self.options.refinement == "fast" and not self.options.foreground
        if self.remembered and (not fast or self.planes[1:] or self.frame):
            raise InvalidInput(
                "What is remembered of a layer serves a fast matte alone: send the layer.",
                "bad-header",
            )
        if self.trimap is not None and self.trimap.depth != "u8":
            raise InvalidInput("The trimap must have 8 bits per pixel.", "bad-format")


@dataclass(frozen=True)
class Queued:
    """Waiting; `position` jobs come first."""

    position: int


@dataclass(frozen=True)
class Loading:
    """The model is being made ready."""

    stage: str
    fraction: float
    model: str


@dataclass(frozen=True)
class Running:
    """Being worked on."""

    stage: str
    fraction: float = -1.0


Event = Queued | Loading | Running
Tell = Callable[[Event], None]


@dataclass(frozen=True)
class Notice:
    """Something the user should know about a result that did arrive."""

    reason: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """A finished job.

    Attributes
    ----------
    matte
        H×W, u8 or u16, over its full range.
    foreground
        H×W×3 (RGB) or H×W×1 in the layer's own depth, where it was asked for.
    remembered
        Names the network's alpha for a later request; empty where it is not kept.
    """

    matte: NDArray[Any]
    foreground: NDArray[Any] | None
    model: str
    engine: str
    device: str
    notices: tuple[Notice, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    cached: bool = False
    remembered: str = ""


Payload = NDArray[np.uint8]
"""The planes of a request, one after the other."""
