"""Request to alpha for a large layer, against the bare copies of the same bytes.

The engine costs next to nothing, so what is left is transport, fitting, and bringing the
alpha to full size. Each round measures all of them, one after the other; figures are
medians of the rounds, and ratios are medians of each round's ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path

import grpc
import numpy as np
from numpy.typing import NDArray

from bridge_client import MatteOptions
from tests.bench.service import client, running, unseen

MIB = 1 << 20


def portrait_like(width: int, height: int) -> NDArray[np.uint8]:
    """Return a picture whose red channel, the bench's alpha, has a soft band of about 8 %."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    distance = np.hypot((x - width / 2) / (0.30 * width), (y - height * 0.6) / (0.45 * height))
    alpha = np.clip((1.045 - distance) / 0.09, 0, 1)
    picture = np.random.default_rng(0).integers(0, 60, (height, width, 3), np.uint8)
    picture[..., 0] = (alpha * 255).astype(np.uint8)
    picture[..., 1] += (alpha * 180).astype(np.uint8)
    return picture


def bare_copy(pixels: bytearray, room: bytearray, answer: int, folder: Path) -> float:
    """Write the layer to tmpfs, read it, write an answer, read that: seconds.

    `room` takes what is read, so that its memory is not counted.
    """
    start = time.perf_counter()
    for name, size in (("out", len(pixels)), ("back", answer)):
        with (folder / name).open("wb", buffering=0) as file:
            file.write(memoryview(pixels)[:size])
        with (folder / name).open("rb", buffering=0) as file:
            file.readinto(memoryview(room)[:size])
    seconds = time.perf_counter() - start
    for name in ("out", "back"):
        (folder / name).unlink()
    return seconds


class BareStream:
    """A grpcio server and client that move the same bytes and do nothing else."""

    def __init__(self, folder: Path, answer: int) -> None:
        self._answer = bytes(answer)
        address = f"unix:{folder / 'bare.sock'}"
        options = [
            ("grpc.max_receive_message_length", 8 * MIB),
            ("grpc.default_authority", "localhost"),
        ]
        self._server = grpc.server(futures.ThreadPoolExecutor(2), options=options)
        handler = grpc.stream_stream_rpc_method_handler(self._handle)
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("bench.Bare", {"Move": handler}),)
        )
        self._server.add_insecure_port(address)
        self._server.start()
        self._channel = grpc.insecure_channel(address, options=options)
        self._move = self._channel.stream_stream("/bench.Bare/Move")

    def _handle(self, requests: Iterator[bytes], _: object) -> Iterator[bytes]:
        payload = bytearray()
        for chunk in requests:
            payload += chunk
        for start in range(0, len(self._answer), MIB):
            yield self._answer[start : start + MIB]

    def seconds(self, pixels: bytearray) -> float:
        start = time.perf_counter()
        view = memoryview(pixels)
        parts = (bytes(view[i : i + MIB]) for i in range(0, len(view), MIB))
        b"".join(self._move(parts))
        return time.perf_counter() - start

    def close(self) -> None:
        self._channel.close()
        self._server.stop(0)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(megapixels: float, rounds: int) -> dict[str, list[float]]:
    """Return seconds per case and round."""
    width = int((megapixels * 1.5e6) ** 0.5)
    height = int(megapixels * 1e6 / width)
    picture = portrait_like(width, height)
    times: dict[str, list[float]] = {}
    shared = Path("/dev/shm") if os.path.isdir("/dev/shm") else None  # noqa: PTH112
    with (
        tempfile.TemporaryDirectory(dir=shared) as scratch,
        running() as (home, _),
    ):
        stream = BareStream(Path(scratch), width * height)
        data = bytearray(picture.tobytes())
        room = bytearray(len(data))

        def ours(refinement: str, exchange: bool) -> float:
            options = MatteOptions(refinement=refinement)  # type: ignore[arg-type]
            ask, pixels = client(home, exchange=exchange), unseen(data, width, height)
            return timed(lambda: ask.matte(pixels, options=options))

        cases: dict[str, Callable[[], float]] = {
            "bare tmpfs copy": lambda: bare_copy(data, room, width * height, Path(scratch)),
            "bare grpcio stream": lambda: stream.seconds(data),
            "exchange, fast": lambda: ours("fast", True),
            "exchange, best": lambda: ours("best", True),
            "inline, fast": lambda: ours("fast", False),
        }
        for case in cases.values():
            case()  # warm up
        for _ in range(rounds):
            for name, case in cases.items():
                times.setdefault(name, []).append(case())
        stream.close()
    return times


RATIOS = [
    ("exchange, fast", "bare tmpfs copy", 4.0),
    ("exchange, best", "bare tmpfs copy", 12.0),
    ("inline, fast", "bare grpcio stream", 2.0),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, default=24.0)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    times = measure(args.megapixels, args.rounds)
    ratios = {
        f"{case} / {base}": statistics.median(
            a / b for a, b in zip(times[case], times[base], strict=True)
        )
        for case, base, _ in RATIOS
    }
    if args.json:
        print(json.dumps({"seconds": times, "ratios": ratios}, indent=2))
        return
    for name, seconds in times.items():
        print(f"{name:22} {statistics.median(seconds) * 1000:8.0f} ms")
    for (_, _, target), (name, ratio) in zip(RATIOS, ratios.items(), strict=True):
        print(f"{name:42} {ratio:6.2f} ×   (aim: at most {target:g})")


if __name__ == "__main__":
    main()
