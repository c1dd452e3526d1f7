"""ONNX files in ONNX Runtime, on the best execution provider that its build has."""

from __future__ import annotations

import base64
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from bshm_worker.failures import RUNTIME_BROKEN, Failure, explain, first_names, wrong_graph
from bshm_worker.gpu import ask_driver
from bshm_worker.model import Device, Model, ReportStage, choose

# TensorRT is left out: it compiles each new picture size for minutes.
_GPU_PROVIDERS: Tuple[Tuple[str, Dict[str, str]], ...] = (
    ("CUDAExecutionProvider", {"cudnn_conv_algo_search": "HEURISTIC"}),
    ("ROCMExecutionProvider", {}),
    ("MIGraphXExecutionProvider", {}),
    ("DmlExecutionProvider", {}),
    ("CoreMLExecutionProvider", {}),
)

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}

# y = x + x for two floats, so that `check` needs no file and no onnx package.
_DOUBLER = base64.b64decode(
    "CAc6NQoOCgF4CgF4EgF5IgNBZGQSAWdaDwoBeBIKCggIARIECgIIAmIPCgF5EgoKCAgBEgQKAggCQgQKABAN"
)


class OnnxModel(Model):
    """One ONNX file in a session of its own."""

    def __init__(self, spec: Dict[str, Any], device: str, report: ReportStage) -> None:
        report("importing")
        ort = _import_runtime()
        report("loading")
        self.runtime = "ONNX Runtime " + ort.__version__
        self._session, self.device = _open(ort, spec["path"], device)
        inputs = {item.name: item for item in self._session.get_inputs()}
        outputs = tuple(item.name for item in self._session.get_outputs())
        self._input = _pick(spec["input"]["tensor"], tuple(inputs), "input")
        self._output = _pick(spec["output"]["tensor"], outputs, "output")
        extra = [item["tensor"] for item in spec.get("extra_inputs", ())]
        states = spec.get("states", ())
        self._types = {
            name: _type_of(inputs[_pick(name, tuple(inputs), "input")])
            for name in [self._input, *extra, *(pair["input"] for pair in states)]
        }
        for pair in states:
            _pick(pair["output"], outputs, "output")
        self.input_type = self._types[self._input]

    def run(
        self, tensor: Any, extra: Dict[str, Any], also: Sequence[str] = ()
    ) -> Tuple[Any, List[Any]]:
        fed = {
            name: np.ascontiguousarray(value, self._types[name]) for name, value in extra.items()
        }
        fed[self._input] = tensor
        output, *more = self._session.run([self._output, *also], fed)
        return output, more


def check() -> Dict[str, Any]:
    """Import ONNX Runtime, add two numbers on the best device, and describe both."""
    ort = _import_runtime()
    session, device = _open(ort, _DOUBLER, "auto")
    (value,) = session.run(None, {"x": np.array([1.0, 2.0], np.float32)})
    if value.tolist() != [2.0, 4.0]:
        raise Failure(RUNTIME_BROKEN, "ONNX Runtime computes wrong results in this interpreter.")
    return {"runtime": "ONNX Runtime " + ort.__version__, "device": device._asdict()}


def _import_runtime() -> Any:
    try:
        import onnxruntime as ort

        ort.InferenceSession  # noqa: B018 - the folder of a removed package imports, but is empty
    except (ImportError, AttributeError) as error:
        raise Failure(
            RUNTIME_BROKEN,
            "ONNX Runtime cannot be imported (%s); install the engine again with "
            "“bshm engines install onnx”." % str(error).splitlines()[0][:120],
        ) from error
    return ort


def _open(ort: Any, model: Any, device: str) -> Tuple[Any, Device]:
    """Open a session on the GPU where that is wanted and works, else on the CPU."""
    available = ort.get_available_providers()
    wanted = [] if device == "cpu" else [item for item in _GPU_PROVIDERS if item[0] in available]
    options = ort.SessionOptions()
    if any(name == "DmlExecutionProvider" for name, _ in wanted):
        options.enable_mem_pattern = False
    if any(name == "CUDAExecutionProvider" for name, _ in wanted) and hasattr(ort, "preload_dlls"):
        ort.preload_dlls()
    providers: List[Any] = [*wanted, ("CPUExecutionProvider", {})]
    try:
        session = ort.InferenceSession(model, options, providers=providers)
    except Exception as error:
        known = explain(error)
        if known.reason != "inference-failed":
            raise known from error
        raise wrong_graph("ONNX Runtime cannot load it (%s)" % type(error).__name__) from error
    # ONNX Runtime falls back silently; what it took is the only truth.
    taken = session.get_providers()[0]
    names = [] if taken == "CPUExecutionProvider" else [_device_name(taken)]
    return session, choose(device, names, _why_no_gpu(bool(wanted)))


def _device_name(provider: str) -> str:
    if provider == "CUDAExecutionProvider":
        names = ask_driver().names
        return names[0] if names else "NVIDIA GPU"
    return {"DmlExecutionProvider": "GPU (DirectML)", "CoreMLExecutionProvider": "Apple GPU"}.get(
        provider, "AMD GPU"
    )


def _why_no_gpu(built_with_gpu: bool) -> str:
    if built_with_gpu:
        return ask_driver().problem or "ONNX Runtime could not load all of its GPU libraries"
    return ask_driver().problem or "this build of ONNX Runtime has no GPU support"


def _type_of(item: Any) -> Any:
    if item.type not in _TYPES:
        raise wrong_graph("its input “%s” has the type %s" % (item.name[:40], item.type[:40]))
    return _TYPES[item.type]


def _pick(name: str, names: Tuple[str, ...], role: str) -> str:
    if not name and names:
        return names[0]
    if name in names:
        return name
    raise wrong_graph("it has no %s “%s” (it has: %s)" % (role, name[:60], first_names(names)))
