"""The manifest of a model: what ``model.toml`` says about a file with a network in it.

`parse` and `load` check everything and report every mistake, one sentence each, so that
somebody who writes a manifest mends it in one round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from bshm_bridge.errors import NotReady
from bshm_bridge.models import toml
from bshm_bridge.models.extra_inputs import ExtraInput, StatePair, extra_inputs, states
from bshm_bridge.models.fields import Fields
from bshm_bridge.models.sizes import SizeRule, size_rule

Layout = Literal["HWC", "NHWC", "NCHW"]
Channels = Literal["RGB", "BGR"]
Resample = Literal["area", "linear", "lanczos", "pillow-bilinear", "pillow-lanczos"]
Activation = Literal["none", "sigmoid", "minmax", "sigmoid-minmax"]
Speed = Literal["", "fast", "medium", "slow"]

ENGINES = ("tf1", "tf2", "onnx", "oip", "classic")
FILE_NAME = "model.toml"
_MAX_BYTES = 64 * 1024
_RESERVED = ("auto", "all", "classic")
_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")


class ManifestError(NotReady):
    """A manifest that cannot be used.

    Attributes
    ----------
    mistakes
        One sentence per mistake, at least one.
    """

    reason = "bad-manifest"

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("The model's manifest is wrong: " + " ".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True)
class InputSpec:
    """How an RGB image (0 to 255) becomes the network's input.

    ``x = (pixel * scale - mean) / std`` per channel, `mean` and `std` in the order of
    `channels`; with `divide_by_max`, ``pixel`` is first divided by the largest value in the
    image (as U²-Net's recipe does).

    `resample` says how the image is brought to the network's size: by pixel areas, by linear
    interpolation (OpenCV's, PyTorch's and Paddle's ``bilinear``), by OpenCV's ``lanczos``, or as
    Pillow does. The tensor is then padded with zeros at the right and at the bottom to multiples
    of `pad_to`; that part of the answer is cut off.

    With `trimap_channel` the trimap (0, ½, 1) is the picture's fourth channel.

    `tensor` may be empty for ONNX files: their first input is then taken.
    """

    size: SizeRule
    tensor: str = ""
    layout: Layout = "NCHW"
    channels: Channels = "RGB"
    resample: Resample = "area"
    scale: float = 1.0
    divide_by_max: bool = False
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    pad_to: int = 1
    trimap_channel: bool = False


@dataclass(frozen=True)
class OutputSpec:
    """How the network's output becomes alpha, 0 to 1.

    `channel` counts along the last axis (layouts HWC and NHWC) or the one before height and
    width (NCHW). `activation` is applied first (``minmax`` stretches each answer to its own
    least and largest value, 0 to 1; ``sigmoid-minmax`` does one after the other), then `range`
    is mapped to 0 to 1 and clipped.

    `tensor` may be empty for ONNX files: their first output is then taken.
    """

    tensor: str = ""
    channel: int = 0
    range: tuple[float, float] = (0.0, 1.0)
    activation: Activation = "none"


@dataclass(frozen=True)
class Manifest:
    """One model.

    Attributes
    ----------
    name
        As in ``--model``; lower-case letters, digits, ``-``, ``_`` and ``.``.
    engines
        Names of the engines that run it, best first.
    file
        The network, relative to the manifest's folder; empty where all engines are remote.
    sha256
        64 hexadecimal digits, or empty where it is not known yet.
    source
        Where the file can be had: ``modelscope:OWNER/MODEL`` can be pulled, everything
        else (mostly a URL) is shown to the user.
    licence
        SPDX identifier where there is one.
    commercial_use
        Whether the licence of the weights allows it.
    extra_inputs
        What it takes besides the picture.
    states
        What it remembers from one frame of a video to the next.
    good_for, speed, download_size
        For people who choose: what it does best, how fast it is, about how many bytes the
        file has (0: unknown).
    """

    name: str
    title: str
    engines: tuple[str, ...]
    input: InputSpec
    output: OutputSpec
    file: str = ""
    sha256: str = ""
    source: str = ""
    licence: str = ""
    commercial_use: bool = True
    good_for: str = ""
    speed: Speed = ""
    download_size: int = 0
    extra_inputs: tuple[ExtraInput, ...] = ()
    states: tuple[StatePair, ...] = ()

    @property
    def needs_trimap(self) -> bool:
        """Whether it answers only with a trimap."""
        return self.input.trimap_channel or any(
            extra.kind.startswith("trimap") for extra in self.extra_inputs
        )

    @property
    def temporal(self) -> bool:
        """Whether it follows a video from frame to frame."""
        return bool(self.states)

    @property
    def modelscope_id(self) -> str:
        """``OWNER/MODEL`` or ``OWNER/MODEL@REVISION`` where it can be pulled, else empty."""
        scheme = "modelscope:"
        return self.source[len(scheme) :] if self.source.startswith(scheme) else ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers, as JSON and TOML take them."""
        plain = asdict(self)
        plain["engines"] = list(self.engines)
        for part, keys in (("input", ("mean", "std")), ("output", ("range",))):
            for key in keys:
                plain[part][key] = list(plain[part][key])
        plain["extra_inputs"] = [_plain(extra) for extra in self.extra_inputs]
        plain["states"] = [asdict(pair) for pair in self.states]
        return plain

    def to_toml(self) -> str:
        """Return the text of a ``model.toml`` that parses to an equal manifest."""
        return toml.dumps(self.to_dict())


def _plain(extra: ExtraInput) -> dict[str, Any]:
    """Return an extra input with the keys that its kind has."""
    keys = {"image": ("scale", "mean", "std"), "ratio": ("long_side", "at_most_one")}
    wanted = ("tensor", "kind", *keys.get(extra.kind, ()))
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(extra).items()
        if key in wanted
    }


def load(path: Path) -> Manifest:
    """Read a manifest file.

    Raises
    ------
    ManifestError
        It is not there, is not UTF-8 or TOML, or says something wrong.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ManifestError(("It is too large for a manifest.",))
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ManifestError(("It is not UTF-8 text.",)) from error
    except OSError as error:
        raise ManifestError(
            (f"It cannot be read: {error.strerror or 'unknown cause'}.",)
        ) from error
    return parse(text)


def parse(text: str) -> Manifest:
    """Read a manifest's text; raise `ManifestError` with all its mistakes."""
    try:
        data = toml.loads(text)
    except (toml.TOMLDecodeError, RecursionError) as error:
        raise ManifestError((f"It is not TOML: {error}.",)) from error
    return from_dict(data)


def from_dict(data: Mapping[str, Any]) -> Manifest:
    """Build a manifest from parsed TOML; raise `ManifestError` with all its mistakes."""
    mistakes: list[str] = []
    top = Fields(data, "", mistakes)
    name = top.text("name")
    if name and (not Fields.is_name(name) or name in _RESERVED):
        top.mistake(
            "name",
            f"“{name}” cannot be a name; use up to 64 lower-case letters, digits, “-”, “_” "
            "and “.”, starting with a letter or digit, and not auto, all or classic",
        )
    engines = top.choices("engines", ENGINES)
    file = _file(top, required=any(engine not in ("oip", "classic") for engine in engines))
    sha256 = top.text("sha256", "").lower()
    if sha256 and (len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef")):
        top.mistake("sha256", "must be 64 hexadecimal digits, or empty")
    needs_tensor = any(engine in ("tf1", "tf2") for engine in engines)
    manifest = Manifest(
        name=name,
        title=top.text("title", name),
        engines=engines,
        file=file,
        sha256=sha256,
        source=top.text("source", ""),
        licence=top.text("licence", ""),
        commercial_use=top.flag("commercial_use", True),
        good_for=top.text("good_for", ""),
        speed=top.choice("speed", ("", "fast", "medium", "slow"), ""),
        download_size=top.whole("download_size", 0, low=0),
        input=_input(top.table("input"), needs_tensor),
        output=_output(top.table("output"), needs_tensor),
        extra_inputs=extra_inputs(top.tables("extra_inputs")),
        states=states(top.tables("states")),
    )
    _check_extras(top, manifest)
    top.finish()
    if mistakes:
        raise ManifestError(tuple(mistakes))
    return manifest


def _check_extras(top: Fields, manifest: Manifest) -> None:
    others = [engine for engine in manifest.engines if engine != "onnx"]
    takes_more = manifest.extra_inputs or manifest.states or manifest.input.trimap_channel
    if takes_more and others:
        top.mistake("engines", f"only onnx feeds more than the picture, {', '.join(others)} cannot")
    if top.flag("needs_trimap", manifest.needs_trimap) != manifest.needs_trimap:
        top.mistake("needs_trimap", "must be true just where an input takes the trimap")
    if manifest.needs_trimap and manifest.temporal:
        top.mistake("states", "a model cannot need a trimap and follow a video as well")
    names = [extra.tensor for extra in manifest.extra_inputs]
    names += [pair.input for pair in manifest.states]
    if manifest.input.tensor:
        names.append(manifest.input.tensor)
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        top.mistake("extra_inputs", f"the input “{name}” is named twice")


def _file(top: Fields, required: bool) -> str:
    file = top.text("file") if required else top.text("file", "")
    parts = file.replace("\\", "/").split("/")
    if file and (parts[0] == "" or ":" in file or ".." in parts or "\0" in file):
        top.mistake("file", "must be a path below the manifest's own folder, without “..”")
    if file.lower().endswith(_PICKLES):
        top.mistake(
            "file",
            "names a pickled checkpoint, which could run any code when it is loaded; "
            "export the model to ONNX and name that file",
        )
    return file


def _tensor(table: Fields, required: bool) -> str:
    tensor = table.text("tensor") if required else table.text("tensor", "")
    if required and tensor and not tensor.rpartition(":")[2].isdigit():
        table.mistake(
            "tensor", f"“{tensor}” is not a TensorFlow tensor; did you mean “{tensor}:0”?"
        )
    return tensor


def _input(table: Fields, needs_tensor: bool) -> InputSpec:
    spec = InputSpec(
        tensor=_tensor(table, needs_tensor),
        layout=table.choice("layout", ("HWC", "NHWC", "NCHW")),
        channels=table.choice("channels", ("RGB", "BGR"), "RGB"),
        resample=table.choice(
            "resample", ("area", "linear", "lanczos", "pillow-bilinear", "pillow-lanczos"), "area"
        ),
        scale=table.nonzero("scale", 1.0),
        divide_by_max=table.flag("divide_by_max", False),
        mean=table.numbers3("mean", (0.0, 0.0, 0.0)),
        std=table.nonzeros3("std", (1.0, 1.0, 1.0)),
        size=size_rule(table.table("size")),
        pad_to=table.whole("pad_to", 1, 1, 1024),
        trimap_channel=table.flag("trimap_channel", False),
    )
    table.finish()
    return spec


def _output(table: Fields, needs_tensor: bool) -> OutputSpec:
    spec = OutputSpec(
        tensor=_tensor(table, needs_tensor),
        channel=table.whole("channel", 0, low=-1),
        range=table.numbers2("range", (0.0, 1.0)),
        activation=table.choice(
            "activation", ("none", "sigmoid", "minmax", "sigmoid-minmax"), "none"
        ),
    )
    if spec.range[0] == spec.range[1]:
        table.mistake("range", "must have two different numbers")
    table.finish()
    return spec
