"""All that `bshm doctor` looks at, in order."""

from __future__ import annotations

from collections.abc import Iterator

from bshm_bridge.doctor.editor_plugins import examine_editors
from bshm_bridge.doctor.finding import Finding
from bshm_bridge.doctor.graphics import examine_graphics
from bshm_bridge.doctor.model_files import examine_models
from bshm_bridge.doctor.running_service import examine_service
from bshm_bridge.doctor.runtimes import examine_runtimes
from bshm_bridge.doctor.system import examine_system
from bshm_bridge.doctor.trial import examine_trial
from bshm_bridge.editors.install import editors
from bshm_bridge.engines.environments import Environments
from bshm_bridge.engines.installed import registry
from bshm_bridge.models.store import store_of
from bshm_bridge.paths import Paths
from bshm_worker.gpu import ask_driver


def examine(paths: Paths, quick: bool = False) -> Iterator[Finding]:
    """Look at everything; what is found comes as it is found.

    Parameters
    ----------
    quick
        Start no runtime and no model.
    """
    driver = ask_driver()
    models = registry(paths)
    yield from examine_system(paths)
    yield from examine_graphics(driver)
    if not quick:
        yield from examine_runtimes(Environments(paths.engines), paths.logs, driver)
    yield from examine_models(store_of(paths.models), models)
    yield from examine_editors(editors().values())
    yield from examine_service(paths)
    if not quick:
        yield from examine_trial(models)
