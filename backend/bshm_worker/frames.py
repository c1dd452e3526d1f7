"""Messages between service and worker: a 4-byte big-endian length, then a JSON object.

Pixels never travel here; they lie in a file that both sides map into memory.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO, Dict, Optional

Message = Dict[str, Any]

LIMIT = 1 << 20
"""Largest message in bytes; anything above is a broken stream, not a message."""

_LENGTH = struct.Struct(">I")


class BrokenStream(Exception):
    """The other side sent something that is not a message, or stopped in the middle of one."""


def write_frame(stream: BinaryIO, message: Message) -> None:
    data = json.dumps(message).encode("utf-8")
    if len(data) > LIMIT:
        raise ValueError("message of %d bytes is over the limit" % len(data))
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def read_frame(stream: BinaryIO) -> Optional[Message]:
    """Return the next message, or None where the stream ends between two messages."""
    head = _read_exactly(stream, _LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise BrokenStream("the stream ended within a length")
    (length,) = _LENGTH.unpack(head)
    if length > LIMIT:
        raise BrokenStream("a message of %d bytes was announced" % length)
    data = _read_exactly(stream, length)
    if len(data) < length:
        raise BrokenStream("the stream ended within a message")
    try:
        message = json.loads(data.decode("utf-8"))
    except ValueError as error:
        raise BrokenStream("a message is not JSON") from error
    if not isinstance(message, dict):
        raise BrokenStream("a message is not an object")
    return message


def _read_exactly(stream: BinaryIO, count: int) -> bytes:
    parts = []
    while count:
        part = stream.read(count)
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
