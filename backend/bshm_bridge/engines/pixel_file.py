"""The file through which the service and one worker share pixels.

On Linux it is anonymous memory, on other Unix systems a file without a name; both are
inherited as a descriptor, so that nothing is left behind however the processes end. Windows
passes a named temporary file.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class PixelFile:
    """Image first, the alpha that comes back behind it."""

    def __init__(self) -> None:
        self._path = ""
        if hasattr(os, "memfd_create"):
            self.fd = os.memfd_create("bshm-pixels", os.MFD_CLOEXEC)
        else:
            self.fd, self._path = tempfile.mkstemp(prefix="bshm-pixels-")
            if sys.platform != "win32":
                Path(self._path).unlink()
                self._path = ""
        self._size = 0
        self._grow(1)

    @property
    def inherited(self) -> tuple[int, ...]:
        """Descriptors that the worker must inherit."""
        return () if self._path else (self.fd,)

    @property
    def place(self) -> dict[str, str | int]:
        """How the worker finds it, for the load request."""
        return {"path": self._path} if self._path else {"fd": self.fd}

    def put(self, image: NDArray[np.uint8]) -> int:
        """Write the image (H×W×3) and return the offset where its alpha goes (H×W, f32)."""
        offset = -(-image.nbytes // 64) * 64
        self._grow(offset + image.shape[0] * image.shape[1] * 4)
        with mmap.mmap(self.fd, 0) as mapped:
            np.frombuffer(mapped, np.uint8, image.nbytes).reshape(image.shape)[...] = image
        return offset

    def take(self, offset: int, height: int, width: int) -> NDArray[np.float32]:
        """Return a copy of the alpha at `offset`."""
        with mmap.mmap(self.fd, 0, access=mmap.ACCESS_READ) as mapped:
            data = mapped[offset : offset + height * width * 4]
        return np.frombuffer(data, np.float32).reshape(height, width)

    def close(self) -> None:
        os.close(self.fd)
        if self._path:
            with suppress(OSError):
                Path(self._path).unlink()

    def _grow(self, size: int) -> None:
        if size > self._size:
            os.truncate(self.fd, size)
            self._size = size
