"""Imports go one way, and heavy runtimes stay in workers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BACKEND = ROOT / "backend" / "bshm_bridge"
CLIENT = ROOT / "plugins" / "bridge_client"

# A package of the service, and those that it may import besides itself. Everything may use
# matting, and the plain modules errors, paths and config.
MAY_IMPORT = {
    "matting": set(),
    "models": set(),
    "exchange": set(),
    "samples": set(),
    "engines": {"models"},
    "scheduling": {"engines", "models"},
    "service": {"scheduling", "engines", "models", "exchange"},
    "editors": set(),
    "doctor": {"engines", "models", "editors", "samples"},
    "cli": {"service", "scheduling", "engines", "models", "editors", "doctor", "samples"},
}
RUNTIMES = {"tensorflow", "onnxruntime", "torch", "tf2onnx"}


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names of the modules that a file imports, wherever it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def packages(path: Path) -> set[str]:
    """Return the packages of the service that a file imports."""
    parts = (name.split(".") for name in imports(path))
    found = {name[1] for name in parts if name[0] == "bshm_bridge" and len(name) > 1}
    return found & set(MAY_IMPORT)


def test_every_package_has_its_place() -> None:
    assert {path.parent.name for path in BACKEND.glob("*/__init__.py")} == set(MAY_IMPORT)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_go_one_way(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package, "matting"}
    for path in (BACKEND / package).rglob("*.py"):
        assert packages(path) <= allowed, path.name


@pytest.mark.parametrize("package", ["matting", "engines", "models", "scheduling"])
def test_only_the_service_and_its_clients_know_grpc(package: str) -> None:
    for path in (BACKEND / package).rglob("*.py"):
        roots = {name.partition(".")[0] for name in imports(path)}
        assert not roots & {"grpc", "grpclib", "bshm"}, path.name


def test_the_service_imports_no_runtime() -> None:
    for path in BACKEND.rglob("*.py"):
        assert not {name.partition(".")[0] for name in imports(path)} & RUNTIMES, path.name


def test_the_client_needs_nothing_of_the_service() -> None:
    for path in CLIENT.rglob("*.py"):
        roots = {name.partition(".")[0] for name in imports(path)}
        assert not roots & {"bshm_bridge", "bshm_worker", "numpy", "grpc"}, path.name
