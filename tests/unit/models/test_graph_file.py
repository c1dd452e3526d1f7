from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest

from bshm_bridge.errors import InvalidInput
from bshm_bridge.models.graph_file import GraphFile, mistakes, read
from bshm_bridge.models.inspection import inspect_path
from bshm_bridge.models.manifest import FILE_NAME, InputSpec, Manifest, OutputSpec
from bshm_bridge.models.sizes import Fixed


def varint(value: int) -> bytes:
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def part(field: int, content: bytes | str) -> bytes:
    raw = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def node(name: str, operation: str, weights: bytes = b"") -> bytes:
    return part(1, part(1, name) + part(2, operation) + (part(5, weights) if weights else b""))


FROZEN = (
    node("input_image", "Placeholder")
    + node("weights", "Const", b"w" * 5000)
    + node("output_png", "Identity")
    + part(4, number(1, 134))
)


def onnx_file(opset: int = 17, external: bool = False) -> bytes:
    weights = part(8, "w") + part(9, b"w" * 5000) + (number(14, 1) if external else b"")
    graph = (
        part(2, "graph")
        + part(5, weights)
        + part(11, part(1, "image"))
        + part(11, part(1, "w"))
        + part(12, part(1, "alpha"))
        + part(12, part(1, "side"))
    )
    own = part(8, part(1, "com.example") + number(2, 99))
    return number(1, 8) + part(2, "pytorch") + part(7, graph) + own + part(8, number(2, opset))


MANIFEST = Manifest(
    name="mine",
    title="mine",
    engines=("onnx",),
    file="net.onnx",
    input=InputSpec(Fixed(320, 320), "image"),
    output=OutputSpec("alpha"),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.onnx"


def test_a_frozen_graph_names_its_nodes(file: Path) -> None:
    file.write_bytes(FROZEN)
    nodes = ("input_image", "weights", "output_png")
    assert read(file) == GraphFile("tensorflow", ("input_image",), nodes)


def test_an_onnx_file_names_what_is_fed_and_answered(file: Path) -> None:
    file.write_bytes(onnx_file())
    assert read(file) == GraphFile("onnx", ("image",), ("alpha", "side"), 17)


@pytest.mark.parametrize("content", [FROZEN, onnx_file()])
def test_a_file_cut_short_anywhere_is_never_taken_for_the_whole(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    whole = read(file)
    for length in range(1, len(content), 53):
        file.write_bytes(content[:length])
        with contextlib.suppress(InvalidInput):
            assert read(file) != whole


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\xff" * 200, b"\x00" * 50, b"plain text, no network", b"\x0a\xff\xff"]
)
def test_what_is_no_network_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(InvalidInput):
        read(file)


def test_weights_in_a_second_file_are_refused(file: Path) -> None:
    file.write_bytes(onnx_file(external=True))
    with pytest.raises(InvalidInput, match="second file"):
        read(file)


def test_a_fitting_manifest_has_no_mistakes(file: Path) -> None:
    file.write_bytes(onnx_file())
    assert mistakes(MANIFEST, read(file)) == []
    unnamed = replace(MANIFEST, input=InputSpec(Fixed(1, 1)), output=OutputSpec())
    assert mistakes(unnamed, read(file)) == []


def test_wrong_tensors_are_named_with_what_there_is(file: Path) -> None:
    file.write_bytes(onnx_file())
    wrong = replace(MANIFEST, input=InputSpec(Fixed(1, 1), "x"), output=OutputSpec("image"))
    assert mistakes(wrong, read(file)) == [
        "input.tensor: the file has no input named “x”; it has image.",
        "output.tensor: the file has no output named “image”; it has alpha, side.",
    ]


def test_tensorflow_tensors_are_compared_without_their_index(file: Path) -> None:
    file.write_bytes(FROZEN)
    graph = read(file)
    right = replace(
        MANIFEST,
        engines=("tf1", "tf2", "onnx"),
        input=InputSpec(Fixed(1, 1), "input_image:0"),
        output=OutputSpec("output_png:0"),
    )
    assert mistakes(right, graph) == []
    wrong = replace(right, output=OutputSpec("alpha:0"))
    assert mistakes(wrong, graph) == ["output.tensor: the file has no output named “alpha”."]


def test_the_wrong_engine_and_a_new_opset_are_said(file: Path) -> None:
    file.write_bytes(FROZEN)
    assert "onnx cannot load it" in mistakes(MANIFEST, read(file))[0]
    file.write_bytes(onnx_file(opset=99))
    assert "operators of version 99" in mistakes(MANIFEST, read(file))[0]


def test_inspecting_a_folder_tells_everything(tmp_path: Path, file: Path) -> None:
    (tmp_path / FILE_NAME).write_text(MANIFEST.to_toml())
    assert inspect_path(tmp_path) == (MANIFEST, ["file: “net.onnx” is not beside the manifest."])
    file.write_bytes(onnx_file())
    assert inspect_path(tmp_path / FILE_NAME) == (MANIFEST, [])
    file.write_bytes(b"PK\x03\x04" + b"x" * 100)
    assert "pickle" in inspect_path(tmp_path)[1][0]
    swapped = replace(MANIFEST, sha256="0" * 64)
    (tmp_path / FILE_NAME).write_text(swapped.to_toml())
    file.write_bytes(onnx_file())
    assert inspect_path(tmp_path)[1] == [
        "sha256: the file's checksum is another; it was changed or damaged."
    ]
    (tmp_path / FILE_NAME).write_text("name = 3")
    assert inspect_path(tmp_path)[0] is None
