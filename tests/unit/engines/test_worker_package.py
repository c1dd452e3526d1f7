from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import bshm_worker

SOURCES = sorted(Path(bshm_worker.__file__).parent.glob("*.py"))
RUNTIMES = {"tensorflow", "tf2onnx", "onnxruntime"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_the_worker_is_python_3_7(source: Path) -> None:
    ast.parse(source.read_text(), feature_version=(3, 7))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_the_worker_needs_numpy_and_its_runtime_alone(source: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported <= set(sys.stdlib_module_names) | RUNTIMES | {"numpy", "bshm_worker"}
