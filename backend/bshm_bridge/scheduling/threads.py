"""Blocking work in threads, awaited from the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from bshm_bridge.engines.base import Cancellation

T = TypeVar("T")


def thread_pool(size: int, name: str) -> ThreadPoolExecutor:
    """Return a pool whose threads all run already, so that their number never changes."""
    pool = ThreadPoolExecutor(size, thread_name_prefix=name)
    together = threading.Barrier(size)
    for waiting in [pool.submit(together.wait) for _ in range(size)]:
        waiting.result()
    return pool


async def in_thread(pool: ThreadPoolExecutor, cancel: Cancellation, work: Callable[[], T]) -> T:
    """Run `work` in `pool`; where this is cancelled, tell `work` so and wait for its end."""
    future = asyncio.get_running_loop().run_in_executor(pool, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        cancel.cancel()
        await asyncio.wait({future})
        if not future.cancelled():
            future.exception()  # nobody else will look at it
        raise
