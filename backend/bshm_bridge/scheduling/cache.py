"""Remembers recent work, so that another option for the same layer needs no new inference."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from bshm_bridge.scheduling.request import JobRequest, Payload


@dataclass(frozen=True)
class Remembered:
    """The network's alpha of one layer, and who made it.

    Attributes
    ----------
    token
        By which a client can name it.
    """

    alpha: NDArray[np.float32]
    engine: str
    device: str
    notice: str = ""
    model: str = ""
    token: str = field(default_factory=secrets.token_hex)

    @property
    def nbytes(self) -> int:
        return int(self.alpha.nbytes)


class AlphaCache:
    """Network alphas by content, the least recently used dropped first.

    Parameters
    ----------
    limit
        Bytes that are kept at the most; 0 keeps nothing.
    entries
        Alphas that are kept at the most: people go back to a few layers, not to hundreds.
    """

    def __init__(self, limit: int, entries: int = 32) -> None:
        self._limit = limit
        self._most = entries
        self._used = 0
        self._entries: OrderedDict[tuple[Any, ...], Remembered] = OrderedDict()

    @property
    def enabled(self) -> bool:
        return self._limit > 0

    def get(self, key: tuple[Any, ...]) -> Remembered | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def by_token(self, token: str) -> Remembered | None:
        """Return what a client names by `token`."""
        for key, entry in self._entries.items():
            if secrets.compare_digest(entry.token, token):
                return self.get(key)
        return None

    def put(self, key: tuple[Any, ...], entry: Remembered) -> None:
        if entry.nbytes > self._limit:
            return
        old = self._entries.pop(key, None)
        self._used += entry.nbytes - (old.nbytes if old else 0)
        self._entries[key] = entry
        while self._used > self._limit or len(self._entries) > self._most:
            _, dropped = self._entries.popitem(last=False)
            self._used -= dropped.nbytes


def content_key(request: JobRequest, payload: Payload) -> tuple[Any, ...]:
    """Return what tells one layer (with hint and trimap) from every other."""
    return (request.pixels, request.hint, request.trimap, xxhash.xxh3_128_digest(payload))
