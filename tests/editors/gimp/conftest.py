from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.editors.gimp.runner import GimpRunner, GimpWindow
from tests.editors.sandbox import Sandbox
from tests.editors.service import TestService


@pytest.fixture(scope="session")
def service(
    gimp_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestService]:
    """A service for all GIMP tests, started by the plugin of whichever comes first."""
    service = TestService(gimp_sandbox, tmp_path_factory.mktemp("service") / "home")
    yield service
    service.kill()


@pytest.fixture(scope="session")
def gimp(
    gimp_sandbox: Sandbox, service: TestService, tmp_path_factory: pytest.TempPathFactory
) -> GimpRunner:
    return GimpRunner(gimp_sandbox, tmp_path_factory.mktemp("gimp"), service.home)


@pytest.fixture(scope="module")
def window(gimp: GimpRunner) -> Iterator[GimpWindow]:
    with gimp.window() as window:
        yield window
