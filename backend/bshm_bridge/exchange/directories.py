"""Private directories for pixels: made, opened, read and swept by the service alone.

A client writes into files that the service opens without trusting anything about them: by
directory descriptor, without following links, and only a regular file of the same user
with one link and the announced size. The bytes are copied before they are looked at, so a
client that goes on writing changes nothing.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bshm_bridge.errors import Exhausted, InvalidInput
from bshm_bridge.exchange.buffers import Buffers

NONCE_FILE = "nonce"
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # a named pipe must not hold up the service
_BINARY = getattr(os, "O_BINARY", 0)
_HAS_DIR_FD = os.open in os.supports_dir_fd and os.unlink in os.supports_dir_fd
_STEP = 1 << 30  # one read or write call moves 2 GiB at the most


class PrivateDirectory:
    """One directory of a lease, mode 0700, with a nonce file in it."""

    def __init__(self, path: Path) -> None:
        path.mkdir(mode=0o700)
        self.path = path
        self.nonce = secrets.token_bytes(32)
        self._descriptor = -1
        if _HAS_DIR_FD:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW | _CLOEXEC)
        with os.fdopen(self._open(NONCE_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
            file.write(self.nonce)

    def take(self, name: str, size: int, buffers: Buffers) -> NDArray[np.uint8]:
        """Return a private copy of the file `name`, which must be `size` bytes, and remove it.

        Parameters
        ----------
        buffers
            Gives the memory for it, once the file turned out to be what it should.

        Raises
        ------
        InvalidInput
            Where the file is missing, not a plain file of this user, or of another size.
        """
        try:
            descriptor = self._open(name, os.O_RDONLY | _NONBLOCK)
        except OSError as error:
            raise InvalidInput("The exchange slot holds no readable file.", "bad-slot") from error
        try:
            _check(os.fstat(descriptor), size)
            copy = buffers.empty(size)
            with open(descriptor, "rb", buffering=0, closefd=False) as file:
                rest = memoryview(copy)
                while rest:
                    count = file.readinto(rest[:_STEP])
                    if not count:
                        raise InvalidInput("The exchange slot's file was cut.", "size-mismatch")
                    rest = rest[count:]
        finally:
            os.close(descriptor)
        self.remove(name)
        return copy

    def put(self, name: str, arrays: Iterable[NDArray[np.generic]]) -> None:
        """Write `arrays`, one after the other, into the file `name`.

        Raises
        ------
        Exhausted
            Where the disk or the memory behind it is full.
        """
        self.remove(name)
        try:
            descriptor = self._open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                for array in arrays:
                    rest = memoryview(np.ascontiguousarray(array)).cast("B")
                    while rest:
                        rest = rest[file.write(rest[:_STEP]) :]
        except OSError as error:
            self.remove(name)
            raise Exhausted(
                "There is no room for the result: free some memory or disk space and try again.",
                "disk-full",
            ) from error

    def remove(self, name: str) -> None:
        """Remove the file `name` where there is one."""
        with suppress(OSError):
            if self._descriptor >= 0:
                os.unlink(name, dir_fd=self._descriptor)
            else:
                (self.path / name).unlink()

    def close(self) -> None:
        """Remove the directory and all that is in it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        shutil.rmtree(self.path, ignore_errors=True)

    def _open(self, name: str, flags: int) -> int:
        flags |= _NOFOLLOW | _CLOEXEC | _BINARY
        if self._descriptor >= 0:
            return os.open(name, flags, 0o600, dir_fd=self._descriptor)
        path = self.path / name
        if path.is_symlink():
            raise OSError("a link")
        return os.open(path, flags, 0o600)


def _check(info: os.stat_result, size: int) -> None:
    if not stat.S_ISREG(info.st_mode) or info.st_nlink != 1:
        raise InvalidInput("The exchange slot holds no plain file.", "bad-slot")
    if hasattr(os, "geteuid") and info.st_uid != os.geteuid():
        raise InvalidInput("The exchange slot belongs to another user.", "bad-slot")
    if info.st_size != size:
        raise InvalidInput(
            f"The exchange slot holds {info.st_size} bytes where the header announces {size}.",
            "size-mismatch",
        )
