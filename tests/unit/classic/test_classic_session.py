from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bshm_bridge import samples
from bshm_bridge.engines.base import Cancellation, EngineInput
from bshm_bridge.engines.classic import ClassicEngine, ClassicSession
from bshm_bridge.errors import InvalidInput, JobCancelled, NotReady

Picture = NDArray[np.uint8]


def ignore(stage: str, fraction: float) -> None:
    pass


def matte(
    image: Picture, hint: Picture | None = None, trimap: Picture | None = None
) -> NDArray[np.float32]:
    request = EngineInput(image, hint, trimap)
    return ClassicSession().infer(request, Cancellation(), ignore)


@pytest.fixture(scope="module")
def portrait() -> Picture:
    loaded = cv2.imread(str(samples.portrait()))
    assert loaded is not None
    return np.asarray(cv2.cvtColor(loaded, cv2.COLOR_BGR2RGB), np.uint8)


@pytest.fixture(scope="module")
def portrait_alpha(portrait: Picture) -> NDArray[np.float32]:
    return matte(portrait)


def disc(height: int, width: int) -> tuple[Picture, Picture]:
    """A red disc on textured blue, and its exact coverage as a mask."""
    noise = np.random.default_rng(5).integers(0, 40, (height, width, 3))
    image = (np.array([30, 60, 150]) + noise).astype(np.uint8)
    mask = np.zeros((height, width), np.uint8)
    radius = min(height, width) // 4
    cv2.circle(mask, (width // 2, height // 2), radius, 255, cv2.FILLED)
    image[mask > 0] = (np.array([190, 40, 40]) + noise[mask > 0]).astype(np.uint8)
    return image, mask


def test_the_portrait_is_cut_out(portrait_alpha: NDArray[np.float32]) -> None:
    alpha = portrait_alpha
    assert alpha.shape == (512, 512)
    assert alpha.dtype == np.float32
    assert alpha.min() >= 0
    assert alpha.max() <= 1
    for row, column in ((110, 225), (60, 190), (60, 265), (250, 220), (400, 100), (330, 310)):
        assert alpha[row, column] > 0.95, (row, column)  # face, hair, collar, suit
    for row, column in ((30, 60), (60, 120), (60, 340), (120, 140), (200, 420), (250, 20)):
        assert alpha[row, column] < 0.05, (row, column)  # flag, wall, shuttle
    assert 0.35 < alpha.mean() < 0.55


def test_hair_is_soft_and_the_suit_is_solid(portrait_alpha: NDArray[np.float32]) -> None:
    soft = (portrait_alpha > 0.05) & (portrait_alpha < 0.95)
    assert soft[10:140, 140:310].mean() > 0.03
    assert not soft[380:, 60:230].any()


def test_equal_requests_get_equal_answers(
    portrait: Picture, portrait_alpha: NDArray[np.float32]
) -> None:
    cv2.setRNGSeed(99)
    assert np.array_equal(matte(portrait), portrait_alpha)


def test_two_people_are_both_found(portrait: Picture) -> None:
    pair = np.hstack([portrait, portrait[:, ::-1]])
    alpha = matte(pair)
    scale = alpha.shape[1] / pair.shape[1]
    for column in (225, 1023 - 225):
        assert alpha[round(110 * scale), round(column * scale)] > 0.95
        assert alpha[round(400 * scale), round(column * scale)] > 0.95
    assert alpha[round(60 * scale), round(512 * scale)] < 0.05


def test_a_grey_portrait_works_too(portrait: Picture) -> None:
    grey = cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)
    alpha = matte(np.repeat(grey[..., None], 3, axis=2))
    assert alpha[110, 225] > 0.95
    assert alpha[60, 60] < 0.05


def test_a_selection_decides_which_of_two_people(portrait: Picture) -> None:
    pair = np.hstack([portrait, portrait[:, ::-1]])
    hint = np.zeros(pair.shape[:2], np.uint8)
    hint[:, 520:] = 255
    alpha = matte(pair, hint)
    assert alpha[:, : alpha.shape[1] * 2 // 5].max() < 0.05
    assert alpha[round(110 * alpha.shape[0] / 512), -round(225 * alpha.shape[0] / 512)] > 0.95


@pytest.mark.parametrize("shape", [(200, 300), (301, 199), (64, 64), (1400, 900)])
def test_a_rough_selection_is_enough_without_a_face(shape: tuple[int, int]) -> None:
    image, mask = disc(*shape)
    rough = cv2.dilate(mask, np.ones((9, 9), np.uint8), iterations=max(1, min(shape) // 100))
    alpha = matte(image, np.asarray(rough, np.uint8))
    truth = cv2.resize(mask, alpha.shape[::-1], interpolation=cv2.INTER_AREA) / 255.0
    assert abs(alpha - truth).mean() < 0.01


def test_the_answer_is_at_most_768_pixels_long() -> None:
    image, mask = disc(1000, 1500)
    assert matte(image, mask).shape == (512, 768)


def test_without_face_and_selection_the_user_is_told_what_to_do() -> None:
    image, _ = disc(300, 300)
    with pytest.raises(NotReady, match="select roughly around the subject") as raised:
        matte(image)
    assert raised.value.reason == "no-person-found"


@pytest.mark.parametrize("value", [0, 255])
def test_a_selection_of_nothing_or_everything_is_no_selection(value: int) -> None:
    image, _ = disc(120, 120)
    with pytest.raises(NotReady):
        matte(image, np.full((120, 120), value, np.uint8))


def test_a_selection_of_everything_leaves_it_to_the_face(
    portrait: Picture, portrait_alpha: NDArray[np.float32]
) -> None:
    hint = np.full(portrait.shape[:2], 255, np.uint8)
    assert np.array_equal(matte(portrait, hint), portrait_alpha)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (3, 5000), (24, 24)])
@pytest.mark.parametrize("colour", [0, 128, 255])
def test_tiny_and_flat_pictures_get_an_answer_or_a_sentence(
    shape: tuple[int, int], colour: int
) -> None:
    image = np.full((*shape, 3), colour, np.uint8)
    with pytest.raises(NotReady):
        matte(image)
    hint = np.zeros(shape, np.uint8)
    hint[: max(1, shape[0] // 2), : max(1, shape[1] // 2)] = 255
    try:
        alpha = matte(image, hint)
    except NotReady:
        assert hint.all()  # there is only one pixel
    else:
        assert np.isfinite(alpha).all()
        assert alpha.min() >= 0
        assert alpha.max() <= 1
        assert max(alpha.shape) == min(768, max(shape))


def test_noise_is_no_crash() -> None:
    image = np.random.default_rng(1).integers(0, 256, (150, 220, 3), np.uint8)
    hint = np.zeros((150, 220), np.uint8)
    hint[40:100, 60:160] = 255
    assert np.isfinite(matte(image, hint)).all()


def test_a_trimap_is_followed_to_the_letter() -> None:
    image, mask = disc(240, 320)
    trimap = np.full(mask.shape, 128, np.uint8)
    trimap[cv2.erode(mask, np.ones((15, 15), np.uint8)) > 0] = 255
    trimap[cv2.dilate(mask, np.ones((15, 15), np.uint8)) == 0] = 0
    alpha = matte(image, trimap=trimap)
    assert (alpha[trimap == 255] == 1).all()
    assert (alpha[trimap == 0] == 0).all()
    band = trimap == 128
    assert abs(alpha - mask / 255.0)[band].mean() < 0.05


def test_progress_grows_from_0_to_1(portrait: Picture) -> None:
    seen: list[float] = []
    ClassicSession().infer(
        EngineInput(portrait),
        Cancellation(),
        lambda stage, fraction: seen.append(fraction) if stage == "inference" else None,
    )
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert 0.5 < seen[-1] <= 1
    assert len(seen) > 15


@pytest.mark.parametrize("after", [0.0, 0.3, 0.7])
def test_cancelling_stops_it_at_the_next_step(portrait: Picture, after: float) -> None:
    cancel = Cancellation()
    seen: list[float] = []

    def progress(stage: str, fraction: float) -> None:
        seen.append(fraction)
        if fraction >= after:
            cancel.cancel()

    with pytest.raises(JobCancelled):
        ClassicSession().infer(EngineInput(portrait), cancel, progress)
    assert sum(fraction >= after for fraction in seen) == 1


def test_what_is_not_an_rgb_picture_is_refused() -> None:
    good = np.zeros((8, 8, 3), np.uint8)
    for image in (good[..., 0], good.astype(np.float32), good[:0]):
        with pytest.raises(InvalidInput):
            matte(image)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        matte(good, np.zeros((4, 4), np.uint8))


def test_a_gpu_cannot_be_had() -> None:
    from bshm_bridge.engines.registry import CLASSIC

    engine = ClassicEngine()
    assert engine.available() == (True, "")
    with pytest.raises(NotReady, match="does not use the GPU"):
        engine.load(CLASSIC, None, "gpu", Cancellation(), ignore)
    session = engine.load(CLASSIC, None, "auto", Cancellation(), ignore)
    assert (session.engine, session.device, session.pid) == ("classic", "CPU", 0)
