"""A request's coroutine on the caller's thread, with its progress and its cancellation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bridge_client.cancellation import Cancellation
from bridge_client.errors import Cancelled
from bridge_client.types import Progress

ReportProgress = Callable[[Progress], None]
T = TypeVar("T")

_POLL = 0.03  # seconds between looks at the cancellation
_REPEAT = 0.25  # seconds after which the last progress is told again


def run(
    work: Callable[[ReportProgress], Coroutine[Any, Any, T]],
    progress: ReportProgress | None,
    cancel: Cancellation | None,
) -> T:
    """Run `work` on this thread, telling progress and watching the cancellation."""

    async def supervised() -> T:
        last: list[tuple[float, Progress]] = []

        def tell(step: Progress) -> None:
            last[:] = [(time.monotonic(), step)]
            if progress is not None:
                progress(step)

        task = asyncio.ensure_future(work(tell))
        try:
            while True:
                await asyncio.wait({task}, timeout=_POLL)
                if task.done():
                    return task.result()
                if cancel is not None and cancel.cancelled:
                    raise Cancelled
                if last and time.monotonic() - last[0][0] >= _REPEAT:
                    tell(last[0][1])
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=5)

    return asyncio.run(supervised())
