"""Leases: which client may use which exchange directories, and for how long."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bshm_bridge.errors import InvalidInput
from bshm_bridge.exchange.buffers import Buffers
from bshm_bridge.exchange.directories import NONCE_FILE, PrivateDirectory
from bshm_bridge.paths import private_directory

SLOTS = 16


class Slot:
    """One numbered place of a lease, in use by one job."""

    def __init__(self, lease: Lease, directory: PrivateDirectory, number: int) -> None:
        self._lease = lease
        self._directory = directory
        self._number = number

    def take_input(self, size: int, buffers: Buffers) -> NDArray[np.uint8]:
        """Return a private copy of the input, which must be `size` bytes."""
        return self._directory.take(f"{self._number}.in", size, buffers)

    def put_output(self, arrays: list[NDArray[np.generic]]) -> None:
        """Leave the result for the client."""
        self._directory.put(f"{self._number}.out", arrays)

    def release(self) -> None:
        """Let another job use the slot; its input, if any is left, goes."""
        self._directory.remove(f"{self._number}.in")
        self._lease.busy.discard(self._number)


class Lease:
    """The directories of one client.

    Attributes
    ----------
    ended
        Set when the lease is over.
    """

    def __init__(self, name: str, roots: list[Path], prefix: str) -> None:
        self.name = name
        self.busy: set[int] = set()
        self.ended = asyncio.Event()
        self.directories: list[PrivateDirectory] = []
        for root in roots:
            with suppress(OSError):
                self.directories.append(PrivateDirectory(root / f"{prefix}{secrets.token_hex(8)}"))

    def slot(self, directory: int, number: int, nonce: bytes) -> Slot:
        """Occupy a slot; `nonce` proves that the client sees the directory.

        Raises
        ------
        InvalidInput
            Where directory, slot or nonce are wrong, or the slot is in use.
        """
        if not 0 <= directory < len(self.directories) or not 0 <= number < SLOTS:
            raise InvalidInput("There is no such exchange slot.", "bad-slot")
        chosen = self.directories[directory]
        if not hmac.compare_digest(chosen.nonce, nonce):
            raise InvalidInput("The exchange nonce is wrong: send the pixels inline.", "bad-nonce")
        if number in self.busy:
            raise InvalidInput("The exchange slot is in use by another job.", "slot-busy")
        self.busy.add(number)
        return Slot(self, chosen, number)

    def close(self) -> None:
        """Remove the directories."""
        for directory in self.directories:
            directory.close()
        self.directories = []
        self.ended.set()


class Leases:
    """Every lease of one service.

    Parameters
    ----------
    home
        The service's state directory; it tells its own leftovers from those of others.
    shared_memory
        A tmpfs that clients may see too, or None.
    """

    def __init__(self, home: Path, shared_memory: Path | None) -> None:
        identity = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
        self._prefix = f"bshm-{identity}-"
        self._roots = [private_directory(home / "run" / "exchange")]
        if shared_memory is not None:
            self._roots.insert(0, shared_memory)
        self._leases: dict[str, Lease] = {}

    def sweep(self) -> None:
        """Remove what an earlier service of the same state directory left behind."""
        for root in self._roots:
            for leftover in root.glob(f"{self._prefix}*"):
                if not leftover.is_symlink() and leftover.is_dir():
                    shutil.rmtree(leftover, ignore_errors=True)

    def open(self) -> Lease:
        """Make a new lease; it has no directory where none could be made."""
        lease = Lease(secrets.token_hex(16), self._roots, self._prefix)
        self._leases[lease.name] = lease
        return lease

    def find(self, name: str) -> Lease:
        """Return the lease `name`; raises `InvalidInput` where it has ended."""
        lease = self._leases.get(name)
        if lease is None:
            raise InvalidInput("The exchange lease has ended: open a new one.", "lease-ended")
        return lease

    def close(self, lease: Lease) -> None:
        """End a lease."""
        self._leases.pop(lease.name, None)
        lease.close()

    def close_all(self) -> None:
        for lease in list(self._leases.values()):
            self.close(lease)

    def __len__(self) -> int:
        return len(self._leases)


def shared_memory_root() -> Path | None:
    """Return a tmpfs in which every process of this user may make directories, or None."""
    path = Path("/dev/shm")
    if sys.platform.startswith("linux") and path.is_dir() and os.access(path, os.W_OK | os.X_OK):
        return path
    return None


__all__ = ["NONCE_FILE", "SLOTS", "Lease", "Leases", "Slot", "shared_memory_root"]
