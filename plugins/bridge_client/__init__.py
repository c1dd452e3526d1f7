"""Pure-Python client of the bshm service: discovery, start-up, calls.

Editors load it in their own Python, so nothing here needs a compiled package.
"""

from typing import TYPE_CHECKING, Any

from bridge_client.cancellation import Cancellation
from bridge_client.errors import (
    BadRequest,
    BridgeError,
    Busy,
    Cancelled,
    CannotMatte,
    NotAllowed,
    ProtocolMismatch,
    ServiceLost,
    ServiceMissing,
    TimedOut,
)
from bridge_client.types import (
    JobInfo,
    Matte,
    MatteOptions,
    ModelInfo,
    Notice,
    Pixels,
    Progress,
    ServiceStatus,
    VideoFrame,
)

if TYPE_CHECKING:
    from bridge_client.client import BridgeClient

__all__ = [
    "BadRequest",
    "BridgeClient",
    "BridgeError",
    "Busy",
    "Cancellation",
    "Cancelled",
    "CannotMatte",
    "JobInfo",
    "Matte",
    "MatteOptions",
    "ModelInfo",
    "NotAllowed",
    "Notice",
    "Pixels",
    "Progress",
    "ProtocolMismatch",
    "ServiceLost",
    "ServiceMissing",
    "ServiceStatus",
    "TimedOut",
    "VideoFrame",
]


def __getattr__(name: str) -> Any:
    # The HTTP/2 stack is loaded by who makes calls, not by who needs a type or an error.
    if name == "BridgeClient":
        from bridge_client.client import BridgeClient

        return BridgeClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
