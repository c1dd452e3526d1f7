"""How long until the service accepts calls, against importing what it cannot do without.

On the clock, and in the processor's time, which holds on a busy machine too.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def processor() -> float:
    """Seconds that the processes which have ended took of the processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def imports() -> tuple[float, float]:
    """Seconds of `python -c "import grpc, numpy, cv2"`, and those of the processor."""
    start, used = time.perf_counter(), processor()
    subprocess.run([sys.executable, "-c", "import grpc, numpy, cv2"], check=True)
    return time.perf_counter() - start, processor() - used


def ready() -> tuple[float, float]:
    """Seconds from the start of `bshm serve` to its "ready", and those of the processor."""
    with tempfile.TemporaryDirectory() as home:
        start, used = time.perf_counter(), processor()
        process = subprocess.Popen(
            [sys.executable, "-m", "bshm_bridge", "serve"],
            env={**os.environ, "BSHM_HOME": home},
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - start
        process.kill()  # an orderly end would count
        process.wait(30)
        process.stdout.close()
    return seconds, processor() - used


def shown_help() -> tuple[float, float]:
    """Seconds of `bshm --help`, and those of the processor."""
    start, used = time.perf_counter(), processor()
    subprocess.run(
        [sys.executable, "-m", "bshm_bridge", "--help"], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - start, processor() - used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    for warm_up in (imports, ready, shown_help):
        warm_up()
    figures = [(imports(), ready(), shown_help()) for _ in range(rounds)]
    for name, column in zip(
        ("imports", "service ready", "--help"), zip(*figures, strict=True), strict=True
    ):
        clock, used = (statistics.median(values) for values in zip(*column, strict=True))
        print(f"{name:16} {clock * 1000:6.0f} ms, processor {used * 1000:6.0f} ms")
    for kind, name in enumerate(("clock", "processor")):
        ratio = statistics.median(done[kind] / base[kind] for base, done, _ in figures)
        print(f"service ready / imports, {name:10} {ratio:.2f} × (aim: at most 1.5)")


if __name__ == "__main__":
    main()
