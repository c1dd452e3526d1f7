"""The service's errors, free of gRPC: what went wrong, for people and for programs.

Every error has a `reason`, a stable word that programs may compare, and a message, a
sentence that tells a designer what to do next. Messages never name file-system paths,
tokens or exchange directories: they travel to clients.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MattingError(Exception):
    """Root of what the service raises on purpose; on its own, a bug was found."""

    reason = "internal"

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        if reason:
            self.reason = reason


class InvalidInput(MattingError):
    """The request itself is wrong: geometry, format, sizes, options."""

    reason = "invalid-input"


class NotAuthenticated(MattingError):
    """The call carries no token, or a wrong one."""

    reason = "unauthenticated"


class NotReady(MattingError):
    """The request is fine, but something that it needs is missing."""

    reason = "not-ready"


class UnknownModel(MattingError):
    """There is no model of this name."""

    reason = "unknown-model"

    @classmethod
    def named(cls, name: str, known: Iterable[str]) -> UnknownModel:
        """Return the error for a name that is none of the `known` ones."""
        close = difflib.get_close_matches(name, list(known), 1)
        hint = f" Did you mean “{close[0]}”?" if close else ""
        return cls(f"There is no model named “{name}”: `bshm models list` shows them.{hint}")


class Exhausted(MattingError):
    """Queue full, image over the limit, or memory exhausted."""

    reason = "exhausted"


class Unavailable(MattingError):
    """The service drains, or an engine is down."""

    reason = "unavailable"


class DeadlinePassed(MattingError):
    """The job took longer than its client allowed."""

    reason = "deadline"


class JobCancelled(MattingError):
    """The client cancelled the job or went away."""

    reason = "cancelled"

    def __init__(self, message: str = "The job was cancelled.", reason: str = "") -> None:
        super().__init__(message, reason)
