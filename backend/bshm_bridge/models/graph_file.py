"""What is inside a model file, read without any runtime.

Frozen TensorFlow graphs (GraphDef) and ONNX files (ModelProto) are Protocol Buffers. Walking
their fields tells whether the file is whole and what its tensors are called; weights are
skipped, so that this takes milliseconds.
"""

from __future__ import annotations

import dataclasses
import mmap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from bshm_bridge.errors import InvalidInput
from bshm_bridge.models import shapes
from bshm_bridge.models.manifest import Manifest

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_TRUNCATED = "The model file is damaged or cut short; get it again."
MAX_OPSET = 23

Span = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class GraphFile:
    """The outside of a network.

    Attributes
    ----------
    inputs, outputs
        Names of what is fed and what is answered; TensorFlow graphs do not say what they
        answer, there `outputs` has every node.
    opset
        Version of ONNX's operators; 0 for TensorFlow.
    shapes
        Of inputs and outputs as far as the file declares them; 0 for a side that is free.
    """

    kind: Literal["tensorflow", "onnx"]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    opset: int = 0
    shapes: Mapping[str, shapes.Shape] = dataclasses.field(default_factory=dict)


def read(path: Path) -> GraphFile:
    """Describe a model file.

    Raises
    ------
    InvalidInput
        It is cut short, damaged, neither kind of file, or keeps its weights elsewhere.
    """
    with _mapped(path) as data:
        first: dict[int, int] = {}
        for field, wire, _ in _fields(data, (0, len(data))):
            first.setdefault(field, wire)
        if first.get(1) == _VARINT and 7 in first:
            return _onnx(data)
        if first.get(1) == _BYTES and set(first) <= {1, 2, 3, 4, 5}:
            return _tensorflow(data)
    raise InvalidInput(
        "The model file is neither a frozen TensorFlow graph nor an ONNX file.", "model-file"
    )


def mistakes(manifest: Manifest, graph: GraphFile) -> list[str]:
    """Return a sentence for everything in which a manifest and its file do not agree."""
    found = []
    kinds = {"tf1": "tensorflow", "tf2": "tensorflow", "onnx": "onnx"}
    wanted = {kinds[engine] for engine in manifest.engines if engine in kinds}
    # A converted graph lies beside the original, so onnx may follow tf1 and tf2.
    if wanted and graph.kind not in wanted:
        what = "an ONNX file" if graph.kind == "onnx" else "a frozen TensorFlow graph"
        return [f"engines: {', '.join(manifest.engines)} cannot load it: the file is {what}."]
    if graph.opset > MAX_OPSET:
        found.append(
            f"file: it needs ONNX operators of version {graph.opset}, but {MAX_OPSET} is the "
            "newest that the onnx engine knows; export it with an older one."
        )
    named = [
        ("input.tensor", "input", manifest.input.tensor, graph.inputs),
        ("output.tensor", "output", manifest.output.tensor, graph.outputs),
    ]
    for extra in manifest.extra_inputs:
        named.append(("extra_inputs", "input", extra.tensor, graph.inputs))
    for pair in manifest.states:
        named.append(("states", "input", pair.input, graph.inputs))
        named.append(("states", "output", pair.output, graph.outputs))
    for key, where, tensor, names in named:
        name = tensor.rpartition(":")[0] if graph.kind == "tensorflow" else tensor
        if name and name not in names:
            few = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
            hint = f"; it has {few}" if graph.kind == "onnx" or where == "input" else ""
            found.append(f"{key}: the file has no {where} named “{name}”{hint}.")
    fed = {manifest.input.tensor or next(iter(graph.inputs), "")}
    fed |= {extra.tensor for extra in manifest.extra_inputs}
    fed |= {pair.input for pair in manifest.states}
    if graph.kind == "onnx" and not found:
        for name in graph.inputs:
            if name not in fed:
                found.append(
                    f"extra_inputs: the file also wants “{name}”, which the manifest does not feed."
                )
    if graph.kind == "onnx" and not found:
        answered = manifest.output.tensor or next(iter(graph.outputs), "")
        main = manifest.input.tensor or next(iter(graph.inputs), "")
        found += shapes.mistakes(manifest, main, answered, graph.shapes)
    return found


