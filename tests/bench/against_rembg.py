"""The same layer through `rembg s` (PyPI's rembg, its HTTP server) and through this service.

Counted is the time from the raw layer to its alpha in the client. rembg's clients send a file,
JPEG or PNG, and get a PNG back: the cut-out, or the mask alone where they ask for that. Its
`u2net_custom` session runs a network that costs next to nothing, made here; ours runs an
engine that costs as little. rembg gets an environment of its own in a temporary folder, or the
one named with --python.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import requests
from PIL import Image

from bridge_client import MatteOptions
from tests.bench.service import client, running, unseen
from tests.bench.transport import portrait_like, timed

PACKAGES = ["rembg[cpu,cli]", "onnx"]

MAKE_NETWORK = """
import sys, onnx
from onnx import TensorProto, helper
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 320, 320])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 320, 320])
axes = helper.make_node("ReduceMean", ["x"], ["y"], axes=[1], keepdims=1)
graph = helper.make_graph([axes], "mean", [x], [y])
opset = [helper.make_opsetid("", 13)]
onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), sys.argv[1])
"""


def environment(folder: Path) -> Path:
    """Make an environment with rembg and return its interpreter."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [*uv, "pip", "install", "--quiet", "--python", str(python), *PACKAGES], check=True
    )
    return python


def start_rembg(python: Path, models: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start rembg's server; returns it and its address once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [str(python.parent / "rembg"), "s", "--host", "127.0.0.1", "--port", str(port)],
        # It loads networks from its own folder alone; the name of that changed once.
        env={**os.environ, "REMBG_HOME": str(models), "U2NET_HOME": str(models)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            requests.get(f"{address}/api", timeout=5)
            return server, address
        except requests.ConnectionError:
            if server.poll() is not None:
                sys.exit(f"rembg's server ended with code {server.returncode}")
            time.sleep(0.5)
    sys.exit("rembg's server did not answer")


def through_rembg(
    address: str, picture: Image.Image, kind: str, network: Path, *, mask_only: bool
) -> None:
    """Send a file, get a PNG back and take the alpha from it."""
    file = io.BytesIO()
    picture.save(file, kind, **({"quality": 95} if kind == "JPEG" else {}))
    answer = requests.post(
        f"{address}/api/remove",
        files={"file": (f"layer.{kind.lower()}", file.getvalue())},
        data={"model": "u2net_custom", **({"om": "true"} if mask_only else {})},
        params={"extras": json.dumps({"model_path": str(network)})},
        timeout=300,
    )
    answer.raise_for_status()
    with Image.open(io.BytesIO(answer.content)) as result:
        alpha = result if mask_only else result.getchannel("A")
        alpha.load()
        assert (alpha.mode, alpha.size) == ("L", picture.size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, help="interpreter that has rembg and onnx")
    parser.add_argument("--megapixels", type=float, default=24.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    width = int((args.megapixels * 1.5e6) ** 0.5)
    pixels = portrait_like(width, int(args.megapixels * 1e6 / width))
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    with (
        tempfile.TemporaryDirectory() as scratch,
        running() as (home, _),
    ):
        python = args.python or environment(Path(scratch) / "rembg")
        network = Path(scratch) / "mean.onnx"
        subprocess.run([str(python), "-c", MAKE_NETWORK, str(network)], check=True)
        server, address = start_rembg(python, Path(scratch))
        layer = bytearray(pixels.tobytes())
        size = picture.size

        def ours(refinement: str) -> None:
            options = MatteOptions(refinement=refinement)  # type: ignore[arg-type]
            client(home).matte(unseen(layer, *size), options=options)

        def theirs(kind: str, mask_only: bool) -> None:
            through_rembg(address, picture, kind, network, mask_only=mask_only)

        cases: dict[str, Callable[[], object]] = {
            "ours, fast": lambda: ours("fast"),
            "ours, best": lambda: ours("best"),
            "JPEG, mask": lambda: theirs("JPEG", True),
            "JPEG, cut-out": lambda: theirs("JPEG", False),
            "PNG, mask": lambda: theirs("PNG", True),
            "PNG, cut-out": lambda: theirs("PNG", False),
        }
        times: dict[str, list[float]] = {}
        try:
            for work in cases.values():
                work()  # warm up
            for _ in range(args.rounds):
                for name, work in cases.items():
                    times.setdefault(name, []).append(timed(work))
        finally:
            server.terminate()
            server.wait(30)
    for name, seconds in times.items():
        print(f"{name:14} {statistics.median(seconds):6.2f} s")
    for name in list(cases)[2:]:
        ratio = statistics.median(
            a / b for a, b in zip(times[name], times["ours, fast"], strict=True)
        )
        aim = 12 if name.startswith("JPEG") else 25
        print(f"rembg, {name:14} / ours, fast  {ratio:6.1f} × (aim: at least {aim})")


if __name__ == "__main__":
    main()
