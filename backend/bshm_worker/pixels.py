"""The worker's view of the file through which pixels travel."""

from __future__ import annotations

import mmap
import os
from typing import Any, Dict, List

import numpy as np

from bshm_worker.failures import Failure, wrong_graph


class PixelFile:
    """Maps the shared file for one inference at a time.

    Parameters
    ----------
    where
        ``{"fd": N}``, a descriptor that was inherited, or ``{"path": …}``.
    """

    def __init__(self, where: Dict[str, Any]) -> None:
        if "fd" in where:
            self._fd = int(where["fd"])
        else:
            self._fd = os.open(where["path"], os.O_RDWR | getattr(os, "O_BINARY", 0))

    def read_image(self, width: int, height: int) -> Any:
        """Return a copy of the image, height×width×3, u8, at the start of the file."""
        count = width * height * 3
        with mmap.mmap(self._fd, 0) as mapped:
            if len(mapped) < count:
                raise Failure("internal", "The picture is larger than the shared file.")
            # A copy, because a view would keep the mapping from being closed.
            return np.frombuffer(mapped[:count], np.uint8).reshape(height, width, 3)

    def read_blocks(self, described: List[Dict[str, Any]]) -> Dict[str, Any]:
        """Return copies of the arrays that lie behind the image, by their names."""
        blocks = {}
        with mmap.mmap(self._fd, 0) as mapped:
            for block in described:
                dtype = np.dtype(block["dtype"])
                count = int(np.prod(block["shape"], dtype=np.int64)) * dtype.itemsize
                data = mapped[block["offset"] : block["offset"] + count]
                blocks[block["name"]] = np.frombuffer(data, dtype).reshape(block["shape"])
        return blocks

    def write_blocks(self, arrays: List[Any], offset: int) -> List[Dict[str, Any]]:
        """Write arrays from `offset` on, and describe where each of them is."""
        described = []
        for array in arrays:
            offset = -(-offset // 64) * 64
            described.append(
                {"dtype": array.dtype.str, "shape": list(array.shape), "offset": offset}
            )
            offset += array.nbytes
        if arrays and os.fstat(self._fd).st_size < offset:
            os.truncate(self._fd, offset)
        with mmap.mmap(self._fd, 0) as mapped:
            for number, block in enumerate(described):
                data = np.ascontiguousarray(arrays[number]).tobytes()
                mapped[block["offset"] : block["offset"] + len(data)] = data
        return described

    def write_alpha(self, alpha: Any, offset: int) -> None:
        """Write alpha, f32, at `offset`."""
        data = alpha.tobytes()
        with mmap.mmap(self._fd, 0) as mapped:
            if offset + len(data) > len(mapped):
                raise wrong_graph("its answer is larger than the picture")
            mapped[offset : offset + len(data)] = data
