"""What goes into a matting request and what comes out, without any gRPC in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Layout = Literal["RGB", "RGBA", "BGRA", "GRAY", "GRAYA", "BGR"]
Depth = Literal["u8", "u16", "f16", "f32"]

CHANNELS: Mapping[str, int] = {"RGB": 3, "RGBA": 4, "BGRA": 4, "GRAY": 1, "GRAYA": 2, "BGR": 3}
BYTES: Mapping[str, int] = {"u8": 1, "u16": 2, "f16": 2, "f32": 4}

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True)
class Pixels:
    """A rectangle of pixels as an editor holds it.

    Parameters
    ----------
    data
        At least ``row_stride * height`` bytes, rows from the top, values little-endian.
    width, height
        Size in pixels, each at least 1.
    layout
        Order of the channels in memory.
    depth
        Type of one value: integers over their full range, floats over 0 to 1.
    row_stride
        Bytes from one row to the next; 0 for rows without padding.
    linear
        Whether colour values are proportional to light.
    icc_profile
        Bytes of the colour profile; empty means sRGB.
    """

    data: Buffer = field(repr=False)
    width: int
    height: int
    layout: Layout
    depth: Depth = "u8"
    row_stride: int = 0
    linear: bool = False
    icc_profile: bytes = field(default=b"", repr=False)

    @property
    def stride(self) -> int:
        """Bytes from one row to the next."""
        return self.row_stride or self.width * CHANNELS[self.layout] * BYTES[self.depth]

    @property
    def nbytes(self) -> int:
        """Bytes that the rectangle takes."""
        return self.stride * self.height


@dataclass(frozen=True)
class VideoFrame:
    """Which frame of a video some pixels are, for models that follow a video.

    Attributes
    ----------
    video
        A name that no other video of this client has.
    number
        From 0, without gaps: send one frame after the other.
    last
        Whether the service may forget the video after it.
    """

    video: str
    number: int
    last: bool = False


@dataclass(frozen=True)
class MatteOptions:
    """How a matte is to be made; every default is what most people want.

    Lengths are in layer pixels, areas in layer pixels².
    """

    model: str = "auto"
    engine: str = ""
    device: str = "auto"
    refinement: Literal["best", "fast"] = "best"
    depth: Literal["u8", "u16"] = "u8"
    foreground: bool = False
    edge_shift: float = 0.0
    feather: float = 0.0
    fill_holes: int = 0
    remove_specks: int = 0
    priority: Literal["interactive", "batch"] = "interactive"


@dataclass(frozen=True)
class Notice:
    """Something the user should know about a result that did arrive."""

    reason: str
    message: str


@dataclass(frozen=True)
class Matte:
    """The answer to a matting request.

    Attributes
    ----------
    alpha
        The alpha matte, layout GRAY, the layer's size, rows without padding: 0 is
        background, the full range is subject.
    foreground
        The layer's colours without the old background, where they were asked for: GRAY for
        a grey layer, else RGB, in the layer's own depth, transfer and profile.
    model, engine, device
        What did the work, for instance ``"bshm"``, ``"tf1"``, ``"NVIDIA RTX 4070"``.
    timings
        Seconds per stage.
    cached
        Whether it came from the service's result cache.
    remembered
        Names what the service remembers of the layer, for `BridgeClient.matte`; may be empty.
    transport
        How the pixels travelled.
    """

    alpha: Pixels
    foreground: Pixels | None
    model: str
    engine: str
    device: str
    notices: tuple[Notice, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    cached: bool = False
    remembered: str = ""
    transport: Literal["exchange", "inline"] = "exchange"


@dataclass(frozen=True)
class Progress:
    """Where a request is.

    Attributes
    ----------
    stage
        ``starting`` (the service), ``sending``, ``queued``, ``loading`` (the model),
        ``running`` or ``receiving``.
    detail
        The service's own word for a part of the stage, for instance ``downloading`` or
        ``inference``; for ``loading`` the model is in `model`.
    fraction
        Done part of the stage, 0 to 1, or None where it is unknown.
    position
        Jobs ahead of this one, for ``queued``.
    """

    stage: Literal["starting", "sending", "queued", "loading", "running", "receiving"]
    detail: str = ""
    fraction: float | None = None
    position: int = 0
    model: str = ""


@dataclass(frozen=True)
class ModelInfo:
    """One model as the service knows it."""

    name: str
    title: str
    installed: bool
    engine: str
    device: str
    state: str
    message: str = ""
    worker_memory: int = 0
    worker_pid: int = 0
    needs_trimap: bool = False
    temporal: bool = False
    licence: str = ""


@dataclass(frozen=True)
class JobInfo:
    """One job that the service runs or has queued."""

    client: str
    model: str
    stage: str
    priority: str
    width: int
    height: int
    age: float


@dataclass(frozen=True)
class ServiceStatus:
    """The running service."""

    version: str
    protocol: int
    pid: int
    uptime: float
    draining: bool
    models: tuple[ModelInfo, ...]
    jobs: tuple[JobInfo, ...]
    memory: int
    exchange: bool
    max_pixels: int
    done: int
    failed: int
    cancelled: int
    timings: Mapping[str, float]
    default_model: str
    default_reason: str
