"""Many clients, many jobs, huge layers: throughput, fairness, leaks and peak memory.

`clients`  four clients with 6 MP layers and an engine of 0.2 s: throughput against the
           engine's own, and how long the slowest client takes against the fastest
`soak`     thousands of jobs in a row: memory, descriptors and threads must not grow
`memory`   peak resident memory of the service for one layer of 100 MP
"""

from __future__ import annotations

import argparse
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil

from bridge_client import MatteOptions, Pixels
from tests.bench.service import client, running


def clients(seconds: float, jobs: int) -> None:
    """Four clients at once, each with `jobs` layers of its own."""
    width, height = 3000, 2000
    with running(seconds, cache_bytes=0) as (home, _):
        warm = Pixels(bytes(width * height * 3), width, height, "RGB")
        client(home).matte(warm)

        def one(number: int) -> float:
            pixels = np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)
            layer = Pixels(pixels.tobytes(), width, height, "RGB")
            mine = client(home, f"client {number}")
            barrier.wait()
            start = time.perf_counter()
            for _ in range(jobs):
                mine.matte(layer, options=MatteOptions(refinement="fast"))
            return time.perf_counter() - start

        barrier = threading.Barrier(4)
        with ThreadPoolExecutor(4) as pool:
            spent = list(pool.map(one, range(4)))
    throughput = 4 * jobs * seconds / max(spent)
    print(f"throughput / the engine's own      {throughput:6.1%}   (aim: at least 95 %)")
    print(f"slowest client / fastest client    {max(spent) / min(spent):6.2f} × (aim: at most 1.3)")


def soak(jobs: int) -> None:
    """Compare the service after a tenth of `jobs` with the service after all of them."""
    with running() as (home, pid):
        process = psutil.Process(pid)
        picture = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)

        def state() -> tuple[int, int, int, int]:
            time.sleep(1)
            slots = len(list((home / "run" / "exchange").iterdir()))
            return process.memory_info().rss, process.num_fds(), process.num_threads(), slots

        ask = client(home)
        early = (0, 0, 0, 0)
        start = time.perf_counter()
        for number in range(jobs):
            picture[0, 0] = (number % 256, number // 256, 7)
            ask.matte(Pixels(picture.tobytes(), 160, 120, "RGB"))
            if number + 1 == jobs // 10:
                early = state()
        late = state()
        rate = jobs / (time.perf_counter() - start)
    print(f"{jobs} jobs at {rate:.0f} per second")
    print(f"memory late / early    {late[0] / early[0]:6.3f} × (aim: at most 1.05)")
    for name, before, after in zip(
        ("descriptors", "threads", "exchange slots"), early[1:], late[1:], strict=True
    ):
        print(f"{name:20} {before:6} → {after}   (aim: no more)")


def memory(megapixels: float, refinement: str) -> None:
    """Sample the service's resident memory while it works on one layer."""
    width = int((megapixels * 1.5e6) ** 0.5)
    height = int(megapixels * 1e6 / width)
    with running(cache_bytes=0) as (home, pid):
        process = psutil.Process(pid)
        from tests.bench.transport import portrait_like

        pixels = Pixels(portrait_like(width, height).tobytes(), width, height, "RGB")
        client(home).matte(Pixels(bytes(300), 10, 10, "RGB"))
        idle = process.memory_info().rss
        peak = [idle]
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.005):
                peak[0] = max(peak[0], process.memory_info().rss)

        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.perf_counter()
        client(home).matte(pixels, options=MatteOptions(refinement=refinement))  # type: ignore[arg-type]
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
        after = process.memory_info().rss
    limit = 3 * pixels.nbytes + 150e6
    print(f"layer {pixels.nbytes / 1e6:.0f} MB, {refinement}: {seconds:.1f} s")
    print(f"idle {idle / 1e6:.0f} MB, peak {peak[0] / 1e6:.0f} MB, afterwards {after / 1e6:.0f} MB")
    print(f"peak / (3 × layer + 150 MB)    {peak[0] / limit:6.2f} × (aim: at most 1)")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    part = commands.add_parser("clients")
    part.add_argument("--seconds", type=float, default=0.2, help="of the engine per layer")
    part.add_argument("--jobs", type=int, default=25, help="per client")
    part = commands.add_parser("soak")
    part.add_argument("--jobs", type=int, default=5000)
    part = commands.add_parser("memory")
    part.add_argument("--megapixels", type=float, default=100.0)
    part.add_argument("--refinement", choices=["best", "fast"], default="best")
    args = parser.parse_args()
    if args.command == "clients":
        clients(args.seconds, args.jobs)
    elif args.command == "soak":
        soak(args.jobs)
    else:
        memory(args.megapixels, args.refinement)


if __name__ == "__main__":
    main()
