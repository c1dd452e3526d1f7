"""Memory for layers, kept for a while: touching fresh pages takes longer than copying into them."""

from __future__ import annotations

import time
import weakref
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SMALLEST = 1 << 20  # bytes; what is smaller the allocator keeps itself
_KEPT = 60.0  # seconds, in which people try another option


@dataclass(frozen=True, eq=False)
class _Spare:
    since: float
    memory: NDArray[np.uint8]


class Buffers:
    """Hands out arrays of bytes; those that nobody uses any more are handed out again.

    Memory comes back when the last view of an array is gone and never before, so that nothing
    changes under somebody who still looks at it. Safe from any thread.

    Parameters
    ----------
    limit
        Bytes that are kept at the most while nobody uses them.
    """

    def __init__(self, limit: int = 256_000_000) -> None:
        self._limit = limit
        # Without a lock: memory may come back in the middle of anything, by the collector.
        self._spare: deque[_Spare] = deque()

    @property
    def spare(self) -> int:
        """Bytes that are kept and not in use."""
        return sum(entry.memory.size for entry in list(self._spare))

    def empty(self, size: int) -> NDArray[np.uint8]:
        """Return `size` bytes of any content."""
        if size < _SMALLEST:
            return np.empty(size, np.uint8)
        memory = self._take(size)
        # Views refer to the array below them that refers to no other: by way of a memoryview
        # that is `whole`, which therefore lives as long as any of them.
        whole = np.frombuffer(memoryview(memory), np.uint8)
        weakref.finalize(whole, self._give_back, memory).atexit = False
        return whole[:size]

    def trim(self) -> None:
        """Give back to the system what was not used for a while."""
        before = time.monotonic() - _KEPT
        for entry in list(self._spare):
            if entry.since < before:
                self._remove(entry)

    def _take(self, size: int) -> NDArray[np.uint8]:
        fitting = [e for e in list(self._spare) if size <= e.memory.size <= 2 * size]
        for entry in sorted(fitting, key=lambda entry: entry.memory.size):
            if self._remove(entry):
                return entry.memory
        return np.empty(size, np.uint8)

    def _give_back(self, memory: NDArray[np.uint8]) -> None:
        if self.spare + memory.size <= self._limit:
            self._spare.append(_Spare(time.monotonic(), memory))

    def _remove(self, entry: _Spare) -> bool:
        try:
            self._spare.remove(entry)
        except ValueError:  # another thread was quicker
            return False
        return True
