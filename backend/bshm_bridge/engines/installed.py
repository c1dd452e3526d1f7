"""The engines and models of one installation, put together."""

from __future__ import annotations

from bshm_bridge.engines import runtime
from bshm_bridge.engines.base import Engine
from bshm_bridge.engines.classic import ClassicEngine
from bshm_bridge.engines.environments import Environments
from bshm_bridge.engines.registry import Registry
from bshm_bridge.models.store import store_of
from bshm_bridge.paths import Paths


def registry(paths: Paths) -> Registry:
    """Return the registry of the installation whose state is below `paths`."""
    environments = Environments(paths.engines)
    engines: dict[str, Engine] = {"classic": ClassicEngine()}
    for name in runtime.NAMES:
        engines[name] = runtime.WorkerEngine(name, environments, paths.logs)
    return Registry(engines, store_of(paths.models))
