from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bshm_bridge.models import toml
from bshm_bridge.models.extra_inputs import ExtraInput, StatePair
from bshm_bridge.models.manifest import InputSpec, Manifest, ManifestError, OutputSpec, load, parse
from bshm_bridge.models.sizes import AtMost, Fixed, ShortSide

BSHM = """
name = "bshm"
title = "BSHM portrait matting"
engines = ["tf1", "tf2"]
file = "tf_graph.pb"
sha256 = ""
source = "modelscope:iic/cv_unet_image-matting"
licence = "Apache-2.0"

[input]
tensor = "input_image:0"
layout = "HWC"
channels = "RGB"
scale = 1.0
mean = [0.0, 0.0, 0.0]
std = [1, 1, 1]
size = { rule = "at-most", long_side = 1500 }

[output]
tensor = "output_png:0"
channel = 3
range = [0.0, 255.0]
activation = "none"
"""

MINIMAL = """
name = "mine"
engines = ["onnx"]
file = "mine.onnx"
[input]
layout = "NCHW"
size = { rule = "fixed", width = 320, height = 240 }
[output]
"""


def mistakes_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ManifestError) as raised:
        parse(text)
    return raised.value.mistakes


def test_the_documented_manifest_is_read_completely() -> None:
    manifest = parse(BSHM)
    assert manifest.name == "bshm"
    assert manifest.engines == ("tf1", "tf2")
    assert manifest.source == "modelscope:iic/cv_unet_image-matting"
    assert manifest.input == InputSpec(AtMost(1500), "input_image:0", "HWC", "RGB")
    assert manifest.output == OutputSpec("output_png:0", 3, (0.0, 255.0), "none")


def test_a_dozen_lines_are_enough() -> None:
    manifest = parse(MINIMAL)
    assert manifest.title == "mine"
    assert manifest.input.size == Fixed(320, 240)
    assert manifest.output == OutputSpec()


def test_a_manifest_is_immutable_and_hashable() -> None:
    manifest = parse(BSHM)
    with pytest.raises(AttributeError):
        manifest.name = "other"  # type: ignore[misc]
    assert hash(manifest) == hash(parse(BSHM))


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('name = "bshm"', "", "name: is missing."),
        ('name = "bshm"', 'name = "a/b"', "name: “a/b” cannot be a name"),
        ('name = "bshm"', 'name = "auto"', "name: “auto” cannot be a name"),
        ('name = "bshm"', "name = 3", "name: must be a text, not 3."),
        ('["tf1", "tf2"]', '["tf3"]', "engines: “tf3” is not one of tf1, tf2,"),
        ('["tf1", "tf2"]', "[]", "engines: must be a list of names, not []."),
        ('["tf1", "tf2"]', '["tf1", "tf1"]', "engines: has a name twice."),
        ('["tf1", "tf2"]', "[[1], {a = 2}]", "engines: “[1]” is not one of"),
        ('"tf_graph.pb"', '""', "file: must not be empty."),
        ('"tf_graph.pb"', '"../x.pb"', "file: must be a path below"),
        ('"tf_graph.pb"', '"/etc/passwd"', "file: must be a path below"),
        ('"tf_graph.pb"', "'C:\\x.pb'", "file: must be a path below"),
        ('"tf_graph.pb"', '"model.PTH"', "file: names a pickled checkpoint"),
        ('sha256 = ""', 'sha256 = "12"', "sha256: must be 64 hexadecimal digits"),
        ('licence = "Apache-2.0"', 'license = "MIT"', "license: there is no such setting; did you"),
        ("[output]", "[ouput]", "output: is missing."),
        ('"input_image:0"', '"input_image"', "did you mean “input_image:0”?"),
        ('tensor = "output_png:0"', "", "output.tensor: is missing."),
        ('layout = "HWC"', 'layout = "CHW"', "input.layout: must be one of “HWC”, “NHWC”, “NCHW”"),
        ('channels = "RGB"', 'channels = "rgb"', "input.channels: must be one of “RGB”, “BGR”"),
        ("scale = 1.0", "scale = 0", "input.scale: must not be 0."),
        ("scale = 1.0", "scale = nan", "input.scale: must be a number, not nan."),
        ("scale = 1.0", "scale = true", "input.scale: must be a number, not True."),
        ("mean = [0.0, 0.0, 0.0]", "mean = [0.0]", "input.mean: must be a list of 3 numbers"),
        ("std = [1, 1, 1]", "std = [1, 0, 1]", "input.std: must not have a 0 in it."),
        ("std = [1, 1, 1]", f"std = [1, 1, {'9' * 500}]", "input.std: must be a list of 3"),
        ('rule = "at-most"', 'rule = "most"', "input.size.rule: must be one of “at-most”,"),
        ('rule = "at-most", ', "", "input.size.rule: is missing."),
        ('rule = "at-most"', 'rule = "fixed"', "input.size.width: is missing."),
        ("long_side = 1500", "long_side = 0", "input.size.long_side: must be a whole number"),
        ("long_side = 1500", "long_side = 1.5", "input.size.long_side: must be a whole number"),
        ("1500 }", "1500, multiple_of = 1024, x = 1 }", "input.size.x: there is no such setting."),
        ("1500 }", "15, multiple_of = 32 }", "input.size.multiple_of: must not be above"),
        ("channel = 3", "channel = -2", "output.channel: must be a whole number not below -1"),
        ("range = [0.0, 255.0]", "range = [1, 1]", "output.range: must have two different"),
        ('activation = "none"', 'activation = "relu"', "output.activation: must be one of “none”"),
        ("[input]", "[input", "It is not TOML:"),
        ("[input]", "x = " + "[" * 5000 + "\n[input]", "It is not TOML:"),
    ],
)
def test_each_mistake_has_its_sentence(old: str, new: str, mistake: str) -> None:
    assert old in BSHM
    assert any(mistake in found for found in mistakes_of(BSHM.replace(old, new, 1)))


