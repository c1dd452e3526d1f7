"""How long until the service accepts calls, against importing what it cannot do without."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time


def imports() -> float:
    """Seconds of `python -c "import grpc, numpy, cv2"`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import grpc, numpy, cv2"], check=True)
    return time.perf_counter() - start


def ready() -> float:
    """Seconds from the start of `bshm serve` to its "ready"."""
    with tempfile.TemporaryDirectory() as home:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "bshm_bridge", "serve"],
            env={**os.environ, "BSHM_HOME": home},
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - start
        process.terminate()
        process.wait(30)
        process.stdout.close()
    return seconds


def shown_help() -> float:
    """Seconds of `bshm --help`."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "bshm_bridge", "--help"], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    for warm_up in (imports, ready, shown_help):
        warm_up()
    figures = [(imports(), ready(), shown_help()) for _ in range(rounds)]
    medians = [statistics.median(column) for column in zip(*figures, strict=True)]
    ratio = statistics.median(done / base for base, done, _ in figures)
    for name, seconds in zip(("imports", "service ready", "--help"), medians, strict=True):
        print(f"{name:16} {seconds * 1000:6.0f} ms")
    print(f"service ready / imports    {ratio:.2f} × (aim: at most 1.5)")


if __name__ == "__main__":
    main()
