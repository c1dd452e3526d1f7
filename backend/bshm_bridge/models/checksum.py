"""SHA-256 of files that seldom change."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path


class Checksums:
    """Reads a file once; again where its size, time or identity is another. Thread-safe."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, ...], str]] = {}
        self._lock = threading.Lock()

    def of(self, path: Path) -> str:
        """Return 64 hexadecimal digits."""
        status = path.stat()
        stamp = (status.st_size, status.st_mtime_ns, status.st_ino)
        with self._lock:
            known = self._known.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        found = digest.hexdigest()
        with self._lock:
            self._known[path] = (stamp, found)
        return found
