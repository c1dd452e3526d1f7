"""How long to wait before an engine that keeps crashing is tried again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bshm_bridge.errors import Unavailable


class BackOff:
    """Counts crashes in a row; thread-safe.

    Parameters
    ----------
    free
        Crashes in a row that cost no waiting.
    first, most
        Seconds of the first wait, which doubles with each further crash, and of the longest.
    clock
        Seconds, monotonic.
    """

    def __init__(
        self,
        free: int = 2,
        first: float = 2.0,
        most: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = free
        self._first = first
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._crashes = 0
        self._until = 0.0

    def crashed(self) -> None:
        with self._lock:
            self._crashes += 1
            over = self._crashes - self._free
            if over > 0:
                wait = min(self._most, self._first * 2.0 ** min(over - 1, 30))
                self._until = self._clock() + wait

    def succeeded(self) -> None:
        with self._lock:
            self._crashes = 0
            self._until = 0.0

    def check(self) -> None:
        """Raise `Unavailable` while the engine is not to be tried."""
        with self._lock:
            left = self._until - self._clock()
            if left > 0:
                raise Unavailable(
                    f"The engine stopped {self._crashes} times in a row; it is tried again in "
                    f"{max(1, round(left))} s. Run “bshm doctor” to see what is wrong.",
                    "engine-backing-off",
                )
