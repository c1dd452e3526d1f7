"""Write a small ONNX network of a usual shape: ``python make_onnx.py KIND OUT.onnx``.

A stand-in for the input and output of well-known models, not for what they can do. Runs
where the onnx package is, in the environment of the engine tf2. Kinds:

`fixed`
    1×3×24×32 in, as U²-Net and ISNet take it; 1×1×24×32 logits of 4 R + 2 G - B out.
`free`
    1×3×H×W in, as MODNet takes it; 1×1×H×W of (R + 2 G + 3 B) / 12 + 0.5 out.
`blue`
    Tensors like the stand-ins for BSHM's graph, but alpha is blue.
`trimap-channel`
    As ViTMatte takes it, 1×4×H×W: alpha is 0.25 + (R + trimap) / 8, of values from -1 and 0 to 1.
`trimap-planes`
    As FBA Matting takes it, four inputs, and seven planes out: alpha is
    0.5 + 0.3 (near subject - near background) + 0.05 (red of image_n) + 0.1 (known subject).
`video`
    As Robust Video Matting takes it, with four states: alpha is half of this frame's red and
    half of the last frame's alpha, plus a hundredth for each frame before.
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
    makers = {"blue": blue, "video": video, "trimap-channel": four, "trimap-planes": seven}
    if kind in makers:
        return makers[kind]()
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


def four() -> onnx.ModelProto:
    """Return a stand-in for ViTMatte's input and output."""
    weights = np.array([0.125, 0, 0, 0.125], np.float32).reshape(1, 4, 1, 1)
    nodes = [helper.make_node("Conv", ["pixel_values", "kernel", "bias"], ["alphas"])]
    constants = {"kernel": weights, "bias": np.array([0.25], np.float32)}
    return model("four", nodes, {"pixel_values": 4}, {"alphas": 1}, constants)


def seven() -> onnx.ModelProto:
    """Return a stand-in for FBA Matting's inputs and outputs."""
    inputs = {"image": 3, "two_chan_trimap": 2, "image_n": 3, "trimap_transformed": 6}
    weights = np.zeros((7, 14, 1, 1), np.float32)
    weights[0, 4] = 0.1  # known subject
    weights[0, 5] = 0.05  # red of image_n
    weights[0, 8], weights[0, 11] = -0.3, 0.3  # near background, near subject
    for channel in range(3):
        weights[1 + channel, channel] = weights[4 + channel, channel] = 1
    nodes = [
        helper.make_node("Concat", list(inputs), ["all"], axis=1),
        helper.make_node("Conv", ["all", "kernel", "bias"], ["output"]),
    ]
    bias = np.array([0.5] + [0] * 6, np.float32)
    return model("seven", nodes, inputs, {"output": 7}, {"kernel": weights, "bias": bias})


def video() -> onnx.ModelProto:
    """Return a stand-in for Robust Video Matting's inputs and outputs."""
    nodes = [
        helper.make_node("Split", ["src"], ["red", "green", "blue"], axis=1),
        helper.make_node("Add", ["red", "r1i"], ["sum"]),
        helper.make_node("Mul", ["sum", "half"], ["r1o"]),
        helper.make_node("Mul", ["r2i", "hundredth"], ["age"]),
        helper.make_node("Add", ["r1o", "age"], ["pha"]),
        helper.make_node("Identity", ["src"], ["fgr"]),
        helper.make_node("Add", ["r2i", "one"], ["r2o"]),
        helper.make_node("Add", ["r3i", "green"], ["r3o"]),
        helper.make_node("Mul", ["r4i", "downsample_ratio"], ["r4o"]),
    ]
    constants = {
        "half": np.array([0.5], np.float32),
        "hundredth": np.array([0.01], np.float32),
        "one": np.array([1], np.float32),
    }
    states = [f"r{number}" for number in range(1, 5)]
    graph = helper.make_graph(
        nodes,
        "video",
        [
            value("src", 1, 3, "h", "w"),
            *(value(f"{state}i", *(f"{state}{axis}" for axis in "bchw")) for state in states),
            value("downsample_ratio", 1),
        ],
        [
            value("fgr", 1, 3, "h", "w"),
            value("pha", 1, 1, "h", "w"),
            *(value(f"{state}o", *(f"{state}{axis}o" for axis in "bchw")) for state in states),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def model(
    name: str,
    nodes: "list[onnx.NodeProto]",
    inputs: "dict[str, int]",
    outputs: "dict[str, int]",
    constants: "dict[str, np.ndarray]",
) -> onnx.ModelProto:
    """Return a network over pictures of any size, with so many channels each."""
    graph = helper.make_graph(
        nodes,
        name,
        [value(name, 1, channels, "h", "w") for name, channels in inputs.items()],
        [value(name, 1, channels, "h", "w") for name, channels in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def value(name: str, *shape: "int | str") -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


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
