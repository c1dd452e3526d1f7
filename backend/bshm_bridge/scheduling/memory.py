"""Admission by bytes, so that several huge layers at once do not exhaust the machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bshm_bridge.matting.pixels import CHANNELS, DTYPES
from bshm_bridge.scheduling.request import JobRequest


def default_limit() -> int:
    """Return half of the machine's memory, in bytes."""
    import psutil  # here, because the first job needs it, and nobody before

    return int(psutil.virtual_memory().total // 2)


def estimate(request: JobRequest) -> int:
    """Return the bytes that a job takes at its peak, about; a little more rather than less."""
    options, layer = request.options, request.pixels
    pixels = layer.width * layer.height
    per_pixel = 2 if options.depth == "u16" else 1  # the matte
    if (layer.layout, layer.depth) != ("RGB", "u8"):
        per_pixel += 3  # the picture as RGB u8
    if layer.layout in ("RGBA", "BGRA", "GRAYA"):
        per_pixel += 4  # the same with transparency filled, and a mask of it
    later = [7 if options.refinement == "best" else 0]  # with a soft band everywhere
    if options.edit.of_edge.edge_shift or options.edit.of_edge.feather:
        later.append(9)
    if options.foreground:
        value = DTYPES[layer.depth].itemsize
        grey = 3 * value if CHANNELS[layer.layout] < 3 else 0
        later.append(3 * value + grey + 4)
    return request.nbytes + (per_pixel + max(later)) * pixels


class MemoryBudget:
    """Hands out bytes, interactive jobs first; a job larger than all of it runs alone.

    Batch jobs get three quarters at the most, so that an interactive one finds room.

    Parameters
    ----------
    limit
        Bytes; 0 means half of the machine's memory.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._holders = 0
        self._queue: list[tuple[bool, asyncio.Event]] = []

    @asynccontextmanager
    async def hold(
        self, size: int, waiting: Callable[[int], None], *, batch: bool = False
    ) -> AsyncIterator[None]:
        """Hold `size` bytes; `waiting` is told how many are before us where we must wait."""
        self._limit = self._limit or default_limit()
        place = (batch, asyncio.Event())
        self._queue.append(place)
        self._queue.sort(key=lambda entry: entry[0])  # stable: arrival counts among equals
        try:
            while self._queue[0] is not place or not self._fits(size, batch):
                waiting(self._queue.index(place) + 1)
                place[1].clear()
                await place[1].wait()
            self._used += size
            self._holders += 1
        finally:
            self._queue.remove(place)
            self._wake()
        try:
            yield
        finally:
            self._used -= size
            self._holders -= 1
            self._wake()

    def _fits(self, size: int, batch: bool) -> bool:
        limit = self._limit * 3 // 4 if batch else self._limit
        return self._holders == 0 or self._used + size <= limit

    def _wake(self) -> None:
        if self._queue:
            self._queue[0][1].set()
