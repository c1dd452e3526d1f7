"""Memory for layers, kept for a while: touching fresh pages takes longer than copying into them."""

from __future__ import annotations

import mmap
import time
import weakref
from collections import deque

import numpy as np
from numpy.typing import NDArray

_SMALLEST = 1 << 20  # bytes; what is smaller the allocator keeps itself
_KEPT = 10.0  # seconds


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
        self._spare: deque[tuple[float, mmap.mmap]] = deque()

    @property
    def spare(self) -> int:
        """Bytes that are kept and not in use."""
        return sum(len(memory) for _, memory in list(self._spare))

    def empty(self, size: int) -> NDArray[np.uint8]:
        """Return `size` bytes of any content."""
        if size < _SMALLEST:
            return np.empty(size, np.uint8)
        memory = self._take(size) or _fresh(size)
        whole = np.frombuffer(memory, np.uint8)
        # Every view, and every view of a view, keeps this array alive.
        weakref.finalize(whole, self._give_back, memory).atexit = False
        return whole[:size]

    def trim(self) -> None:
        """Give back to the system what was not used for a while."""
        before = time.monotonic() - _KEPT
        for entry in list(self._spare):
            if entry[0] < before:
                self._remove(entry)

    def _take(self, size: int) -> mmap.mmap | None:
        fitting = [entry for entry in list(self._spare) if size <= len(entry[1]) <= 2 * size]
        for entry in sorted(fitting, key=lambda entry: len(entry[1])):
            if self._remove(entry):
                return entry[1]
        return None

    def _give_back(self, memory: mmap.mmap) -> None:
        if self.spare + len(memory) <= self._limit:
            self._spare.append((time.monotonic(), memory))

    def _remove(self, entry: tuple[float, mmap.mmap]) -> bool:
        try:
            self._spare.remove(entry)
        except ValueError:  # another thread was quicker
            return False
        return True


def _fresh(size: int) -> mmap.mmap:
    memory = mmap.mmap(-1, size)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memory
