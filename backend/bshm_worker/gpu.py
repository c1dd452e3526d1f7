"""What NVIDIA's driver says, asked directly, so that it needs no runtime and no CUDA."""

from __future__ import annotations

import ctypes
import sys
from typing import List, NamedTuple, Tuple

_DRIVER = {"win32": "nvcuda.dll"}.get(sys.platform, "libcuda.so.1")


class Driver(NamedTuple):
    """The driver and the cards that this process may use.

    Attributes
    ----------
    problem
        Why there is no card, as a clause; empty where there is one.
    cuda
        Highest CUDA version that the driver supports, as (12, 4); (0, 0) without one.
    names
        "NVIDIA GeForce RTX 4070"; in the order of CUDA's own numbering.
    capabilities
        Compute capability of each card, as (8, 9).
    """

    problem: str
    cuda: Tuple[int, int]
    names: List[str]
    capabilities: List[Tuple[int, int]]


def ask_driver() -> Driver:
    """Ask the driver; takes well below a second."""
    if sys.platform == "darwin":
        return Driver("macOS has no NVIDIA driver", (0, 0), [], [])
    try:
        cuda = ctypes.CDLL(_DRIVER)
    except OSError:
        return Driver("no NVIDIA driver is installed", (0, 0), [], [])
    status = cuda.cuInit(0)
    number = ctypes.c_int()
    cuda.cuDriverGetVersion(ctypes.byref(number))
    version = (number.value // 1000, number.value % 1000 // 10)
    if status == 100:
        return Driver("the NVIDIA driver sees no graphics card", version, [], [])
    if status in (803, 804):
        problem = "the NVIDIA driver and its library have different versions (restart the computer)"
        return Driver(problem, version, [], [])
    if status:
        return Driver("the NVIDIA driver answered with error %d" % status, version, [], [])
    cuda.cuDeviceGetCount(ctypes.byref(number))
    names, capabilities = [], []
    for index in range(number.value):
        device = ctypes.c_int()
        cuda.cuDeviceGet(ctypes.byref(device), index)
        name = ctypes.create_string_buffer(256)
        cuda.cuDeviceGetName(name, len(name), device)
        names.append(name.value.decode("utf-8", "replace"))
        major, minor = ctypes.c_int(), ctypes.c_int()
        cuda.cuDeviceGetAttribute(ctypes.byref(major), 75, device)
        cuda.cuDeviceGetAttribute(ctypes.byref(minor), 76, device)
        capabilities.append((major.value, minor.value))
    problem = "" if names else "the NVIDIA driver sees no graphics card"
    return Driver(problem, version, names, capabilities)
