"""From a frozen TensorFlow graph to ONNX, with tf2onnx in the interpreter of `tf2`."""

from __future__ import annotations

from typing import Any, Dict

from bshm_worker.failures import RUNTIME_BROKEN, Failure, wrong_graph
from bshm_worker.tensorflow_model import import_tensorflow, read_graph

OPSET = 17


def convert(graph: str, target: str, input_name: str, output_name: str) -> Dict[str, Any]:
    """Write the ONNX file `target` and return what made it.

    The tensors keep their names.
    """
    tf = import_tensorflow("cpu")
    try:
        import tf2onnx
    except ImportError as error:
        raise Failure(
            RUNTIME_BROKEN,
            "tf2onnx is not installed in the environment of the engine tf2; run “bshm engines "
            "install tf2”, or install it there yourself.",
        ) from error
    try:
        tf2onnx.convert.from_graph_def(
            read_graph(tf, graph),
            input_names=[input_name],
            output_names=[output_name],
            opset=OPSET,
            output_path=target,
        )
    except (KeyError, ValueError) as error:
        raise wrong_graph("tf2onnx cannot convert it (%s)" % type(error).__name__) from error
    return {"tf2onnx": tf2onnx.__version__, "opset": OPSET}
