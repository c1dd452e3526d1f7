"""How a user takes a request back."""

from __future__ import annotations

import threading


class Cancellation:
    """Handed to a request; `cancel` may be called from any thread, at any time."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask for the end of the request; it raises `Cancelled` soon after."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether the end was asked for."""
        return self._event.is_set()
