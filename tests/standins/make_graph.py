"""Write a stand-in for BSHM's frozen graph. It is not BSHM and knows nothing about people.

Run in an engine's own interpreter: ``python make_graph.py FOLDER KIND…``. TensorFlow 1.15
reads what TensorFlow 1.15 wrote, TensorFlow 2 reads both.

Like BSHM's, the graph takes ``input_image:0`` (H×W×3, RGB, 0 to 255, f32, no batch axis)
and answers ``output_png:0`` (H×W×4, RGBA, u8). Kinds:

`weighted`
    Alpha is 0.7 R + 0.2 G + 0.1 B of the pixel to the left: a wrong channel order, a
    transposed or a shifted image gives another answer.
`inverted`
    255 minus that, to tell two loaded models apart.
`blank`
    Alpha is 0 everywhere.
`hungry`
    The alpha of `weighted`, at the cost of 800 bytes per pixel in one piece.
`unets`
    Three U-Nets, 72 MB, with random weights: as large and as slow as the real one.
"""

import sys
from pathlib import Path
from typing import Any, List

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1


def weighted(image: Any) -> Any:
    """Return alpha 0 to 255, 1×H×W×1, of a batch of one image."""
    kernel = np.zeros((3, 3, 3, 1), np.float32)
    kernel[1, 0, :, 0] = 0.7, 0.2, 0.1
    return v1.nn.conv2d(image, tf.constant(kernel), strides=[1, 1, 1, 1], padding="SAME")


def hungry(image: Any) -> Any:
    """Return alpha 0 to 255 as the largest of two hundred copies of it."""
    copies = tf.tile(weighted(image), [1, 1, 1, 200])
    return v1.reduce_max(copies, 3, keepdims=True)


class Unet:
    """A U-Net with random weights; `out` channels, any image size."""

    WIDTHS = (16, 32, 64, 128, 256, 512)

    def __init__(self, seed: int) -> None:
        self._random = np.random.RandomState(seed)

    def __call__(self, x: Any, out: int) -> Any:
        skips: List[Any] = []
        for level, width in enumerate(self.WIDTHS):
            x = v1.nn.relu(self._conv(x, width, stride=1 if level == 0 else 2))
            skips.append(x)
        x = v1.nn.relu(self._conv(skips.pop(), self.WIDTHS[-1], stride=1))
        while skips:
            skip = skips.pop()
            x = v1.image.resize_bilinear(x, v1.shape(skip)[1:3])
            x = v1.nn.relu(self._conv(tf.concat([x, skip], 3), skip.shape[3], stride=1))
        return self._conv(x, out, stride=1)

    def _conv(self, x: Any, width: int, stride: int) -> Any:
        fan_in = 9 * int(x.shape[3])
        kernel = self._random.normal(0, np.sqrt(2.0 / fan_in), (3, 3, int(x.shape[3]), int(width)))
        return v1.nn.conv2d(
            x,
            tf.constant(kernel.astype(np.float32)),
            strides=[1, stride, stride, 1],
            padding="SAME",
        )


def unets(image: Any) -> Any:
    """Return alpha 0 to 255 by three U-Nets, each seeing the answer of the one before."""
    x = image / 127.5 - 1.0
    coarse = v1.nn.sigmoid(Unet(1)(x, 2))
    unified = v1.nn.sigmoid(Unet(2)(tf.concat([x, coarse], 3), 2))
    return v1.nn.sigmoid(Unet(3)(tf.concat([x, unified], 3), 1)) * 255.0


KINDS = {
    "weighted": weighted,
    "inverted": lambda image: 255.0 - weighted(image),
    "blank": lambda image: weighted(image) * 0.0,
    "hungry": hungry,
    "unets": unets,
}


def make(kind: str) -> bytes:
    """Return the serialized graph of a kind."""
    graph = tf.Graph()
    with graph.as_default():
        image = v1.placeholder(tf.float32, [None, None, 3], name="input_image")
        alpha = KINDS[kind](tf.expand_dims(image, 0))[0]
        rgba = tf.concat([image, alpha], 2)
        tf.cast(tf.round(tf.clip_by_value(rgba, 0.0, 255.0)), tf.uint8, name="output_png")
    return graph.as_graph_def().SerializeToString()


if __name__ == "__main__":
    for name in sys.argv[2:]:
        Path(sys.argv[1], name + ".pb").write_bytes(make(name))
