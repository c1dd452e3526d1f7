"""Models that take a trimap or remember a video, in the real ONNX Runtime behind the service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bridge_client import (
    BadRequest,
    BridgeClient,
    BridgeError,
    Cancellation,
    Cancelled,
    CannotMatte,
    MatteOptions,
    Progress,
    VideoFrame,
)
from bshm_bridge.engines.environments import Environments
from bshm_bridge.models import builtin
from bshm_bridge.models.store import store_of

from ..conftest import RunningService, alpha_of, figure, gray, rgb
from .conftest import install
from .test_onnx_models import make_models

# Our name of a model, and the stand-in with its inputs and outputs.
STANDINS = {
    "vitmatte-small": "trimap-channel",
    "vitmatte-base": "trimap-channel",
    "fba": "trimap-planes",
    "rvm-mobilenetv3": "video",
    "rvm-resnet50": "video",
    "video-human-matting": "video",
}
PICTURE, SELECTION = figure(200, 160)

Start = Callable[..., RunningService]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("standins")
    make_models(folder, *set(STANDINS.values()))
    return folder


@pytest.fixture(scope="module")
def home(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a state directory with every stand-in under its model's manifest."""
    folder = tmp_path_factory.mktemp("trimap") / "home"
    engine = install("onnx").get("onnx")
    Environments(folder / "engines").record(replace(engine, managed=False))
    for name, kind in STANDINS.items():
        store_of(folder / "models").add(files / f"{kind}.onnx", name)
    return folder


@pytest.fixture
def service(start_service: Start, home: Path) -> RunningService:
    return start_service(home=home)


def options(model: str, **more: object) -> MatteOptions:
    plain = MatteOptions(model=model, device="cpu", refinement="fast")
    return replace(plain, **more)  # type: ignore[arg-type]


def painted() -> NDArray[np.uint8]:
    """Return a trimap of the picture with all three kinds of pixels."""
    trimap = np.full(PICTURE.shape[:2], 128, np.uint8)
    trimap[:, :30] = 0
    trimap[100:120, 40:90] = 255
    return trimap


def test_every_model_with_a_trimap_or_a_memory_has_a_stand_in() -> None:
    special = {item.name for item in builtin.manifests() if item.needs_trimap or item.temporal}
    assert special == set(STANDINS)


# ---------------------------------------------------------------- trimaps


