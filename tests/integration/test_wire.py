"""What travels between client and service, on whichever protobuf is installed."""

from __future__ import annotations

from typing import Literal

import grpc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge_client import (
    BadRequest,
    BridgeClient,
    Busy,
    CannotMatte,
    MatteOptions,
    Pixels,
    Progress,
)
from bridge_client.messages import plane_message
from bshm.bridge.v1 import matting_pb2 as pb
from bshm.bridge.v1 import matting_pb2_grpc as rpc
from bshm_bridge.matting.pixels import CHANNELS, DTYPES

from .conftest import RunningService, alpha_of, figure, gray, rgb

PICTURE, SELECTION = figure()


def packed(rgb8: np.ndarray, layout: str, depth: str, padding: int) -> Pixels:
    """Return an opaque u8 picture in another layout and depth, with padded rows."""
    columns = {"R": rgb8[..., 0], "G": rgb8[..., 1], "B": rgb8[..., 2]}
    columns["A"] = np.full(rgb8.shape[:2], 255, np.uint8)
    if layout.startswith("GRAY"):
        planes = [rgb8[..., 0]] + ([columns["A"]] if layout == "GRAYA" else [])
    else:
        planes = [columns[letter] for letter in layout]
    values = np.stack(planes, axis=-1)
    if depth == "u16":
        values = values.astype("<u2") * 257
    elif depth != "u8":
        values = (values / np.float32(255)).astype({"f16": "<f2", "f32": "<f4"}[depth])
    row = values.reshape(rgb8.shape[0], -1).view(np.uint8)
    stride = row.shape[1] + padding
    buffer = np.full((rgb8.shape[0], stride), 0xA5, np.uint8)
    buffer[:, : row.shape[1]] = row
    return Pixels(
        buffer.tobytes(),
        rgb8.shape[1],
        rgb8.shape[0],
        layout,  # type: ignore[arg-type]
        depth,  # type: ignore[arg-type]
        row_stride=stride if padding else 0,
    )


def test_exchange_and_inline_give_the_same_bytes(service: RunningService) -> None:
    options = MatteOptions(foreground=True, depth="u16")
    answers = [
        service.client(exchange=exchange).matte(rgb(PICTURE), hint=gray(SELECTION), options=options)
        for exchange in (True, False)
    ]
    assert [answer.transport for answer in answers] == ["exchange", "inline"]
    assert answers[0].alpha == answers[1].alpha
    assert answers[0].alpha.data == answers[1].alpha.data
    assert answers[0].foreground and answers[1].foreground
    assert answers[0].foreground.data == answers[1].foreground.data


def test_the_matte_is_where_the_figure_is(service: RunningService) -> None:
    matte = service.client().matte(rgb(PICTURE), hint=gray(SELECTION))
    alpha = alpha_of(matte.alpha)
    red = PICTURE[..., 0] > 128
    assert alpha.shape == red.shape
    assert alpha[red].mean() > 235
    assert alpha[~red].mean() < 20
    # One pixel of shift in any direction fits worse.
    error = np.abs(alpha / 255.0 - red).mean()
    for axis in (0, 1):
        for shift in (-1, 1):
            assert np.abs(np.roll(alpha, shift, axis) / 255.0 - red).mean() > error


@st.composite
def layers(draw: st.DrawFn) -> Pixels:
    """Draw a layer of any layout, depth, size and stride, with random values."""
    layout, depth = draw(st.sampled_from(sorted(CHANNELS))), draw(st.sampled_from(sorted(DTYPES)))
    width, height = draw(st.integers(1, 24)), draw(st.integers(1, 20))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = random.random((height, width * CHANNELS[layout]), np.float32)
    if depth.startswith("u"):
        values *= np.iinfo(DTYPES[depth]).max
    rows = values.astype(DTYPES[depth]).view(np.uint8)
    padding = draw(st.integers(0, 17))
    stride = rows.shape[1] + padding
    buffer = random.integers(0, 256, (height, stride), np.uint8)
    buffer[:, : rows.shape[1]] = rows
    return Pixels(
        buffer.tobytes(),
        width,
        height,
        layout,  # type: ignore[arg-type]
        depth,  # type: ignore[arg-type]
        linear=draw(st.booleans()),
        row_stride=stride if padding else 0,
    )


