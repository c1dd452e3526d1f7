"""The client's side of the exchange: pixels as files in a directory leased by the service."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bridge_client.types import Buffer
from bshm.bridge.v1 import matting_pb2 as pb

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NONCE_LIMIT = 256


@dataclass(frozen=True)
class ExchangeDirectory:
    """A leased directory that this process sees, and the proof of it."""

    path: Path
    index: int
    lease: str
    nonce: bytes

    def put(self, slot: int, buffers: Sequence[Buffer]) -> pb.ExchangeSlot:
        """Write a payload into `slot`; raises `OSError`, for instance on a full disk."""
        path = self.path / f"{slot}.in"
        with suppress(FileNotFoundError):
            path.unlink()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW
        try:
            with os.fdopen(os.open(path, flags, 0o600), "wb", buffering=0) as file:
                for buffer in buffers:
                    _write_all(file.fileno(), memoryview(buffer).cast("B"))
        except OSError:
            with suppress(OSError):
                path.unlink()
            raise
        return pb.ExchangeSlot(lease=self.lease, directory=self.index, slot=slot, nonce=self.nonce)

    def take(self, slot: int) -> bytes:
        """Return the result that the service put into `slot`."""
        flags = os.O_RDONLY | _NOFOLLOW
        with os.fdopen(os.open(self.path / f"{slot}.out", flags), "rb", buffering=0) as file:
            return file.readall()


def visible_directory(exchange: pb.Exchange) -> ExchangeDirectory | None:
    """Return the first leased directory whose nonce this process can read, or None."""
    for index, directory in enumerate(exchange.directories):
        path = Path(directory.path)
        try:
            flags = os.O_RDONLY | _NOFOLLOW
            with os.fdopen(os.open(path / directory.nonce, flags), "rb") as file:
                nonce = file.read(_NONCE_LIMIT)
        except OSError:
            continue
        return ExchangeDirectory(path, index, exchange.lease, nonce)
    return None


def _write_all(descriptor: int, data: memoryview) -> None:
    # One write moves 2 GiB at the most.
    while data:
        data = data[os.write(descriptor, data[: 1 << 30]) :]