def vitmatte_alpha(trimap: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return what the stand-in answers, by its definition, where nothing is known."""
    red = PICTURE[..., 0] / 255 * 2 - 1
    return np.where(trimap == 128, 0.25 + (red + 0.5) / 8, trimap / 255)


@pytest.mark.parametrize("exchange", [True, False])
def test_a_painted_trimap_reaches_the_network_and_what_it_knows_is_kept(
    service: RunningService, exchange: bool
) -> None:
    trimap = painted()
    client = service.client(exchange=exchange)
    matte = client.matte(rgb(PICTURE), trimap=gray(trimap), options=options("vitmatte-small"))
    assert matte.model == "vitmatte-small"
    found = alpha_of(matte.alpha) / 255
    np.testing.assert_allclose(found, vitmatte_alpha(trimap), atol=1.5 / 255)
    assert (found[trimap == 0] == 0).all() and (found[trimap == 255] == 1).all()


def test_fba_gets_its_four_inputs_and_answers_with_the_first_plane(
    service: RunningService,
) -> None:
    trimap = painted()
    matte = service.client().matte(rgb(PICTURE), trimap=gray(trimap), options=options("fba"))
    y, x = np.mgrid[: trimap.shape[0], : trimap.shape[1]]
    to_background = x - 29.0
    to_subject = np.hypot(
        np.maximum(np.maximum(40 - x, x - 89), 0), np.maximum(np.maximum(100 - y, y - 119), 0)
    )
    near = [np.exp(-(d**2) / (2 * (0.02 * 320) ** 2)) for d in (to_background, to_subject)]
    red = (PICTURE[..., 0] / 255 - 0.485) / 0.229
    expected = np.clip(0.5 + 0.3 * (near[1] - near[0]) + 0.05 * red, 0, 1)
    expected = np.where(trimap == 128, expected, trimap / 255)
    np.testing.assert_allclose(alpha_of(matte.alpha) / 255, expected, atol=1.5 / 255)


@pytest.mark.parametrize("model", ["vitmatte-base", "fba"])
def test_the_band_of_a_chain_follows_the_first_models_matte(
    service: RunningService, model: str
) -> None:
    client = service.client()
    first = client.matte(
        rgb(PICTURE), hint=gray(SELECTION), options=options("classic", device="auto")
    )
    chained = client.matte(
        rgb(PICTURE), hint=gray(SELECTION), options=options(f"classic+{model}", device="auto")
    )
    assert chained.model == f"classic+{model}"
    before, after = alpha_of(first.alpha), alpha_of(chained.alpha)
    # Far from its edge the first model's word stands; the second never answers 0 or 1 itself.
    known = (after == 0) | (after == 255)
    assert np.array_equal(after[known] > 127, before[known] > 127)
    assert known.mean() > 0.5
    subject = before > 127
    edge = subject[:, 1:] != subject[:, :-1]
    assert edge.any()
    assert not known[:, 1:][edge].any() and not known[:, :-1][edge].any()
    # Moved to the right, the figure takes its band along.
    moved = np.roll(PICTURE, 40, axis=1)
    shifted = client.matte(
        rgb(moved),
        hint=gray(np.roll(SELECTION, 40, axis=1)),
        options=options(f"classic+{model}", device="auto"),
    )
    band = (alpha_of(shifted.alpha) > 0) & (alpha_of(shifted.alpha) < 255)
    centres = [np.argwhere(it).mean(axis=0) for it in (~known, band)]
    assert abs(centres[1][1] - centres[0][1] - 40) < 3
    assert abs(centres[1][0] - centres[0][0]) < 3


def test_a_selection_becomes_the_trimap_of_a_model_alone(service: RunningService) -> None:
    matte = service.client().matte(
        rgb(PICTURE), hint=gray(SELECTION), options=options("vitmatte-small")
    )
    assert matte.model == "vitmatte-small"
    after = alpha_of(matte.alpha)
    inside, outside = SELECTION == 255, SELECTION == 0
    assert (after[outside] == 0).mean() > 0.7
    assert (after[inside] == 255).mean() > 0.5
    rows, columns = np.nonzero((after > 0) & (after < 255))
    # The band lies on the selection's own edge, on both sides of it.
    edge = np.argwhere(np.diff(SELECTION.astype(int), axis=1))
    assert abs(columns.min() - edge[:, 1].min()) < 10
    assert abs(rows.max() - edge[:, 0].max()) < 10


def test_without_trimap_and_selection_the_best_model_comes_first(service: RunningService) -> None:
    """Here that is classic, which finds no person on this picture and says so."""
    with pytest.raises(CannotMatte) as caught:
        service.client().matte(rgb(PICTURE), options=options("vitmatte-small"))
    assert caught.value.reason == "no-person-found"


def test_a_chain_that_makes_no_sense_is_a_sentence(service: RunningService) -> None:
    for model, words in (
        ("classic+classic", "takes no trimap"),
        ("fba+vitmatte-small", "cannot make the trimap"),
        ("rvm-resnet50+fba", "cannot make the trimap"),
        ("bshm+nothing", "no model named"),
        ("+fba", "takes no trimap"),
    ):
        with pytest.raises(BridgeError, match=words):
            service.client().matte(rgb(PICTURE), hint=gray(SELECTION), options=options(model))


def test_a_chain_reuses_the_first_matte(service: RunningService) -> None:
    client = service.client()
    picture = PICTURE.copy()
    picture[0, 0] = 3
    client.matte(rgb(picture), hint=gray(SELECTION), options=options("classic", device="auto"))
    chained = client.matte(
        rgb(picture), hint=gray(SELECTION), options=options("classic+fba", device="auto")
    )
    assert not chained.cached
    again = client.matte(
        rgb(picture),
        hint=gray(SELECTION),
        options=options("classic+fba", device="auto", feather=2.0),
    )
    assert again.cached
    assert "inference" not in again.timings


def test_chains_are_offered_to_the_editors(service: RunningService) -> None:
    models = {model.name: model for model in service.client().status().models}
    assert models["classic+fba"].installed
    assert not models["classic+fba"].needs_trimap
    assert models["fba"].needs_trimap
    assert models["rvm-resnet50"].temporal
    assert "bshm+fba" not in models  # not installed


# ---------------------------------------------------------------- videos


def clip(seed: int, frames: int) -> list[NDArray[np.uint8]]:
    random = np.random.default_rng(seed)
    return [random.integers(0, 128, (40, 60, 3), np.uint8) for _ in range(frames)]


def expected_alphas(frames: list[NDArray[np.uint8]], channel: int = 0) -> list[NDArray[np.float64]]:
    """Return what the stand-in answers, by its definition."""
    memory = np.zeros(frames[0].shape[:2])
    found = []
    for number, frame in enumerate(frames):
        memory = (frame[..., channel] / 255 + memory) / 2
        found.append(memory + number / 100)
    return found


def send(
    client: BridgeClient,
    frames: list[NDArray[np.uint8]],
    video: str,
    model: str = "rvm-mobilenetv3",
    first: int = 0,
) -> list[NDArray[np.uint8]]:
    return [
        alpha_of(
            client.matte(
                rgb(frame), options=options(model), frame=VideoFrame(video, first + number)
            ).alpha
        )
        for number, frame in enumerate(frames)
    ]


@pytest.mark.parametrize("model", ["rvm-resnet50", "video-human-matting"])
def test_each_frame_remembers_those_before_it(service: RunningService, model: str) -> None:
    frames = clip(1, 6)
    found = send(service.client(), frames, "a", model)
    # ModelScope's pipeline feeds BGR: its "red" is our blue.
    expected = expected_alphas(frames, 2 if model == "video-human-matting" else 0)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours / 255, theirs, atol=1.5 / 255)
    backwards = send(service.client(), frames[::-1], "b", model)[-1]
    assert np.abs(backwards.astype(int) - found[-1]).max() > 20  # order matters


def test_two_videos_at_once_do_not_mix(service: RunningService) -> None:
    clips = {"one": clip(2, 12), "two": clip(3, 12)}
    found: dict[str, list[NDArray[np.uint8]]] = {}
    one_client = service.client()
    clients = {"one": one_client, "two": one_client, "other": service.client()}
    clips["other"] = clip(4, 12)
    names = {"one": "one", "two": "two", "other": "one"}  # the same name, another client

    def run(name: str) -> None:
        found[name] = send(clients[name], clips[name], names[name])

    threads = [threading.Thread(target=run, args=(name,)) for name in clips]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for name, frames in clips.items():
        for ours, theirs in zip(found[name], expected_alphas(frames), strict=True):
            np.testing.assert_allclose(ours / 255, theirs, atol=1.5 / 255)


def test_a_frame_out_of_order_is_refused(service: RunningService) -> None:
    client = service.client()
    frames = clip(5, 4)
    send(client, frames[:1], "a")
    with pytest.raises(BadRequest, match="Frame 1 of the video comes next"):
        send(client, frames[2:3], "a", first=2)
    found = send(client, frames[1:3], "a", first=1)
    expected = expected_alphas(frames)[1:3]
    np.testing.assert_allclose(found[-1] / 255, expected[-1], atol=1.5 / 255)
    with pytest.raises(CannotMatte, match="start it again"):
        send(client, frames[:1], "never begun", first=7)


def test_a_cancelled_frame_drops_what_was_remembered(service: RunningService) -> None:
    client = service.client()
    frames = clip(6, 3)
    send(client, frames[:2], "a")
    cancel = Cancellation()

    def watch(step: Progress) -> None:
        if step.stage == "running":
            cancel.cancel()

    large = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)
    send(client, [large], "b")
    with pytest.raises(Cancelled):
        client.matte(
            rgb(large),
            options=options("rvm-mobilenetv3"),
            frame=VideoFrame("b", 1),
            progress=watch,
            cancel=cancel,
        )
    deadline = time.monotonic() + 30
    while client.status().jobs:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with pytest.raises(CannotMatte, match="start it again"):
        send(client, [large], "b", first=1)
    # The other video does not suffer.
    found = send(client, frames[2:], "a", first=2)[0]
    np.testing.assert_allclose(found / 255, expected_alphas(frames)[2], atol=1.5 / 255)


def test_a_video_outlives_its_worker(service: RunningService) -> None:
    client = service.client()
    frames = clip(7, 4)
    send(client, frames[:2], "a")
    assert client.release("rvm-mobilenetv3") == ["rvm-mobilenetv3"]
    found = send(client, frames[2:], "a", first=2)
    for ours, theirs in zip(found, expected_alphas(frames)[2:], strict=True):
        np.testing.assert_allclose(ours / 255, theirs, atol=1.5 / 255)


def test_a_model_that_follows_a_video_refuses_what_is_for_single_pictures(
    service: RunningService,
) -> None:
    for extra in ("hint", "trimap"):
        with pytest.raises(CannotMatte, match="takes no selection or trimap") as caught:
            service.client().matte(
                rgb(PICTURE),
                options=options("rvm-mobilenetv3"),
                **{extra: gray(SELECTION)},  # type: ignore[arg-type]
            )
        assert caught.value.reason == "temporal-model"


def test_a_still_picture_is_a_video_of_one_frame(service: RunningService) -> None:
    picture = clip(8, 1)[0]
    for _ in range(2):
        matte = service.client().matte(rgb(picture), options=options("rvm-mobilenetv3"))
        expected = expected_alphas([picture])[0]
        np.testing.assert_allclose(alpha_of(matte.alpha) / 255, expected, atol=1.5 / 255)
