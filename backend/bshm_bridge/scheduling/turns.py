"""Who comes next: interactive before batch, fair between clients, then in order of arrival."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_REMEMBERED_CLIENTS = 1000


@dataclass(eq=False)
class _Turn:
    batch: bool
    client: str
    sequence: int
    waiting: Callable[[int], None]
    granted: asyncio.Event = field(default_factory=asyncio.Event)


class Turns:
    """A number of places that are handed out in a fair order.

    Whoever waits is served interactive before batch, then the client that was served the
    longest time ago, then in order of arrival.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._places = places
        self._waiting: list[_Turn] = []
        self._served: dict[str, int] = {}
        self._count = 0

    @property
    def idle(self) -> bool:
        """Whether nobody has a place or awaits one."""
        return self._free == self._places and not self._waiting

    @asynccontextmanager
    async def taken(
        self, *, batch: bool, client: str, waiting: Callable[[int], None] = lambda place: None
    ) -> AsyncIterator[None]:
        """Hold a place; `waiting` is told our position, from 1, whenever it changes."""
        self._count += 1
        turn = _Turn(batch, client, self._count, waiting)
        self._waiting.append(turn)
        self._grant()
        if not turn.granted.is_set():
            self._tell_positions()
        try:
            await turn.granted.wait()
        except asyncio.CancelledError:
            if turn.granted.is_set():
                self._give_back()
            else:
                self._waiting.remove(turn)
                self._tell_positions()
            raise
        try:
            yield
        finally:
            self._give_back()

    def _give_back(self) -> None:
        self._free += 1
        self._grant()

    def _grant(self) -> None:
        granted = False
        while self._free and self._waiting:
            turn = self._order()[0]
            self._waiting.remove(turn)
            self._free -= 1
            self._count += 1
            if len(self._served) > _REMEMBERED_CLIENTS:
                self._served.clear()
            self._served[turn.client] = self._count
            turn.granted.set()
            granted = True
        if granted:
            self._tell_positions()

    def _order(self) -> list[_Turn]:
        return sorted(
            self._waiting,
            key=lambda turn: (turn.batch, self._served.get(turn.client, 0), turn.sequence),
        )

    def _tell_positions(self) -> None:
        for position, turn in enumerate(self._order(), start=1):
            turn.waiting(position)
