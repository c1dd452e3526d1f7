"""BSHM's TensorFlow graph as an ONNX file, checked against TensorFlow before it is used."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bshm_bridge.engines import diagnosis
from bshm_bridge.engines.base import Cancellation, EngineInput, ReportProgress
from bshm_bridge.engines.environments import Environments
from bshm_bridge.engines.process import ProcessEnded, WorkerProcess
from bshm_bridge.engines.runtime import WorkerEngine, model_file
from bshm_bridge.engines.worker_log import WorkerLog
from bshm_bridge.errors import NotReady, Unavailable
from bshm_bridge.models.manifest import Manifest

TOLERANCE = 1.0 / 255 + 1e-6
"""Largest difference between two runtimes' alphas of one graph: one step of u8, rounded."""

Write = Callable[[Path, Path], None]

_LIMIT = 900.0


def convert(
    manifest: Manifest,
    file: Path,
    environments: Environments,
    logs: Path,
    cancel: Cancellation,
    progress: ReportProgress,
    write: Write | None = None,
) -> Manifest:
    """Write the ONNX file beside `file` and return the manifest with the engine `onnx` added.

    Needs the engines tf2 and onnx. Where the two do not agree, nothing is kept.

    Parameters
    ----------
    manifest, file
        The model and its frozen TensorFlow graph.
    write
        Converts the first file into the second; tf2onnx in the environment of tf2 where it
        is None.

    Raises
    ------
    NotReady
        An engine is missing, the graph cannot be converted, or the results differ.
    """
    if file.suffix == ".onnx":
        raise NotReady(f"The model “{manifest.name}” is an ONNX file already.", "wrong-engine")
    engines = {name: WorkerEngine(name, environments, logs) for name in ("tf2", "onnx")}
    for name in engines:
        environments.get(name)
    target = model_file("onnx", file)
    draft = target.with_name(target.stem + ".draft.onnx")
    try:
        progress("converting", -1.0)
        if write is None:
            _write(manifest, file, draft, environments.get("tf2").python, logs, cancel)
        else:
            write(file, draft)
        progress("checking", -1.0)
        alphas = [
            _answers(engines[name], manifest, path, cancel)
            for name, path in (("tf2", file), ("onnx", draft))
        ]
        worst = max(float(np.abs(a - b).max()) for a, b in zip(*alphas, strict=True))
        if not worst <= TOLERANCE:
            raise NotReady(
                f"The converted model does not answer like the original (alphas differ by up to "
                f"{worst * 255:.1f} of 255) and was not kept; use the engine tf1 or tf2.",
                "conversion-differs",
            )
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    names = manifest.engines if "onnx" in manifest.engines else (*manifest.engines, "onnx")
    return replace(manifest, engines=names)


def _write(
    manifest: Manifest, file: Path, target: Path, python: Path, logs: Path, cancel: Cancellation
) -> None:
    process = WorkerProcess(python, WorkerLog(logs / "convert.log"))
    deadline = time.monotonic() + _LIMIT
    try:
        process.send(
            {
                "op": "convert",
                "graph": str(file),
                "target": str(target),
                "input": manifest.input.tensor,
                "output": manifest.output.tensor,
            }
        )
        while (answer := process.receive(0.2)) is None:
            cancel.check()
            if time.monotonic() > deadline:
                raise Unavailable("The conversion took too long and was ended.", "engine-hung")
    except ProcessEnded as ended:
        raise diagnosis.crash(ended.code, process.log.tail) from None
    finally:
        process.end()
    if answer["event"] == "error":
        raise diagnosis.error_from(answer["reason"], answer["message"], process.log.tail)


def _answers(
    engine: WorkerEngine, manifest: Manifest, file: Path, cancel: Cancellation
) -> list[NDArray[np.float32]]:
    session = engine.load(manifest, file, "cpu", cancel, _quiet)
    try:
        return [
            session.infer(EngineInput(image), cancel, _quiet)
            for image in (_sample(192, 256), _sample(311, 173))
        ]
    finally:
        session.close()


def _sample(height: int, width: int) -> NDArray[np.uint8]:
    """Return a picture with soft and hard edges, noise, and a different ramp per channel."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    ramps = np.stack([x / width, y / height, 1 - x / width], axis=-1) * 200
    inside = np.hypot(x / width - 0.5, y / height - 0.6) < 0.3
    noise = np.random.default_rng(0).normal(0, 8, ramps.shape)
    picture: NDArray[np.uint8] = np.clip(ramps + inside[..., None] * 55 + noise, 0, 255).astype(
        np.uint8
    )
    return picture


def _quiet(stage: str, fraction: float) -> None:
    pass
