"""Settings of the service, read from `config.toml`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bshm_bridge.errors import InvalidInput

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Settings:
    """The table `[service]` of `config.toml`; every default suits a designer's machine."""

    model: str = "auto"
    """Model for requests that name none."""
    engine: str = ""
    """Engine for requests that name none; empty: the model's first that is installed."""
    device: str = "auto"
    """"auto", "gpu" or "cpu", for requests that name none."""
    tcp: bool = False
    """Listen on a loopback port rather than a unix socket."""
    queue_limit: int = 256
    """Jobs that may wait before new ones are turned away."""
    max_pixels: int = 300_000_000
    """Largest layer, width × height."""
    memory_limit: int = 0
    """Bytes that the pixels of all jobs together may take; 0: half of the machine's memory."""
    cache_bytes: int = 128_000_000
    """Bytes of results kept for a second try with other options; 0: none."""
    idle_unload: float = 600.0
    """Seconds without a job after which a model gives its memory back; 0: never."""
    idle_exit: float = 3600.0
    """Seconds without a call after which the service ends; 0: never."""
    loaded_models: int = 2
    """Models held in memory at once; the least recently used goes first."""
    drain: float = 60.0
    """Seconds that running jobs get to finish when the service is stopped."""


def load_settings(path: Path) -> Settings:
    """Return the settings in the file `path`, defaults where it or a key is missing.

    Raises
    ------
    InvalidInput
        Where the file is no TOML, or a key is unknown or of the wrong type.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("service", {})
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise InvalidInput(
            f"config.toml cannot be read: {error.strerror}.", "bad-config"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"config.toml cannot be read: {error}.", "bad-config") from error
    if not isinstance(table, dict):
        raise InvalidInput("config.toml: [service] must be a table.", "bad-config")
    known = {field.name: field.default for field in fields(Settings)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise InvalidInput(f"config.toml: there is no setting named {key!r}.", "bad-config")
        default: Any = known[key]
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(default):
            wanted = type(default).__name__
            raise InvalidInput(f"config.toml: {key} must be of type {wanted}.", "bad-config")
        if isinstance(value, (int, float)) and value < 0:
            raise InvalidInput(f"config.toml: {key} must not be negative.", "bad-config")
        values[key] = value
    return Settings(**values)
