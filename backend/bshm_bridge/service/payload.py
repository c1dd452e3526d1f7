"""How a job's pixels come in and go out: through the exchange, or inline in the stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bshm.bridge.v1 import matting_pb2 as pb
from bshm_bridge.engines.base import Cancellation
from bshm_bridge.errors import DeadlinePassed, InvalidInput
from bshm_bridge.exchange.buffers import Buffers
from bshm_bridge.exchange.leases import Leases, Slot
from bshm_bridge.scheduling.request import Payload
from bshm_bridge.scheduling.threads import in_thread

CHUNK = 1 << 20
_SILENCE = 60.0  # seconds without a chunk after which a client counts as gone


class Transport(Protocol):
    """One job's way in and out."""

    async def receive(self, size: int, cancel: Cancellation) -> Payload:
        """Return the payload, which must be `size` bytes."""

    async def put(self, arrays: list[NDArray[Any]], cancel: Cancellation) -> None:
        """Lay the planes ready, where they go another way than the header."""

    async def send(self, result: pb.Result, arrays: list[NDArray[Any]]) -> None:
        """Send the header, and the planes where they go the same way."""

    def release(self) -> None:
        """The job is over."""


class ExchangeTransport:
    """Through files in a leased directory."""

    def __init__(
        self, slot: Slot, context: Any, pool: ThreadPoolExecutor, buffers: Buffers
    ) -> None:
        self._slot = slot
        self._context = context
        self._pool = pool
        self._buffers = buffers

    async def receive(self, size: int, cancel: Cancellation) -> Payload:
        return await in_thread(
            self._pool, cancel, lambda: self._slot.take_input(size, self._buffers)
        )

    async def put(self, arrays: list[NDArray[Any]], cancel: Cancellation) -> None:
        await in_thread(self._pool, cancel, lambda: self._slot.put_output(arrays))

    async def send(self, result: pb.Result, arrays: list[NDArray[Any]]) -> None:
        await self._context.write(pb.MatteEvent(result=result))

    def release(self) -> None:
        self._slot.release()


class InlineTransport:
    """In the stream itself, chunk by chunk."""

    def __init__(
        self, requests: AsyncIterator[pb.MatteRequest], context: Any, buffers: Buffers
    ) -> None:
        self._requests = requests
        self._context = context
        self._buffers = buffers

    async def receive(self, size: int, cancel: Cancellation) -> Payload:
        payload = self._buffers.empty(size)
        target = memoryview(payload)
        start = 0
        async for message in _promptly(self._requests):
            chunk = message.chunk
            if message.WhichOneof("message") != "chunk" or len(chunk) > CHUNK:
                raise InvalidInput(
                    "After the header come chunks of at most 1 MiB, nothing else.", "bad-stream"
                )
            if start + len(chunk) > size:
                raise InvalidInput("More pixels came than the header announced.", "size-mismatch")
            target[start : start + len(chunk)] = chunk
            start += len(chunk)
        if start != size:
            raise InvalidInput("Fewer pixels came than the header announced.", "size-mismatch")
        return payload

    async def put(self, arrays: list[NDArray[Any]], cancel: Cancellation) -> None:
        pass

    async def send(self, result: pb.Result, arrays: list[NDArray[Any]]) -> None:
        await self._context.write(pb.MatteEvent(result=result))
        for array in arrays:
            data = memoryview(np.ascontiguousarray(array)).cast("B")
            for start in range(0, len(data), CHUNK):
                chunk = bytes(data[start : start + CHUNK])
                await self._context.write(pb.MatteEvent(chunk=chunk))

    def release(self) -> None:
        pass


async def _promptly(requests: AsyncIterator[pb.MatteRequest]) -> AsyncIterator[pb.MatteRequest]:
    """Pass messages on; a client that stops sending must not hold memory for ever."""
    while True:
        try:
            yield await asyncio.wait_for(anext(requests), _SILENCE)
        except StopAsyncIteration:
            return
        except asyncio.TimeoutError as error:
            raise DeadlinePassed(
                "The pixels stopped coming: please try again.", "stalled"
            ) from error


def transport_of(
    header: pb.MatteHeader,
    requests: AsyncIterator[pb.MatteRequest],
    context: Any,
    leases: Leases,
    pool: ThreadPoolExecutor,
    buffers: Buffers,
) -> Transport:
    """Return the transport that a header names; raises `InvalidInput` where it names none."""
    kind = header.WhichOneof("transport")
    if kind == "inline":
        return InlineTransport(requests, context, buffers)
    if kind == "exchange":
        place = header.exchange
        slot = leases.find(place.lease).slot(place.directory, place.slot, place.nonce)
        return ExchangeTransport(slot, context, pool, buffers)
    raise InvalidInput("The header names neither the exchange nor inline.", "bad-header")


class Outbox:
    """Carries a job's events to its client while the job runs.

    Events of the same kind that come faster than the client takes them are merged: only the
    newest counts.
    """

    def __init__(self, write: Callable[[pb.MatteEvent], Any]) -> None:
        self._write = write
        self._events: dict[str, pb.MatteEvent] = {}
        self._wake = asyncio.Event()
        self._closed = False
        self._task = asyncio.ensure_future(self._pump())

    def put(self, event: pb.MatteEvent) -> None:
        kind = event.WhichOneof("event")
        self._events.pop(kind, None)
        self._events[kind] = event
        self._wake.set()

    async def _pump(self) -> None:
        while not self._closed:
            await self._wake.wait()
            self._wake.clear()
            while self._events and not self._closed:
                kind = next(iter(self._events))
                await self._write(self._events.pop(kind))

    async def close(self) -> None:
        """Stop: what was not sent yet is of no interest any more."""
        # A write under way is waited for: cancelled midway it would block the next one for good.
        self._closed = True
        self._wake.set()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.exception()  # the client is gone, which the call itself notices
