"""A Windows job object that ends its processes when the service ends, also by force."""

from __future__ import annotations

import ctypes
import subprocess
import sys

_KILL_ON_JOB_CLOSE = 0x2000
_EXTENDED_LIMIT_INFORMATION = 9


class _BasicLimits(ctypes.Structure):
    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    )


class _ExtendedLimits(ctypes.Structure):
    _fields_ = (
        ("Basic", _BasicLimits),
        ("IoCounters", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


_job: int | None = None


def adopt(process: subprocess.Popen[bytes]) -> None:
    """Tie a child to this process's life; does nothing on other systems."""
    global _job
    if sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = ctypes.c_void_p
        if _job is None:
            # Never closed: the system closes it when this process ends, which is the point.
            _job = kernel.CreateJobObjectW(None, None)
            limits = _ExtendedLimits()
            limits.Basic.LimitFlags = _KILL_ON_JOB_CLOSE
            kernel.SetInformationJobObject(
                ctypes.c_void_p(_job),
                _EXTENDED_LIMIT_INFORMATION,
                ctypes.byref(limits),
                ctypes.sizeof(limits),
            )
        kernel.AssignProcessToJobObject(
            ctypes.c_void_p(_job), ctypes.c_void_p(int(process._handle))
        )