def test_one_mistake_is_reported_once() -> None:
    assert mistakes_of(BSHM.replace("long_side = 1500", "long_side = 0")) == (
        "input.size.long_side: must be a whole number from 1 to 16384, not 0.",
    )
    assert mistakes_of(MINIMAL.replace('rule = "fixed", ', "")) == ("input.size.rule: is missing.",)


def test_all_mistakes_are_reported_together() -> None:
    text = (
        BSHM.replace('"bshm"', '""').replace('"HWC"', '"X"').replace("channel = 3", "channel = []")
    )
    assert len(mistakes_of(text)) == 3


VIDEO = (
    MINIMAL.replace("[input]", '[input]\ntensor = "src"')
    + """
[[extra_inputs]]
tensor = "ratio"
kind = "ratio"
long_side = 512
at_most_one = false
[[states]]
input = "r1i"
output = "r1o"
"""
)


def test_a_model_that_follows_a_video_names_its_memory() -> None:
    manifest = parse(VIDEO)
    assert manifest.temporal
    assert not manifest.needs_trimap
    assert manifest.states == (StatePair("r1i", "r1o"),)
    assert manifest.extra_inputs == (
        ExtraInput("ratio", "ratio", long_side=512, at_most_one=False),
    )
    assert parse(manifest.to_toml()) == manifest


def test_a_model_needs_a_trimap_just_where_an_input_takes_it() -> None:
    for text in (
        MINIMAL.replace("[output]", "trimap_channel = true\n[output]"),
        MINIMAL + '[[extra_inputs]]\ntensor = "t"\nkind = "trimap-distances"\n',
    ):
        assert parse(text).needs_trimap
        assert parse("needs_trimap = true" + text).needs_trimap
        assert "needs_trimap: must be true just" in mistakes_of("needs_trimap = false" + text)[0]
    assert not parse(MINIMAL).needs_trimap
    assert "needs_trimap: must be true just" in mistakes_of("needs_trimap = true" + MINIMAL)[0]


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('"onnx"', '"onnx", "oip"', "engines: only onnx feeds more than the picture, oip cannot"),
        ('kind = "ratio"', 'kind = "rate"', "extra_inputs[1].kind: must be one of “image”"),
        ("long_side = 512", "", "extra_inputs[1].long_side: is missing."),
        ("at_most_one", "at_most", "extra_inputs[1].at_most: there is no such setting; did you"),
        ('output = "r1o"', "", "states[1].output: is missing."),
        ('"r1i"', '"src"', "extra_inputs: the input “src” is named twice."),
        ("[[states]]", "[states]", "states: must be a list of tables"),
        ("[output]", "trimap_channel = true\n[output]", "states: a model cannot need a trimap and"),
    ],
)
def test_each_mistake_in_further_inputs_has_its_sentence(old: str, new: str, mistake: str) -> None:
    assert old in VIDEO
    assert any(mistake in found for found in mistakes_of(VIDEO.replace(old, new, 1)))


