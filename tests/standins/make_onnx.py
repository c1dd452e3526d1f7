"""Write a small ONNX network of a usual shape: ``python make_onnx.py KIND OUT.onnx``.

A stand-in for the input and output of well-known models, not for what they can do. Runs
where the onnx package is, in the environment of the engine tf2. Kinds:

`fixed`
    1×3×24×32 in, as U²-Net and ISNet take it; 1×1×24×32 logits of 4 R + 2 G - B out.
`free`
    1×3×H×W in, as MODNet takes it; 1×1×H×W of (R + 2 G + 3 B) / 12 + 0.5 out.
`blue`
    Tensors like the stand-ins for BSHM's graph, but alpha is blue.
`deep`
    1×3×H×W in and 1×1×H×W out: a blurred picture after long work with few weights.
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

KINDS = {
    "fixed": ((4.0, 2.0, -1.0), 0.0, (24, 32)),
    "free": ((1 / 12, 2 / 12, 3 / 12), 0.5, ("h", "w")),
}


def make(kind: str) -> onnx.ModelProto:
    """Return the model of a kind."""
    if kind == "deep":
        return deep()
    if kind == "blue":
        return blue()
    weights, bias, size = KINDS[kind]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "kernel", "bias"], ["matte"])],
        kind,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, *size])],
        [helper.make_tensor_value_info("matte", TensorProto.FLOAT, [1, 1, *size])],
        [
            numpy_helper.from_array(np.array(weights, np.float32).reshape(1, 3, 1, 1), "kernel"),
            numpy_helper.from_array(np.array([bias], np.float32), "bias"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def blue() -> onnx.ModelProto:
    """Return a wrong conversion of the stand-in `weighted`."""
    graph = helper.make_graph(
        [
            helper.make_node("Split", ["input_image:0"], ["red", "green", "blue"], axis=2),
            helper.make_node("Concat", ["red", "green", "blue", "blue"], ["rgba"], axis=2),
            helper.make_node("Cast", ["rgba"], ["output_png:0"], to=TensorProto.UINT8),
        ],
        "blue",
        [helper.make_tensor_value_info("input_image:0", TensorProto.FLOAT, ["h", "w", 3])],
        [helper.make_tensor_value_info("output_png:0", TensorProto.UINT8, ["h", "w", 4])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def deep(layers: int = 20, width: int = 16) -> onnx.ModelProto:
    """Return a chain of 3×3 convolutions with weights that sum to 1."""
    random = np.random.default_rng(0)
    nodes, weights = [], []
    for layer in range(layers):
        shape = (width if layer < layers - 1 else 1, width if layer else 3, 3, 3)
        kernel = random.uniform(0, 1, shape).astype(np.float32)
        kernel /= kernel.sum((1, 2, 3), keepdims=True)
        weights.append(numpy_helper.from_array(kernel, f"kernel{layer}"))
        source = f"x{layer}" if layer else "image"
        target = f"x{layer + 1}" if layer < layers - 1 else "matte"
        nodes.append(
            helper.make_node("Conv", [source, f"kernel{layer}"], [target], pads=[1, 1, 1, 1])
        )
    graph = helper.make_graph(
        nodes,
        "deep",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("matte", TensorProto.FLOAT, [1, 1, "h", "w"])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


if __name__ == "__main__":
    onnx.save(make(sys.argv[1]), sys.argv[2])
