"""A client of another gRPC stack, written from the .proto file alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bridge_client.connection import connection_file

from .conftest import RunningService, figure, gray, rgb

HERE = Path(__file__).parent
PROTO = HERE.parents[1] / "protos" / "bshm" / "bridge" / "v1" / "matting.proto"


@pytest.fixture(scope="module")
def node_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the client's packages in a folder of its own and return its script."""
    npm = shutil.which("npm")
    assert npm, "npm is missing: install Node.js to run the tests"
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "matte.js"):
        shutil.copyfile(HERE / "node" / name, folder / name)
    subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True, timeout=240
    )
    return folder / "matte.js"


def test_a_node_client_gets_the_same_matte(
    service: RunningService, node_client: Path, tmp_path: Path
) -> None:
    # More than one chunk, and no multiple of its size.
    picture, selection = figure(701, 503)
    expected = service.client().matte(rgb(picture), hint=gray(selection))
    (tmp_path / "pixels").write_bytes(picture.tobytes())
    (tmp_path / "hint").write_bytes(selection.tobytes())
    done = subprocess.run(
        [
            *("node", str(node_client), str(PROTO), str(connection_file(service.home))),
            *("701", "503"),
            *(str(tmp_path / name) for name in ("pixels", "hint", "matte")),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["matte"]["width"], answer["matte"]["height"]) == (701, 503)
    assert answer["model"] == "classic"
    assert {"running", "result", "chunk"} <= set(answer["kinds"])
    assert (tmp_path / "matte").read_bytes() == expected.alpha.data
