"""Let rembg's own session classes matte pictures with stand-in files; they are not the models.

Run in an environment with rembg, ONNX Runtime, onnx and Pillow:
``python run_rembg.py FOLDER PICTURE…``. For each of rembg's models that bshm-bridge has a
manifest for, it writes ``FOLDER/NAME.onnx``, a network with random weights and the input and
outputs that rembg's class relies on, and ``FOLDER/NAME-STEM.npy``, rembg's mask of a picture.
"""

import importlib
import importlib.util
import inspect
import os
import sys
import types
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

# Module, name of the model, side of its input, number of outputs.
MODELS = [
    ("u2net", "u2net", 320, 7),
    ("u2netp", "u2netp", 320, 7),
    ("u2net_human_seg", "u2net_human_seg", 320, 7),
    ("silueta", "silueta", 320, 7),
    ("dis_general_use", "isnet-general-use", 1024, 6),
    ("dis_anime", "isnet-anime", 1024, 1),
    ("birefnet_general", "birefnet-general", 1024, 1),
    ("birefnet_general_lite", "birefnet-general-lite", 1024, 1),
    ("birefnet_portrait", "birefnet-portrait", 1024, 1),
    ("bria_rmbg", "bria-rmbg", 1024, 1),
]


def write_standin(path: Path, side: int, outputs: int) -> None:
    """Write a network whose answer depends on the place and on each channel."""
    random = np.random.default_rng(len(path.name) + side)
    nodes, weights, answers = [], [], []
    for number in range(outputs):
        kernel = random.normal(0, 0.3, (1, 3, 5, 5)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"w{number}"))
        names = ["image", f"w{number}"]
        nodes.append(helper.make_node("Conv", names, [f"a{number}"], pads=[2, 2, 2, 2]))
        shape = [1, 1, side, side]
        answers.append(helper.make_tensor_value_info(f"a{number}", TensorProto.FLOAT, shape))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, side, side])
    graph = helper.make_graph(nodes, "standin", [image], answers, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))


def bypass_package() -> None:
    """Let rembg.sessions be imported without rembg itself, which imports much more."""
    spec = importlib.util.find_spec("rembg")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    package = types.ModuleType("rembg")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["rembg"] = package


def session_class(module: str) -> type:
    """Return rembg's class."""
    loaded = importlib.import_module("rembg.sessions." + module)
    (found,) = [
        item
        for _, item in inspect.getmembers(loaded, inspect.isclass)
        if item.__module__ == loaded.__name__
    ]
    return found


def main(folder: Path, pictures: list[Path]) -> None:
    bypass_package()
    os.environ.update(U2NET_HOME=str(folder), MODEL_CHECKSUM_DISABLED="1")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for module, name, side, outputs in MODELS:
        write_standin(folder / (name + ".onnx"), side, outputs)
        session = session_class(module)(name, options, providers=["CPUExecutionProvider"])
        for path in pictures:
            mask = session.predict(Image.open(path))[0]
            np.save(str(folder / f"{name}-{path.stem}.npy"), np.asarray(mask))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
