"""What some networks take besides the picture: a trimap, the size of things, their own memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bshm_bridge.models.fields import Fields

Kind = Literal["image", "trimap", "trimap-channels", "trimap-distances", "ratio"]
KINDS: tuple[Kind, ...] = (
    "image",
    "trimap",
    "trimap-channels",
    "trimap-distances",
    "ratio",
)


@dataclass(frozen=True)
class ExtraInput:
    """One more input of the network, by its name in the ONNX file.

    Attributes
    ----------
    kind
        ``image``: the picture once more, with statistics of its own. ``trimap``: one channel of
        0, ½ and 1. ``trimap-channels``: two channels that are 1 where the picture is known to be
        background, and where it is known to be subject. ``trimap-distances``: for each of these
        three channels of exp(-d² / 2 (s · 320)²), d being the distance in pixels and s 0.02,
        0.08 and 0.16 (Forte and Pitié, "F, B, Alpha Matting", 2020). ``ratio``: one number,
        `long_side` over the picture's long side.
    scale, mean, std
        Of an ``image``, as in the main input.
    long_side
        Pixels, of a ``ratio``.
    at_most_one
        Whether a ``ratio`` stops at 1.
    """

    tensor: str
    kind: Kind
    scale: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    long_side: int = 512
    at_most_one: bool = True


@dataclass(frozen=True)
class StatePair:
    """Memory from one frame of a video to the next: an output that is fed again."""

    input: str
    output: str


def extra_inputs(tables: Sequence[Fields]) -> tuple[ExtraInput, ...]:
    """Read ``[[extra_inputs]]``."""
    return tuple(_extra_input(table) for table in tables)


def states(tables: Sequence[Fields]) -> tuple[StatePair, ...]:
    """Read ``[[states]]``."""
    pairs = []
    for table in tables:
        pairs.append(StatePair(table.text("input"), table.text("output")))
        table.finish()
    return tuple(pairs)


def _extra_input(table: Fields) -> ExtraInput:
    tensor = table.text("tensor")
    kind = table.choice("kind", KINDS)
    extra = ExtraInput(tensor, kind)
    if kind == "image":
        extra = ExtraInput(
            tensor,
            kind,
            scale=table.nonzero("scale", 1.0),
            mean=table.numbers3("mean", (0.0, 0.0, 0.0)),
            std=table.nonzeros3("std", (1.0, 1.0, 1.0)),
        )
    elif kind == "ratio":
        extra = ExtraInput(
            tensor,
            kind,
            long_side=table.side("long_side"),
            at_most_one=table.flag("at_most_one", True),
        )
    table.finish()
    return extra