@settings(max_examples=60, deadline=None)
@given(layers(), st.sampled_from(["u8", "u16"]))
def test_every_format_is_answered_alike_on_both_ways(
    service: RunningService, pixels: Pixels, depth: Literal["u8", "u16"]
) -> None:
    trimap = np.full((pixels.height, pixels.width), 128, np.uint8)
    trimap[0, 0], trimap[-1, -1] = 255, 0
    options = MatteOptions(foreground=True, depth=depth)
    ways = [
        service.client(exchange=exchange).matte(pixels, trimap=gray(trimap), options=options)
        for exchange in (True, False)
    ]
    assert [way.transport for way in ways] == ["exchange", "inline"]
    assert ways[0].alpha == ways[1].alpha
    assert ways[0].foreground == ways[1].foreground
    matte = alpha_of(ways[0].alpha)
    assert matte.shape == (pixels.height, pixels.width)


@pytest.mark.parametrize(
    ("layout", "depth", "padding"),
    [("RGBA", "u8", 13), ("BGRA", "u16", 0), ("RGBA", "f32", 12), ("BGR", "f16", 2)],
)
def test_every_format_of_a_picture_gives_the_same_matte(
    service: RunningService, layout: str, depth: str, padding: int
) -> None:
    expected = service.client().matte(rgb(PICTURE), hint=gray(SELECTION))
    pixels = packed(PICTURE, layout, depth, padding)
    for exchange in (True, False):
        matte = service.client(exchange=exchange).matte(pixels, hint=gray(SELECTION))
        # Half floats have 11 bits of mantissa, so they carry u8 exactly.
        assert matte.alpha.data == expected.alpha.data


@pytest.mark.parametrize(("layout", "depth"), [("GRAY", "u16"), ("GRAYA", "f32")])
def test_grey_layers_are_matted_and_their_colours_stay_grey(
    service: RunningService, layout: str, depth: Literal["u8"]
) -> None:
    pixels = packed(PICTURE, layout, depth, 0)
    matte = service.client().matte(
        pixels, hint=gray(SELECTION), options=MatteOptions(foreground=True)
    )
    assert matte.foreground is not None
    assert (matte.foreground.layout, matte.foreground.depth) == ("GRAY", depth)
    assert alpha_of(matte.alpha)[PICTURE[..., 0] > 128].mean() > 200


def test_transparent_pixels_are_background(service: RunningService) -> None:
    rgba = np.dstack([PICTURE, np.full(PICTURE.shape[:2], 255, np.uint8)])
    rgba[40:60, 30:40, 3] = 0
    height, width, _ = rgba.shape
    matte = service.client().matte(
        Pixels(rgba.tobytes(), width, height, "RGBA"), hint=gray(SELECTION)
    )
    alpha = alpha_of(matte.alpha)
    assert not alpha[40:60, 30:40].any()
    assert alpha[40:60, 24:29].mean() > 200


@pytest.mark.parametrize("exchange", [True, False])
def test_a_layer_that_is_remembered_need_not_be_sent_again(
    service: RunningService, exchange: bool
) -> None:
    client = service.client(exchange=exchange)
    layer, selection = rgb(PICTURE), gray(SELECTION)
    first = client.matte(layer, hint=selection)
    assert first.remembered
    # The pixels are not what counts: a service that looked at them would answer otherwise.
    other = rgb(255 - PICTURE)
    for change in ({"edge_shift": 3.0}, {"feather": 2.5}, {"edge_shift": -2.0, "depth": "u16"}):
        wanted = MatteOptions(refinement="fast", **change)  # type: ignore[arg-type]
        sent = client.matte(layer, hint=selection, options=wanted)
        again = client.matte(other, hint=selection, options=wanted, remembered=first.remembered)
        assert bytes(again.alpha.data) == bytes(sent.alpha.data)
        assert bytes(again.alpha.data) != bytes(first.alpha.data)
        assert (again.model, again.engine, again.device) == ("classic", "classic", "CPU")
        assert again.cached
        assert "transfer" in again.timings and "decode" not in again.timings
    best = client.matte(layer, hint=selection, remembered=first.remembered)
    assert "decode" in best.timings  # needs the layer itself


def test_a_layer_that_was_forgotten_is_sent_after_all(service: RunningService) -> None:
    wanted = MatteOptions(refinement="fast", feather=1.0)
    sent = service.client().matte(rgb(PICTURE), hint=gray(SELECTION), options=wanted)
    again = service.client().matte(
        rgb(PICTURE), hint=gray(SELECTION), options=wanted, remembered="of another service"
    )
    assert bytes(again.alpha.data) == bytes(sent.alpha.data)


