"""One thing that `bshm doctor` has to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """A fact about this machine.

    Attributes
    ----------
    area
        What it is about, for instance ``"graphics"``.
    level
        ``ok``: as it should be; ``note``: works, and could be better; ``problem``: does not.
    text
        One sentence.
    mend
        What to do about it; every problem has one.
    """

    area: str
    level: Level
    text: str
    mend: str = ""
