"""The connection file `run/service.json`: how clients find the service and prove who they are."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

PROTOCOL = 1
"""Number of the wire protocol; both sides must have the same."""


@dataclass(frozen=True)
class Connection:
    """Content of the connection file.

    Attributes
    ----------
    endpoint
        ``unix:/path/to/socket`` or ``127.0.0.1:port``.
    token
        Sent with each call as ``authorization: Bearer TOKEN``.
    """

    endpoint: str
    token: str
    pid: int
    version: str
    protocol: int

    @property
    def socket_path(self) -> str | None:
        """Path of the unix socket, None for TCP."""
        return self.endpoint[5:] if self.endpoint.startswith("unix:") else None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, for TCP."""
        host, _, port = self.endpoint.rpartition(":")
        return host, int(port)


def connection_file(home: Path) -> Path:
    """Return the path of the connection file below the state directory `home`."""
    return home / "run" / "service.json"


def read_connection(home: Path) -> Connection | None:
    """Return the connection of the service that runs, or ran last; None where there is none.

    A file that somebody else could have written is not trusted, and counts as none.
    """
    try:
        with connection_file(home).open("rb") as file:
            if hasattr(os, "getuid"):
                info = os.fstat(file.fileno())
                if info.st_uid != os.getuid() or stat.S_IMODE(info.st_mode) & 0o077:
                    return None
            fields = json.load(file)
        return Connection(
            endpoint=str(fields["endpoint"]),
            token=str(fields["token"]),
            pid=int(fields["pid"]),
            version=str(fields["version"]),
            protocol=int(fields["protocol"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_connection(home: Path, connection: Connection) -> None:
    """Write the connection file at once and readable by its owner alone."""
    path = connection_file(home)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix":
        path.parent.chmod(0o700)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(connection), file)
    fresh.replace(path)
