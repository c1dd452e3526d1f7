"""What a worker's log and exit say about a failure, in words for designers."""

from __future__ import annotations

import re
import signal

from bshm_bridge.errors import Exhausted, MattingError, NotReady, Unavailable

OUT_OF_MEMORY = "gpu-out-of-memory"
GPU_REASONS = frozenset({"gpu-library", "gpu-driver", "bad-output"})
"""Failures that the same model on the CPU would not have."""

_ERRORS: dict[str, type[MattingError]] = {
    OUT_OF_MEMORY: Exhausted,
    "wrong-graph": NotReady,
    "model-file": NotReady,
    "gpu-not-available": NotReady,
    "gpu-library": NotReady,
    "gpu-driver": NotReady,
    "runtime-broken": NotReady,
    "inference-failed": Unavailable,
    "bad-output": Unavailable,
}

_NO_AVX = r"compiled to use \w+ instructions, but these aren't available"
_MISSING_LIBRARY = (
    r"Could not load dynamic library '([^'/\\]+)'",
    r"([\w.+-]+\.so[.\d]*): cannot open shared object file",
    r"depends on ([\w.+-]+\.dll) which is missing",
)


def error_from(reason: str, message: str, log: str) -> MattingError:
    """Return the error for a failure that the worker named itself."""
    if reason in ("gpu-not-available", "gpu-library"):
        message = with_libraries(message, log)
    return _ERRORS.get(reason, MattingError)(message, reason)


def with_libraries(message: str, log: str) -> str:
    """Add the libraries that the runtime looked for in vain, if the message is about them."""
    missing = missing_libraries(log)
    if not missing or "librar" not in message:
        return message
    return f"{message} Missing: {', '.join(missing[:6])}."


def missing_libraries(log: str) -> list[str]:
    """Return the names of the libraries that could not be loaded, each once."""
    found: list[str] = []
    for pattern in _MISSING_LIBRARY:
        found += [name for name in re.findall(pattern, log) if name not in found]
    return found


def crash(code: int, log: str) -> MattingError:
    """Return the error for a worker that ended without an answer.

    Parameters
    ----------
    code
        Its exit status; on Unix minus the signal's number.
    log
        The end of its log.
    """
    if re.search(r"CUDA_ERROR_OUT_OF_MEMORY|OOM when allocating|out of memory|bad_alloc", log):
        return Exhausted(
            "There was not enough memory and the engine stopped; close other programs that use "
            "the graphics card, or choose the processor (CPU) as the device.",
            OUT_OF_MEMORY,
        )
    if code == -getattr(signal, "SIGKILL", 9):
        return Unavailable(
            "The engine was ended by the system, mostly because the computer ran out of memory; "
            "close other programs and try again.",
            "worker-killed",
        )
    if code == -getattr(signal, "SIGILL", 4) or re.search(_NO_AVX, log):
        return NotReady(
            "This computer's processor lacks instructions (AVX) that the engine needs; choose "
            "another engine.",
            "cpu-unsupported",
        )
    return Unavailable(
        "The engine stopped unexpectedly; try again, and run “bshm doctor” if it happens again.",
        "worker-crashed",
    )
