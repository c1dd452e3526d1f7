"""Entry point: ``python PATH/bshm_worker --parent PID``.

The folder above this package may hold packages of another Python (the service's
site-packages), so this package is loaded by its path and nothing is added to `sys.path`.
"""

import importlib.util
import sys
from pathlib import Path


def _load_package() -> None:
    folder = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != folder]
    spec = importlib.util.spec_from_file_location(
        "bshm_worker", str(folder / "__init__.py"), submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["bshm_worker"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    _load_package()
    from bshm_worker.main import main

    sys.exit(main(sys.argv[1:]))
