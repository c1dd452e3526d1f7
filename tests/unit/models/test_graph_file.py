from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bshm_bridge.errors import InvalidInput
from bshm_bridge.models.extra_inputs import ExtraInput, StatePair
from bshm_bridge.models.graph_file import GraphFile, mistakes, read
from bshm_bridge.models.inspection import inspect_path
from bshm_bridge.models.manifest import FILE_NAME, InputSpec, Manifest, OutputSpec
from bshm_bridge.models.sizes import AtMost, Fixed


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


def value(name: str, *sides: int | str) -> bytes:
    """Return a ValueInfoProto; without sides it declares no shape."""
    if not sides:
        return part(1, name)
    shape = b"".join(
        part(1, number(1, side) if isinstance(side, int) else part(2, side)) for side in sides
    )
    return part(1, name) + part(2, part(1, number(1, 1) + part(2, shape)))


def onnx_file(
    opset: int = 17,
    external: bool = False,
    fed: tuple[int | str, ...] = (),
    answered: tuple[int | str, ...] = (),
    more: bytes = b"",
) -> bytes:
    weights = part(8, "w") + part(9, b"w" * 5000) + (number(14, 1) if external else b"")
    graph = (
        part(2, "graph")
        + part(5, weights)
        + part(11, value("image", *fed))
        + part(11, part(1, "w"))
        + more
        + part(12, value("alpha", *answered))
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


def check(file: Path, manifest: Manifest = MANIFEST, **content: Any) -> list[str]:
    file.write_bytes(onnx_file(**content))
    return mistakes(manifest, read(file))


def test_shapes_are_read_as_far_as_they_are_declared(file: Path) -> None:
    file.write_bytes(onnx_file(fed=(1, 3, "h", 320)))
    assert read(file).shapes == {"image": (1, 3, 0, 320)}


@pytest.mark.parametrize(
    ("fed", "mistake"),
    [
        ((1, 320, 320, 3), "input.layout: in NCHW the file's input has 320 channels, not 3; did"),
        ((1, 1, 320, 320), "input.layout: in NCHW the file's input has 1 channels, not 3."),
        ((3, 320, 320), "input.layout: NCHW has 4 dimensions, but the file's input has 3."),
        ((8, 3, 320, 320), "input: the file takes 8 pictures at once"),
        ((1, 3, 512, 320), "input.size: the file takes 320×512 pixels, not 320×320."),
        ((1, 3, "h", 512), "input.size: the file takes 512×any pixels, not 320×320."),
    ],
)
def test_a_shape_that_does_not_fit_is_said(
    file: Path, fed: tuple[int | str, ...], mistake: str
) -> None:
    (found,) = check(file, fed=fed)
    assert found.startswith(mistake)


@pytest.mark.parametrize("fed", [(1, 3, 320, 320), ("b", 3, "h", "w"), ("b", "c", "h", "w"), ()])
def test_shapes_that_fit_or_are_free_pass(file: Path, fed: tuple[int | str, ...]) -> None:
    assert check(file, fed=fed, answered=(1, 1, "h", "w")) == []


def test_a_free_size_does_not_fit_a_file_of_one_size(file: Path) -> None:
    free = replace(MANIFEST, input=InputSpec(AtMost(1024), "image"))
    (found,) = check(file, free, fed=(1, 3, 320, 320))
    assert 'use { rule = "fixed", width = 320, height = 320 }' in found
    assert check(file, free, fed=(1, 3, "h", "w")) == []


def test_a_channel_that_is_not_there_is_said(file: Path) -> None:
    fourth = replace(MANIFEST, output=OutputSpec("alpha", channel=3))
    (found,) = check(file, fourth, answered=(1, 1, 320, 320))
    assert found == "output.channel: the file's output has 1 channels, so no channel 3."
    assert check(file, fourth, answered=(1, 4, 320, 320)) == []


def test_a_trimap_makes_a_fourth_channel(file: Path) -> None:
    trimap = replace(MANIFEST, input=InputSpec(Fixed(320, 320), "image", trimap_channel=True))
    assert check(file, trimap, fed=(1, 4, 320, 320)) == []
    assert "not 4" in check(file, trimap, fed=(1, 3, 320, 320))[0]


def test_an_input_that_nothing_feeds_is_said(file: Path) -> None:
    (found,) = check(file, more=part(11, value("trimap")))
    assert found.startswith("extra_inputs: the file also wants “trimap”")
    extra = replace(MANIFEST, extra_inputs=(ExtraInput("trimap", "trimap"),))
    assert check(file, extra, more=part(11, value("trimap"))) == []


def test_further_tensors_that_are_not_there_are_said(file: Path) -> None:
    wrong = replace(
        MANIFEST,
        extra_inputs=(ExtraInput("ratio", "ratio"),),
        states=(StatePair("r1i", "r1o"),),
    )
    assert [sentence.partition(":")[0] for sentence in check(file, wrong)] == [
        "extra_inputs",
        "states",
        "states",
    ]
