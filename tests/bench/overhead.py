"""What the service adds to `Session.run`, beside a bare script with the same runtime.

    python -m tests.bench.overhead --engine tf1

Worker and script take turns on the same image and a stand-in graph of realistic size (three
U-Nets, 72 MB; it is not BSHM). Exits with 1 where the service's own time, the whole call
less what the runtime itself took, is above 3 % and above 10 ms.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bshm_bridge.engines.base import Cancellation, EngineInput
from bshm_bridge.engines.environments import Environments
from bshm_bridge.engines.runtime import WorkerEngine
from bshm_bridge.models.manifest import InputSpec, Manifest, OutputSpec
from bshm_bridge.models.sizes import AtMost

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("BSHM_TEST_CACHE") or Path.home() / ".cache" / "bshm-bridge-tests")
MODEL = Manifest(
    name="standin",
    title="Stand-in of realistic size",
    engines=("tf1", "tf2"),
    input=InputSpec(AtMost(4096), "input_image:0", "HWC"),
    output=OutputSpec("output_png:0", 3, (0.0, 255.0)),
    file="unets.pb",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("tf1", "tf2"), default="tf1")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--side", type=int, default=1024, help="pixels, square")
    parser.add_argument("--engines", type=Path, default=CACHE / "engines")
    args = parser.parse_args()
    environments = Environments(args.engines)
    python = environments.get(args.engine).python
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generator = HERE.parent / "standins" / "make_graph.py"
        subprocess.run([python, generator, folder, "unets"], check=True, capture_output=True)
        image = np.random.default_rng(0).integers(0, 256, (args.side, args.side, 3), np.uint8)
        np.save(folder / "image.npy", image)
        engine = WorkerEngine(args.engine, environments, folder)
        return measure(engine, python, folder, image, args.runs)


def measure(engine: WorkerEngine, python: Path, folder: Path, image: np.ndarray, runs: int) -> int:
    def quiet(stage: str, fraction: float) -> None:
        pass

    session = engine.load(MODEL, folder / "unets.pb", "auto", Cancellation(), quiet)
    bare = subprocess.Popen(
        [python, HERE / "bare_graph.py", folder / "unets.pb", folder / "image.npy"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert bare.stdin is not None and bare.stdout is not None
    alone, whole, own = [], [], []
    for _ in range(runs + 1):
        bare.stdin.write("\n")
        bare.stdin.flush()
        alone.append(float(bare.stdout.readline()))
        start = time.perf_counter()
        session.infer(EngineInput(image), Cancellation(), quiet)
        whole.append(time.perf_counter() - start)
        own.append(whole[-1] - session.runtime_seconds)
    bare.stdin.close()
    bare.wait()
    session.close()
    # The first of each warms up: both runtimes plan the graph for this size then.
    alone_s, whole_s, own_s = (statistics.median(times[1:]) for times in (alone, whole, own))
    print(f"{session.runtime} on {session.device}, {image.shape[1]}×{image.shape[0]}, {runs} runs")
    print(f"bare script          {alone_s * 1e3:9.1f} ms (median)")
    print(f"through the worker   {whole_s * 1e3:9.1f} ms, {whole_s / alone_s:.3f} of the script")
    print(f"the service's share  {own_s * 1e3:9.1f} ms, {own_s / whole_s:.2%}")
    within = own_s <= max(0.03 * alone_s, 0.010)
    print("within 3 % or 10 ms" if within else "above 3 % and 10 ms")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
