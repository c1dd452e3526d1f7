"""Somebody else's Krita plugin, which brings a protobuf of its own."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

VERSION = "4.25.8"

DESKTOP = """[Desktop Entry]
Type=Service
ServiceTypes=Krita/PythonPlugin
X-KDE-Library=other_protobuf
X-Python-2-Compatible=false
Name=Other
"""

CODE = """
import sys
from pathlib import Path

OWN_VERSION = {version!r}
VENDORED = str(Path(__file__).parent / "vendored")
EARLY = {early!r}


def load():
    if VENDORED not in sys.path:
        sys.path.insert(0, VENDORED)
    import google.protobuf


def round_trip():
    from google.protobuf import struct_pb2

    sent = struct_pb2.Struct()
    sent["word"] = "still here"
    received = struct_pb2.Struct()
    received.ParseFromString(sent.SerializeToString())
    return received["word"]


if EARLY:
    load()
"""


def make_other_plugin(folder: Path, *, early: bool) -> Path:
    """Write the plugin below `folder`; `early` imports its protobuf at Krita's start."""
    package = folder / "other_protobuf"
    package.mkdir(parents=True)
    (folder / "other_protobuf.desktop").write_text(DESKTOP)
    (package / "__init__.py").write_text(CODE.format(version=VERSION, early=early))
    wheels = folder / "wheels"
    subprocess.run(
        [
            *_downloader(),
            f"protobuf=={VERSION}",
            "--no-deps",
            "--only-binary=:all:",
            "--platform=any",
            "--python-version=3.10",
            "--implementation=py",
            "--abi=none",
            "-d",
            str(wheels),
        ],
        check=True,
        capture_output=True,
    )
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(package / "vendored")
    return folder


def _downloader() -> list[str]:
    return [sys.executable, "-m", "pip", "download", "-q"]
