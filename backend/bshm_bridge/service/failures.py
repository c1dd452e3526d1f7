"""The service's errors as gRPC statuses."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc

from bshm_bridge import errors

_log = logging.getLogger(__name__)

REASON_KEY = "bshm-reason"

_CODES: list[tuple[type[errors.MattingError], grpc.StatusCode]] = [
    (errors.InvalidInput, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.NotAuthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (errors.NotReady, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.UnknownModel, grpc.StatusCode.NOT_FOUND),
    (errors.Exhausted, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.Unavailable, grpc.StatusCode.UNAVAILABLE),
    (errors.DeadlinePassed, grpc.StatusCode.DEADLINE_EXCEEDED),
    (errors.JobCancelled, grpc.StatusCode.CANCELLED),
]


def status_code(error: errors.MattingError) -> grpc.StatusCode:
    """Return the status code that stands for `error`."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return grpc.StatusCode.INTERNAL


@asynccontextmanager
async def reported(context: Any) -> AsyncIterator[None]:
    """End the call with a status, a reason and a sentence where something goes wrong in it."""
    try:
        yield
    except errors.MattingError as error:
        await _abort(context, status_code(error), str(error), error.reason)
    except MemoryError:
        await _abort(
            context,
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "There is not enough memory for this layer: close other programs, or scale it down.",
            "out-of-memory",
        )
    except (grpc.aio.AbortError, grpc.aio.UsageError):
        raise
    except Exception:
        _log.exception("a call failed unexpectedly")
        await _abort(
            context,
            grpc.StatusCode.INTERNAL,
            "The service met a bug: its log has the details; please report it.",
            "internal",
        )


async def _abort(context: Any, code: grpc.StatusCode, message: str, reason: str) -> None:
    await context.abort(code, message, trailing_metadata=((REASON_KEY, reason),))