def test_an_empty_file_says_what_is_needed() -> None:
    found = "\n".join(mistakes_of(""))
    for key in ("name", "engines", "input", "output"):
        assert f"{key}: is missing." in found


def test_a_remote_model_needs_no_file() -> None:
    text = MINIMAL.replace('"onnx"', '"oip"').replace('file = "mine.onnx"', "")
    assert parse(text).file == ""


def test_a_file_that_cannot_be_read_is_a_manifest_error(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"name = '\xff'")
    (tmp_path / "huge.toml").write_text("#" * 100_000)
    for name, mistake in (
        ("absent.toml", "cannot be read"),
        ("latin.toml", "not UTF-8"),
        ("huge.toml", "too large"),
    ):
        with pytest.raises(ManifestError, match=mistake) as raised:
            load(tmp_path / name)
        assert str(tmp_path) not in str(raised.value)


numbers = st.floats(-1e6, 1e6)
nonzero = numbers.filter(bool)
triples = st.tuples(numbers, numbers, numbers)
sides = st.integers(1, 16384)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
sizes = st.one_of(
    st.builds(Fixed, sides, sides),
    st.builds(
        AtMost, st.integers(64, 16384), st.integers(1, 64), st.sampled_from(["nearest", "up"])
    ),
    st.builds(
        ShortSide,
        st.integers(64, 16384),
        st.integers(1, 64),
        st.sampled_from(["always", "larger", "outside"]),
        st.sampled_from(["nearest", "down"]),
    ),
)

extras = st.one_of(
    st.builds(
        ExtraInput,
        st.sampled_from(["a", "b", "c"]),
        st.just("image"),
        scale=nonzero,
        mean=triples,
        std=st.tuples(nonzero, nonzero, nonzero),
    ),
    st.builds(
        ExtraInput,
        st.sampled_from(["d", "e", "f"]),
        st.sampled_from(["trimap", "trimap-channels", "trimap-distances"]),
    ),
    st.builds(
        ExtraInput, st.just("g"), st.just("ratio"), long_side=sides, at_most_one=st.booleans()
    ),
)


@given(
    st.builds(
        Manifest,
        name=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True).filter(
            lambda name: name not in ("auto", "all")
        ),
        title=texts,
        engines=st.just(("onnx",)),
        file=st.just("net.onnx"),
        source=texts,
        licence=texts,
        good_for=texts,
        commercial_use=st.booleans(),
        speed=st.sampled_from(["", "fast", "medium", "slow"]),
        download_size=st.integers(0, 2**40),
        input=st.builds(
            InputSpec,
            size=sizes,
            tensor=st.sampled_from(["", "x"]),
            layout=st.sampled_from(["HWC", "NHWC", "NCHW"]),
            channels=st.sampled_from(["RGB", "BGR"]),
            scale=nonzero,
            resample=st.sampled_from(
                ["area", "linear", "lanczos", "pillow-bilinear", "pillow-lanczos"]
            ),
            divide_by_max=st.booleans(),
            mean=triples,
            std=st.tuples(nonzero, nonzero, nonzero),
            pad_to=st.integers(1, 64),
            trimap_channel=st.booleans(),
        ),
        extra_inputs=st.lists(extras, max_size=4, unique_by=lambda extra: extra.tensor).map(tuple),
        output=st.builds(
            OutputSpec,
            tensor=texts,
            channel=st.integers(-1, 100),
            range=st.tuples(numbers, numbers).filter(lambda pair: pair[0] != pair[1]),
            activation=st.sampled_from(["none", "sigmoid", "minmax", "sigmoid-minmax"]),
        ),
    )
)
def test_writing_and_reading_a_manifest_changes_nothing(manifest: Manifest) -> None:
    text = manifest.to_toml()
    assert toml.loads(text) == manifest.to_dict()
    assert parse(text) == manifest
