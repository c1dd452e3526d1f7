"""Where the service's state lives: the same folder, whoever asks.

Editors in a sandbox see other user directories than the service does; the service runs
outside, so its directories count.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

APP_NAME = "bshm-bridge"


def home() -> Path:
    """Return the state directory: `BSHM_HOME`, else the platform's user data directory."""
    override = os.environ.get("BSHM_HOME")
    if override:
        return Path(override).expanduser().absolute()
    if sys.platform.startswith("linux"):
        host_data = _host_data_home()
        if host_data is not None:
            return host_data / APP_NAME
    import platformdirs

    return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))


def _host_data_home() -> Path | None:
    """Return the user's data directory outside of Flatpak or Snap, None outside of both."""
    if Path("/.flatpak-info").exists():
        data = os.environ.get("HOST_XDG_DATA_HOME")
        return Path(data) if data else Path.home() / ".local" / "share"
    real_home = os.environ.get("SNAP_REAL_HOME")
    if real_home:
        return Path(real_home) / ".local" / "share"
    return None
