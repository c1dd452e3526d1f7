"""Frozen TensorFlow graphs in TensorFlow 1.15 or 2.x, through `compat.v1` in both."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from bshm_worker.failures import RUNTIME_BROKEN, Failure, first_names, wrong_graph
from bshm_worker.gpu import ask_driver
from bshm_worker.model import Model, ReportStage, choose


class TensorFlowModel(Model):
    """One frozen graph in a graph and a session of its own.

    Two models never share a default graph, so they cannot answer for each other.
    """

    def __init__(self, spec: Dict[str, Any], device: str, report: ReportStage) -> None:
        report("importing")
        tf = import_tensorflow(device)
        report("loading")
        self.runtime = "TensorFlow " + tf.__version__
        graph = tf.Graph()
        with graph.as_default():
            tf.compat.v1.import_graph_def(read_graph(tf, spec["path"]), name="")
        self._input = _tensor(graph, spec["input"]["tensor"], "input")
        self._output = _tensor(graph, spec["output"]["tensor"], "output")
        self.input_type = self._input.dtype.as_numpy_dtype
        self._session = tf.compat.v1.Session(graph=graph, config=_config(tf))
        self.device = choose(device, _gpus(self._session), _why_no_gpu(tf))
        self._tf = tf

    def run(
        self, tensor: Any, extra: Dict[str, Any], also: Sequence[str] = ()
    ) -> Tuple[Any, List[Any]]:
        if extra or also:
            raise wrong_graph("its manifest names inputs that only the engine onnx can feed")
        return self._session.run(self._output, {self._input: tensor}), []

    def gpu_memory(self) -> int:
        if self.device.kind != "gpu":
            return 0
        try:
            return int(self._tf.config.experimental.get_memory_info("GPU:0")["current"])
        except (AttributeError, ValueError, RuntimeError):  # TensorFlow 1 cannot tell
            return 0


def check(engine: str) -> Dict[str, Any]:
    """Import TensorFlow, multiply two matrices on the best device, and describe both."""
    tf = import_tensorflow("auto")
    major = int(tf.__version__.split(".")[0])
    if (engine == "tf1") != (major == 1):
        raise Failure(
            RUNTIME_BROKEN,
            "This interpreter has TensorFlow %s; the engine %s needs TensorFlow %s."
            % (tf.__version__, engine, "1.15" if engine == "tf1" else "2"),
        )
    graph = tf.Graph()
    with graph.as_default():
        a = tf.constant(np.full((64, 64), 2.0, np.float32))
        product = tf.matmul(a, a)
    with tf.compat.v1.Session(graph=graph, config=_config(tf)) as session:
        names = _gpus(session)
        value = session.run(product)
    if not np.array_equal(value, np.full((64, 64), 256.0, np.float32)):
        raise Failure(RUNTIME_BROKEN, "TensorFlow computes wrong results in this interpreter.")
    device = choose("auto", names, _why_no_gpu(tf))
    return {"runtime": "TensorFlow " + tf.__version__, "device": device._asdict()}


def import_tensorflow(device: str) -> Any:
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    try:
        import tensorflow as tf

        tf.compat.v1.Session  # noqa: B018 - an import that went wrong half-way lacks it
    except ImportError as error:
        raise Failure(
            RUNTIME_BROKEN,
            "TensorFlow cannot be imported (%s); install the engine again with "
            "“bshm engines install”." % str(error).splitlines()[0][:120],
        ) from error
    except AttributeError as error:
        raise Failure(
            RUNTIME_BROKEN, "This TensorFlow is too old or damaged; 1.15 or 2.x is needed."
        ) from error
    return tf


def _config(tf: Any) -> Any:
    config = tf.compat.v1.ConfigProto(allow_soft_placement=True)
    # Without it TensorFlow takes nearly all graphics memory, and an editor needs some too.
    config.gpu_options.allow_growth = True
    return config


def read_graph(tf: Any, path: str) -> Any:
    definition = tf.compat.v1.GraphDef()
    try:
        definition.ParseFromString(Path(path).read_bytes())
    except OSError as error:
        raise Failure(
            "model-file", "The model's file cannot be read: %s." % (error.strerror or "unknown")
        ) from error
    except Exception as error:  # DecodeError, of one of several protobuf implementations
        raise wrong_graph("it is not a frozen TensorFlow graph") from error
    if not definition.node:
        raise wrong_graph("it is not a frozen TensorFlow graph")
    for node in definition.node:
        node.device = ""  # where the exporter ran it says nothing about this computer
    return definition


def _tensor(graph: Any, name: str, role: str) -> Any:
    try:
        return graph.get_tensor_by_name(name)
    except (KeyError, ValueError) as error:
        if role == "input":
            names = tuple(
                op.name + ":0" for op in graph.get_operations() if op.type == "Placeholder"
            )
        else:
            names = tuple(op.name + ":0" for op in graph.get_operations()[-3:])
        raise wrong_graph(
            "it has no %s tensor “%s” (it has: %s)" % (role, name[:60], first_names(names))
        ) from error


def _gpus(session: Any) -> List[str]:
    devices = [device for device in session.list_devices() if device.device_type == "GPU"]
    known = ask_driver().names
    return [known[i] if i < len(known) else "GPU" for i in range(len(devices))]


def _why_no_gpu(tf: Any) -> str:
    driver = ask_driver()
    if driver.problem:
        return driver.problem
    if not tf.test.is_built_with_cuda():
        if platform.system() == "Windows":
            return "TensorFlow 2 uses no graphics card on Windows; the onnx engine does"
        return "this build of TensorFlow has no GPU support"
    return "TensorFlow could not load all of its CUDA libraries"
