"""Many clients, many jobs, huge layers: throughput, fairness, leaks and peak memory.

`clients`      four clients with 6 MP layers and an engine of 0.2 s: throughput against the
               engine's own, and how long the slowest client takes against the fastest
`interactive`  how long somebody waits who comes while a batch of a hundred runs
`soak`         thousands of jobs in a row: memory, descriptors and threads must not grow
`memory`       peak resident memory of the service for one layer of 100 MP, or for several
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import psutil

from bridge_client import MatteOptions, Pixels
from tests.bench.service import client, running, unseen
from tests.bench.transport import portrait_like


def clients(seconds: float, jobs: int) -> None:
    """Four clients at once, each with `jobs` layers of its own."""
    width, height = 3000, 2000
    with running(seconds) as (home, _):
        client(home).matte(Pixels(bytes(width * height * 3), width, height, "RGB"))

        def one(number: int) -> float:
            pixels = np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)
            layer = bytearray(pixels.tobytes())
            mine = client(home, f"client {number}")
            barrier.wait()
            start = time.perf_counter()
            for _ in range(jobs):
                options = MatteOptions(refinement="fast")
                mine.matte(unseen(layer, width, height), options=options)
            return time.perf_counter() - start

        barrier = threading.Barrier(4)
        with ThreadPoolExecutor(4) as pool:
            spent = list(pool.map(one, range(4)))
    throughput = 4 * jobs * seconds / max(spent)
    print(f"throughput / the engine's own      {throughput:6.1%}   (aim: at least 95 %)")
    print(f"slowest client / fastest client    {max(spent) / min(spent):6.2f} × (aim: at most 1.3)")


def interactive(seconds: float, batch: int, rounds: int) -> None:
    """One client asks again and again while another has `batch` layers in the queue.

    The service's own clock tells how long each waited: a hundred clients in this process
    slow each other down.
    """
    width, height = 1200, 800

    def ask(home: Path, name: str, priority: Literal["batch", "interactive"]) -> float:
        layer = unseen(bytearray(width * height * 3), width, height)
        matte = client(home, name).matte(layer, options=MatteOptions(priority=priority))
        return matte.timings["queue"]

    with running(seconds) as (home, _), ThreadPoolExecutor(batch) as pool:
        jobs = [pool.submit(ask, home, "batch", "batch") for _ in range(batch)]
        while client(home).status().done < 3:  # the batch is running
            time.sleep(seconds / 10)
        waits, left = [], []
        before, start = client(home).status().done, time.perf_counter()
        for number in range(rounds):
            time.sleep(seconds * number / rounds)  # at another moment of an item each time
            left.append(sum(not job.done() for job in jobs))
            waits.append(ask(home, "person", "interactive"))
        item = (time.perf_counter() - start) / (client(home).status().done - before)
        for job in jobs:
            job.result()
    usual, longest = statistics.median(waits) / item, max(waits) / item
    print(f"{left[0]} to {left[-1]} of {batch} layers of the batch were not done yet")
    print(f"wait in the queue / one item of the batch    {usual:6.2f} × (median)")
    print(f"longest wait of {rounds:<3} / one item             {longest:6.2f} × (aim: at most 1)")


def soak(jobs: int) -> None:
    """Compare the service after a tenth of `jobs` with the service after all of them.

    Every layer is another one, so that the cache fills up, and works, as it does in use.
    """
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


def memory(megapixels: float, refinement: Literal["best", "fast"], layers: int) -> None:
    """Sample the service's resident memory while it works on `layers` at once."""
    width = int((megapixels * 1.5e6) ** 0.5)
    height = int(megapixels * 1e6 / width)
    picture = portrait_like(width, height).tobytes()
    with running() as (home, pid), ThreadPoolExecutor(layers) as pool:
        process = psutil.Process(pid)
        client(home).matte(Pixels(bytes(300), 10, 10, "RGB"))
        idle = process.memory_info().rss
        peak = [idle]
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.005):
                peak[0] = max(peak[0], process.memory_info().rss)

        def one(_: int) -> None:
            layer = unseen(bytearray(picture), width, height)
            client(home).matte(layer, options=MatteOptions(refinement=refinement))

        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.perf_counter()
        list(pool.map(one, range(layers)))
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
        after = process.memory_info().rss
    size = len(picture)
    limit = 3 * layers * size + 150e6
    print(f"{layers} × {size / 1e6:.0f} MB, {refinement}: {seconds:.1f} s")
    print(f"idle {idle / 1e6:.0f} MB, peak {peak[0] / 1e6:.0f} MB, afterwards {after / 1e6:.0f} MB")
    print(f"peak / (3 × layers + 150 MB)    {peak[0] / limit:6.2f} × (aim: at most 1)")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    part = commands.add_parser("clients")
    part.add_argument("--seconds", type=float, default=0.2, help="of the engine per layer")
    part.add_argument("--jobs", type=int, default=25, help="per client")
    part = commands.add_parser("interactive")
    part.add_argument("--seconds", type=float, default=0.3, help="of the engine per layer")
    part.add_argument("--batch", type=int, default=100, help="layers")
    part.add_argument("--rounds", type=int, default=10)
    part = commands.add_parser("soak")
    part.add_argument("--jobs", type=int, default=5000)
    part = commands.add_parser("memory")
    part.add_argument("--megapixels", type=float, default=100.0)
    part.add_argument("--refinement", choices=["best", "fast"], default="best")
    part.add_argument("--layers", type=int, default=1, help="at once")
    args = parser.parse_args()
    if args.command == "clients":
        clients(args.seconds, args.jobs)
    elif args.command == "interactive":
        interactive(args.seconds, args.batch, args.rounds)
    elif args.command == "soak":
        soak(args.jobs)
    else:
        memory(args.megapixels, args.refinement, args.layers)


if __name__ == "__main__":
    main()
