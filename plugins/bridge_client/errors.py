"""What can go wrong between an editor and the service: one tree of exceptions.

``str(error)`` is a sentence for the user, saying what to do next; ``error.reason`` is a
stable word for programs (the service's ``bshm-reason``, or one of the client's own).
"""

from __future__ import annotations


class BridgeError(Exception):
    """Root of everything that the client raises on purpose."""

    reason = "internal"

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        if reason:
            self.reason = reason


class ServiceMissing(BridgeError):
    """No service runs and none could be started."""

    reason = "service-missing"


class ServiceLost(BridgeError):
    """The service went away, is shutting down, or its engine is down."""

    reason = "service-lost"


class ProtocolMismatch(BridgeError):
    """Service and client do not speak the same protocol number."""

    reason = "protocol-mismatch"


class NotAllowed(BridgeError):
    """The token was not accepted."""

    reason = "unauthenticated"


class BadRequest(BridgeError):
    """The service cannot use these pixels or options."""

    reason = "bad-request"


class Busy(BridgeError):
    """Queue full, layer over the limit, or GPU memory exhausted."""

    reason = "busy"


class CannotMatte(BridgeError):
    """The request is fine, but something it needs is missing: a model, a person, a hint."""

    reason = "failed-precondition"


class TimedOut(BridgeError):
    """The request's deadline passed."""

    reason = "deadline"


class Cancelled(BridgeError):
    """The user, or the other side, cancelled the request."""

    reason = "cancelled"

    def __init__(self, message: str = "Cancelled.", reason: str = "") -> None:
        super().__init__(message, reason)
