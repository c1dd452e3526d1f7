"""The worker's loop: one request at a time, answers in order.

Requests: ``load``, ``infer``, ``check``, ``convert``, ``stop``. Answers: ``stage``, ``ready``,
``result``, ``checked``, ``converted``, ``error``. Each is a JSON object with its kind under
``op`` or ``event``.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
import traceback
from typing import Any, BinaryIO, Dict, List, Optional, Tuple

import numpy as np

from bshm_worker import PROTOCOL
from bshm_worker.failures import Failure, explain
from bshm_worker.frames import Message, write_frame
from bshm_worker.lifeline import die_with_parent, take_pipes, watch
from bshm_worker.memory import resident
from bshm_worker.model import Model, check_runtime, load_model
from bshm_worker.pixels import PixelFile
from bshm_worker.tensors import UNKNOWN, alpha, extra_inputs, network_input


class Loop:
    """Answers requests until it is told to stop."""

    def __init__(self, replies: BinaryIO) -> None:
        self._replies = replies
        self._model: Optional[Model] = None
        self._spec: Dict[str, Any] = {}
        self._pixels: Optional[PixelFile] = None

    def answer(self, request: Message) -> None:
        """Do what one request asks; what goes wrong becomes an ``error`` answer."""
        try:
            getattr(self, "_on_" + request["op"])(request)
        except Exception as error:
            failure = explain(error)
            if not isinstance(error, Failure):
                traceback.print_exc()
            _mark_log()
            self._send("error", reason=failure.reason, message=failure.message)

    def _on_check(self, request: Message) -> None:
        facts = check_runtime(request["engine"])
        _mark_log()
        self._send(
            "checked",
            protocol=PROTOCOL,
            python=platform.python_version(),
            numpy=np.__version__,
            executable=sys.executable,
            **facts,
        )

    def _on_convert(self, request: Message) -> None:
        from bshm_worker.conversion import convert

        facts = convert(request["graph"], request["target"], request["input"], request["output"])
        _mark_log()
        self._send("converted", **facts)

    def _on_load(self, request: Message) -> None:
        self._spec = request["model"]
        self._pixels = PixelFile(request["pixels"])
        model = load_model(self._spec, request["device"], self._report)
        self._report("warming-up")
        width, height = request["warm_up"]
        started = time.perf_counter()
        blocks = {
            "trimap": np.full((height, width), UNKNOWN, np.uint8),
            "distances": np.full((height, width, 2), np.inf, np.float32),
        }
        self._run(model, np.zeros((height, width, 3), np.uint8), blocks)
        seconds = time.perf_counter() - started
        self._model = model
        _mark_log()
        self._send(
            "ready",
            protocol=PROTOCOL,
            runtime=model.runtime,
            python=platform.python_version(),
            device=model.device._asdict(),
            pid=os.getpid(),
            warm_up_seconds=seconds,
            **self._memory(model),
        )

    def _on_infer(self, request: Message) -> None:
        if self._model is None or self._pixels is None:
            raise Failure("internal", "The engine was asked before its model was loaded.")
        image = self._pixels.read_image(request["width"], request["height"])
        blocks = self._pixels.read_blocks(request["blocks"])
        result, states, seconds = self._run(self._model, image, blocks)
        offset = request["alpha_offset"]
        self._pixels.write_alpha(result, offset)
        self._send(
            "result",
            height=result.shape[0],
            width=result.shape[1],
            states=self._pixels.write_blocks(states, offset + result.nbytes),
            runtime_seconds=seconds,
            **self._memory(self._model),
        )

    def _run(
        self, model: Model, image: Any, blocks: Dict[str, Any]
    ) -> Tuple[Any, List[Any], float]:
        """Return alpha, the network's memory of this frame, and the runtime's seconds."""
        main = self._spec["input"]
        tensor = network_input(image, main, model.input_type, blocks.get("trimap"))
        fed = extra_inputs(self._spec["extra_inputs"], main, image, blocks)
        pairs = self._spec["states"]
        for pair in pairs:
            # Nothing is remembered before the first frame.
            empty = np.zeros((1, 1, 1, 1), np.float32)
            fed[pair["input"]] = blocks.get(pair["input"], empty)
        started = time.perf_counter()
        output, states = model.run(tensor, fed, [pair["output"] for pair in pairs])
        seconds = time.perf_counter() - started
        plane = alpha(output, main["layout"], self._spec["output"])
        if main.get("pad_to", 1) > 1:
            plane = plane[: image.shape[0], : image.shape[1]]
        return np.ascontiguousarray(plane), states, seconds

    def _memory(self, model: Model) -> Dict[str, int]:
        return {"memory": resident(), "gpu_memory": model.gpu_memory()}

    def _report(self, stage: str) -> None:
        self._send("stage", stage=stage)

    def _send(self, event: str, **fields: Any) -> None:
        write_frame(self._replies, dict(fields, event=event))


def _mark_log() -> None:
    """Write the line up to which the service reads the log before it explains this answer."""
    sys.stderr.write("bshm_worker: answered\n")
    sys.stderr.flush()


def main(argv: List[str]) -> int:
    parser = argparse.ArgumentParser(prog="bshm_worker", description=__doc__)
    parser.add_argument("--parent", type=int, required=True)
    parent = parser.parse_args(argv).parent
    die_with_parent(parent)
    # Started with -B to keep this package's folder clean; the runtime's imports need caching.
    sys.dont_write_bytecode = False
    requests, replies = take_pipes()
    queue = watch(requests)
    loop = Loop(replies)
    while True:
        request = queue.get()
        if request is None or request["op"] == "stop":
            # Runtimes crash now and then while they are torn down; nothing is left to save.
            os._exit(0)
        loop.answer(request)
