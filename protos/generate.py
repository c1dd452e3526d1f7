"""Generate the Python code beside the .proto files, or check that it is up to date.

Needs grpcio-tools of the release in `GRPCIO_TOOLS`: its protoc is of the generation whose
Python code runs on every protobuf from 3.20 to 7.x.
"""

from __future__ import annotations

import argparse
import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

GRPCIO_TOOLS = "1.51.1"
ROOT = Path(__file__).resolve().parent
PROTO = "bshm/bridge/v1/matting.proto"
OUTPUTS = ("matting_pb2.py", "matting_pb2.pyi", "matting_pb2_grpc.py")


def generate(into: Path) -> None:
    """Write the generated modules below `into`, in the folders of their package."""
    out = str(into)
    subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-m", "grpc_tools.protoc", f"-I{ROOT}"),
            *(f"--python_out={out}", f"--pyi_out={out}", f"--grpc_python_out={out}", PROTO),
        ],
        check=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail where files differ"
    )
    check = parser.parse_args().check
    home = ROOT / Path(PROTO).parent
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        fresh = Path(scratch) / Path(PROTO).parent
        stale = [
            name
            for name in OUTPUTS
            if not (home / name).exists()
            or not filecmp.cmp(home / name, fresh / name, shallow=False)
        ]
        if not check:
            for name in OUTPUTS:
                shutil.copyfile(fresh / name, home / name)
    if check and stale:
        print(f"out of date: {', '.join(stale)}; run `nox -s protos -- --write`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