def test_what_is_remembered_serves_a_fast_matte_alone(service: RunningService) -> None:
    token = service.client().matte(rgb(PICTURE), hint=gray(SELECTION)).remembered
    plane = plane_message(rgb(PICTURE))
    fast = pb.MatteOptions(refinement=pb.REFINEMENT_FAST)
    colours = pb.MatteOptions(refinement=pb.REFINEMENT_FAST, foreground=True)
    for options, hint in ((None, False), (colours, False), (fast, True)):
        header = pb.MatteHeader(
            protocol=1, pixels=plane, options=options, remembered=token, inline=pb.Inline()
        )
        if hint:
            header.hint.CopyFrom(plane_message(gray(SELECTION)))
        with grpc.insecure_channel(
            service.endpoint, options=[("grpc.default_authority", "localhost")]
        ) as channel:
            stub = rpc.MattingStub(channel)
            meta = (("authorization", f"Bearer {service.connection.token}"),)
            with pytest.raises(grpc.RpcError) as caught:
                list(stub.Matte(iter([pb.MatteRequest(header=header)]), metadata=meta))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_progress_tells_the_stages_in_order(service: RunningService) -> None:
    steps: list[Progress] = []
    picture = PICTURE.copy()
    picture[0, 0] = 7  # nothing that was seen before
    service.client().matte(rgb(picture), hint=gray(SELECTION), progress=steps.append)
    stages = [step.stage for step in steps]
    assert stages[0] == "sending"
    assert "running" in stages
    assert "inference" in [step.detail for step in steps]


def test_no_person_and_no_selection_is_a_sentence_and_not_a_black_mask(
    service: RunningService,
) -> None:
    with pytest.raises(CannotMatte, match="select roughly around the subject") as caught:
        service.client().matte(rgb(PICTURE))
    assert caught.value.reason == "no-person-found"


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (Pixels(b"", 0, 5, "RGB"), "bad-size"),
        (Pixels(bytes(100), 5, 5, "RGB", row_stride=3), "bad-stride"),
        (Pixels(bytes(100), 5, 5, "RGB", row_stride=1 << 33), "bad-stride"),
        (Pixels(bytes(100), 5, 5, "RGB", row_stride=1 << 63), "bad-stride"),
        (Pixels(bytes(5 * 5 * 3), 5, 5, "RGB", icc_profile=b"no profile"), "bad-profile"),
    ],
)
@pytest.mark.parametrize("exchange", [True, False])
def test_bad_pixels_are_refused_with_a_reason(
    service: RunningService, pixels: Pixels, reason: str, exchange: bool
) -> None:
    with pytest.raises(BadRequest) as caught:
        service.client(exchange=exchange).matte(pixels)
    assert caught.value.reason == reason
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("exchange", [True, False])
def test_a_layer_over_the_limit_is_refused(service: RunningService, exchange: bool) -> None:
    with pytest.raises(Busy, match="4900 megapixels") as caught:
        service.client(exchange=exchange).matte(Pixels(bytes(16), 70_000, 70_000, "RGB"))
    assert caught.value.reason == "too-large"


def test_a_refusal_while_pixels_are_still_sent_keeps_its_reason(service: RunningService) -> None:
    large = Pixels(bytes(4000 * 4000 * 3), 4000, 4000, "RGB")
    for _ in range(3):
        with pytest.raises(CannotMatte, match="nonesuch") as caught:
            service.client(exchange=False).matte(large, options=MatteOptions(model="nonesuch"))
        assert caught.value.reason == "unknown-model"


def test_too_few_pixels_are_refused(service: RunningService) -> None:
    short = Pixels(bytes(10), 20, 20, "RGB")
    for exchange in (True, False):
        with pytest.raises(BadRequest) as caught:
            service.client(exchange=exchange).matte(short)
        assert caught.value.reason == "size-mismatch"


def test_an_unknown_model_is_named(service: RunningService) -> None:
    with pytest.raises(CannotMatte, match="nonesuch") as caught:
        service.client().matte(rgb(PICTURE), options=MatteOptions(model="nonesuch"))
    assert caught.value.reason == "unknown-model"


def test_status_tells_version_models_and_counts(service: RunningService) -> None:
    client: BridgeClient = service.client()
    client.matte(rgb(PICTURE), hint=gray(SELECTION))
    status = client.status()
    assert status.pid == service.process.pid
    assert "classic" in [model.name for model in status.models]
    assert status.done >= 1
    assert status.jobs == ()
    assert status.memory > 10_000_000
    assert status.default_model == "classic"
    assert "bshm models pull" in status.default_reason
