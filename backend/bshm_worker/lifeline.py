"""The worker ends when the service does, however the service ends.

Everywhere: the service holds the other end of the request pipe, so its death is the pipe's
end, seen by the thread that reads it. Linux adds the kernel's own signal, which also works
while that thread cannot run. (On Windows the service puts workers into a job object that
ends with it.)
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from queue import Queue
from typing import BinaryIO, Optional, Tuple

from bshm_worker.frames import BrokenStream, Message, read_frame

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent `parent` ends (Linux only)."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it ended before the signal was armed
        os._exit(1)


def take_pipes() -> Tuple[BinaryIO, BinaryIO]:
    """Return the request and reply streams and point stdin and stdout elsewhere.

    Runtimes print to stdout; from here on that goes to stderr and so into the log.
    """
    requests = os.dup(0)
    replies = os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(requests, os.O_BINARY)
        msvcrt.setmode(replies, os.O_BINARY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(requests, "rb", 0), os.fdopen(replies, "wb", 0)


def watch(requests: BinaryIO) -> "Queue[Optional[Message]]":
    """Return a queue that a thread fills with the requests; their end ends the process."""
    queue: Queue[Optional[Message]] = Queue()

    def read() -> None:
        try:
            while True:
                message = read_frame(requests)
                if message is None:
                    break
                queue.put(message)
        except (BrokenStream, OSError):
            pass
        # The main thread may be inside the runtime, which cannot be interrupted.
        os._exit(0)

    threading.Thread(target=read, name="requests", daemon=True).start()
    return queue
