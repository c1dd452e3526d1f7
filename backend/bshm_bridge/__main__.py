"""``python -m bshm_bridge`` is ``bshm``."""

from bshm_bridge.cli.main import entry

entry()
