"""How large a picture a network takes: the rules that a manifest can name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bshm_bridge.models.fields import Fields


@dataclass(frozen=True)
class AtMost:
    """Keep the image's size; shrink it where its long side is above `long_side` pixels.

    Both sides are then rounded to multiples of `multiple_of`: ``nearest`` or ``up``.
    """

    long_side: int
    multiple_of: int = 1
    rounding: Literal["nearest", "up"] = "nearest"
    rule: Literal["at-most"] = "at-most"


@dataclass(frozen=True)
class Fixed:
    """Stretch the image to exactly this many pixels."""

    width: int
    height: int
    rule: Literal["fixed"] = "fixed"


@dataclass(frozen=True)
class ShortSide:
    """Scale the image until its short side has `pixels`, sides multiples of `multiple_of`.

    Attributes
    ----------
    when
        ``always``; ``larger``: only images whose short side is larger; ``outside``: only
        images of which both sides are larger, or both smaller.
    rounding
        To multiples: ``nearest`` or ``down``.
    """

    pixels: int
    multiple_of: int = 1
    when: Literal["always", "larger", "outside"] = "always"
    rounding: Literal["nearest", "down"] = "nearest"
    rule: Literal["short-side"] = "short-side"


SizeRule = AtMost | Fixed | ShortSide


def size_rule(table: Fields) -> SizeRule:
    """Read ``size``."""
    rule = table.choice("rule", ("", "at-most", "fixed", "short-side"))
    if not rule:  # its absence has been noted; what else is there depends on it
        return AtMost(1)
    size: SizeRule
    if rule == "fixed":
        size = Fixed(width=table.side("width"), height=table.side("height"))
    elif rule == "short-side":
        size = ShortSide(
            pixels=table.side("pixels"),
            multiple_of=table.multiple(),
            when=table.choice("when", ("always", "larger", "outside"), "always"),
            rounding=table.choice("rounding", ("nearest", "down"), "nearest"),
        )
        pixels = size.pixels
    else:
        size = AtMost(
            long_side=table.side("long_side"),
            multiple_of=table.multiple(),
            rounding=table.choice("rounding", ("nearest", "up"), "nearest"),
        )
        pixels = size.long_side
    if not isinstance(size, Fixed) and 0 < pixels < size.multiple_of:
        table.mistake("multiple_of", "must not be above the number of pixels")
    table.finish()
    return size
