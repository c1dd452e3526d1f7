"""Work on a picture in tiles, on all cores, that can be abandoned between tiles."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Check = Callable[[], None]
"""Called between tiles; raises where the work is to be abandoned."""


class Tile(NamedTuple):
    """The rectangle [top, bottom) × [left, right)."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def window(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)


def tiles(height: int, width: int, size: int) -> Iterator[Tile]:
    """Cut a picture into tiles of at most `size` pixels a side."""
    for top in range(0, height, size):
        for left in range(0, width, size):
            yield Tile(top, min(top + size, height), left, min(left + size, width))


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows know no affinity
        return os.cpu_count() or 1


def each(
    function: Callable[[Item], Result], items: Iterable[Item], check: Check | None
) -> Iterator[Result]:
    """Yield function(item) in order, computed on all cores and a few items ahead at most.

    NumPy and OpenCV let other threads run while they compute.
    """
    workers = cores()
    ahead: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                if check is not None:
                    check()
                ahead.append(pool.submit(function, item))
                if len(ahead) > 4 * workers:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
