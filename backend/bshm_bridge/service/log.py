"""The service's log: small files that replace each other, for the owner alone."""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

from bshm_bridge.paths import private_directory

FILE_NAME = "service.log"


def open_log(folder: Path, *, to_terminal: bool = False) -> None:
    """Log into `folder`, and to the terminal where that is wanted."""
    private_directory(folder)
    handlers: list[logging.Handler] = [
        RotatingFileHandler(folder / FILE_NAME, maxBytes=1_000_000, backupCount=3, delay=True)
    ]
    if to_terminal:
        handlers.append(logging.StreamHandler())
    logging.basicConfig(
        level=os.environ.get("BSHM_LOG", "INFO").upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=handlers,
    )
