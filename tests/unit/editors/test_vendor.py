"""What is copied beside a plugin is pure Python and complete."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bshm_bridge.editors.vendor import DISTRIBUTIONS, OWN_PACKAGES, vendor

# Imports what the client needs from the copy alone, without this environment's packages.
PROBE = """
import sys
sys.path.insert(0, sys.argv[1])
import bridge_client, google.protobuf, grpclib.client, platformdirs
from bshm.bridge.v1 import matting_pb2
header = matting_pb2.MatteHeader(client="probe")
assert matting_pb2.MatteHeader.FromString(header.SerializeToString()) == header
outside = [
    name for name, module in sys.modules.items()
    if "site-packages" in (getattr(module, "__file__", None) or "")
]
assert not outside, outside
from google.protobuf.internal import api_implementation
print(api_implementation.Type())
"""


@pytest.fixture(scope="module")
def vendored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugin")
    vendor(folder / "vendor", folder / "licences")
    return folder


def test_nothing_compiled_is_copied(vendored: Path) -> None:
    suffixes = {file.suffix for file in (vendored / "vendor").rglob("*") if file.is_file()}
    assert suffixes == {".py"}


def test_copy_works_without_anything_installed(vendored: Path) -> None:
    command = [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", PROBE]
    command.append(str(vendored / "vendor"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "python"  # not protobuf's compiled part


def test_every_copied_package_comes_with_its_licence(vendored: Path) -> None:
    folders = {folder.name for folder in (vendored / "licences").iterdir() if any(folder.iterdir())}
    named = {re.sub(r"-[^-]*$", "", folder) for folder in folders}
    assert named == set(DISTRIBUTIONS)


def test_own_packages_are_copied_without_leftovers(vendored: Path) -> None:
    for name in OWN_PACKAGES:
        assert (vendored / "vendor" / name / "__init__.py").exists()
    assert not list(vendored.rglob("__pycache__"))
