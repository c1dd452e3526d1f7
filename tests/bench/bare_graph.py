"""Run a frozen graph without the service: ``python bare_graph.py GRAPH IMAGE.npy``.

Runs in an engine's interpreter. Loads as a plain script would, then answers each line on
stdin with the seconds that one inference took, from u8 pixels to an alpha plane.
"""

import sys
import time

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1

if __name__ == "__main__":
    definition = v1.GraphDef()
    with v1.gfile.GFile(sys.argv[1], "rb") as file:
        definition.ParseFromString(file.read())
    graph = tf.Graph()
    with graph.as_default():
        v1.import_graph_def(definition, name="")
    image = np.load(sys.argv[2])
    with v1.Session(graph=graph) as session:
        for _ in sys.stdin:
            start = time.perf_counter()
            rgba = session.run("output_png:0", {"input_image:0": image.astype(np.float32)})
            alpha = rgba[:, :, 3] / np.float32(255)
            print(time.perf_counter() - start, flush=True)
