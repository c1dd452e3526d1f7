"""Fixtures that run the real editors."""

from __future__ import annotations

import os

import pytest

from tests.editors.provision import Unprovided, sandbox_for
from tests.editors.sandbox import Sandbox


def _sandbox(editor: str) -> Sandbox:
    try:
        return sandbox_for(editor)
    except Unprovided as problem:
        if os.environ.get("CI"):
            pytest.fail(str(problem))
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def gimp_sandbox() -> Sandbox:
    return _sandbox("gimp")


@pytest.fixture(scope="session")
def krita_sandbox() -> Sandbox:
    return _sandbox("krita")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Allow for installing the editors, which the first test does where they are missing."""
    for item in items:
        if "editors" in item.path.parts:
            item.add_marker(pytest.mark.timeout(1200))
