"""Resident memory of this process."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def resident() -> int:
    """Return resident bytes now (Linux), the highest so far (macOS), or 0 where unknown."""
    if sys.platform.startswith("linux"):
        pages = Path("/proc/self/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 0
