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
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class PixelFile:
    """Image first, what else is fed behind it, then the alpha that comes back."""

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

    def put(
        self, image: NDArray[np.uint8], blocks: Mapping[str, NDArray[Any]]
    ) -> tuple[list[dict[str, Any]], int]:
        """Write the image (H×W×3) and further arrays.

        Returns
        -------
        tuple
            Where each further array is, for the worker, and the offset at which its alpha
            (H×W, f32) goes.
        """
        described: list[dict[str, Any]] = []
        offset = _aligned(image.nbytes)
        for name, block in blocks.items():
            described.append(
                {
                    "name": name,
                    "dtype": block.dtype.str,
                    "shape": list(block.shape),
                    "offset": offset,
                }
            )
            offset = _aligned(offset + block.nbytes)
        self._grow(offset + image.shape[0] * image.shape[1] * 4)
        with mmap.mmap(self.fd, 0) as mapped:
            np.frombuffer(mapped, np.uint8, image.nbytes).reshape(image.shape)[...] = image
            for place, block in zip(described, blocks.values(), strict=True):
                inside = np.frombuffer(mapped, block.dtype, block.size, place["offset"])
                inside.reshape(block.shape)[...] = block
                del inside  # a view would keep the mapping from being closed
        return described, offset

    def take(self, offset: int, height: int, width: int) -> NDArray[np.float32]:
        """Return a copy of the alpha at `offset`."""
        return self._copy(offset, np.dtype(np.float32), (height, width))

    def take_blocks(self, described: Sequence[Mapping[str, Any]]) -> list[NDArray[Any]]:
        """Return copies of the arrays that the worker wrote behind the alpha."""
        self._size = max(self._size, os.fstat(self.fd).st_size)
        return [
            self._copy(block["offset"], np.dtype(block["dtype"]), tuple(block["shape"]))
            for block in described
        ]

    def _copy(self, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        count = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        with mmap.mmap(self.fd, 0, access=mmap.ACCESS_READ) as mapped:
            data = mapped[offset : offset + count]
        return np.frombuffer(data, dtype).reshape(shape)

    def close(self) -> None:
        os.close(self.fd)
        if self._path:
            with suppress(OSError):
                Path(self._path).unlink()

    def _grow(self, size: int) -> None:
        if size > self._size:
            os.truncate(self.fd, size)
            self._size = size


def _aligned(offset: int) -> int:
    return -(-offset // 64) * 64