def _tensorflow(data: mmap.mmap) -> GraphFile:
    inputs, nodes = [], []
    for field, wire, span in _fields(data, (0, len(data))):
        if field == 1 and wire == _BYTES:
            name, operation = _text(data, span, 1), _text(data, span, 2)
            nodes.append(name)
            if operation == "Placeholder":
                inputs.append(name)
    return GraphFile("tensorflow", tuple(inputs), tuple(nodes))


def _onnx(data: mmap.mmap) -> GraphFile:
    opset = 0
    inputs: list[str] = []
    outputs: list[str] = []
    weights: set[str] = set()
    declared: dict[str, shapes.Shape] = {}
    for field, wire, span in _fields(data, (0, len(data))):
        if field == 8 and wire == _BYTES and _text(data, span, 1) in ("", "ai.onnx"):
            opset = _number(data, span, 2)
        if field != 7 or wire != _BYTES:
            continue
        for part, _, inner in _fields(data, span):
            if part == 5:
                if _number(data, inner, 14) == 1:
                    raise InvalidInput(
                        "The ONNX file keeps its weights in a second file; export it as one.",
                        "model-file",
                    )
                weights.add(_text(data, inner, 8))
            elif part in (11, 12):
                name = _text(data, inner, 1)
                (inputs if part == 11 else outputs).append(name)
                shape = _shape(data, inner)
                if shape is not None:
                    declared[name] = shape
    fed = tuple(name for name in inputs if name not in weights)
    return GraphFile("onnx", fed, tuple(outputs), opset, declared)


def _shape(data: mmap.mmap, value: Span) -> shapes.Shape | None:
    """Return what a ValueInfoProto says of its tensor's shape, None where it says nothing."""
    # type, tensor_type, shape
    place: Span | None = value
    for number in (2, 1, 2):
        place = _inside(data, place, number) if place else None
    if place is None:
        return None
    return tuple(
        _number(data, span, 1)
        for number, wire, span in _fields(data, place)
        if number == 1 and wire == _BYTES
    )


def _inside(data: mmap.mmap, message: Span, wanted: int) -> Span | None:
    for number, wire, span in _fields(data, message):
        if number == wanted and wire == _BYTES:
            return span
    return None


def _text(data: mmap.mmap, message: Span, wanted: int) -> str:
    for field, wire, (begin, end) in _fields(data, message):
        if field == wanted and wire == _BYTES:
            return data[begin:end].decode("utf-8", "replace")
    return ""


def _number(data: mmap.mmap, message: Span, wanted: int) -> int:
    for field, wire, (begin, _) in _fields(data, message):
        if field == wanted and wire == _VARINT:
            return _varint(data, begin, len(data))[0]
    return 0


def _fields(data: mmap.mmap, message: Span) -> Iterator[tuple[int, int, Span]]:
    """Yield number, wire type and value of every field of a message."""
    position, end = message
    while position < end:
        tag, position = _varint(data, position, end)
        begin = position
        wire = tag & 7
        if wire == _VARINT:
            _, position = _varint(data, position, end)
        elif wire == _BYTES:
            length, begin = _varint(data, position, end)
            position = begin + length
        elif wire in (_FIXED32, _FIXED64):
            position += 4 if wire == _FIXED32 else 8
        else:
            raise InvalidInput(_TRUNCATED, "model-file")
        if position > end or tag >> 3 == 0:
            raise InvalidInput(_TRUNCATED, "model-file")
        yield tag >> 3, wire, (begin, position)


def _varint(data: mmap.mmap, position: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise InvalidInput(_TRUNCATED, "model-file")


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise InvalidInput("The model file is empty; download it again.", "model-file") from (
                error
            )
        with data:
            yield data
