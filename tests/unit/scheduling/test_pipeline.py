"""Pixel work around an engine that knows nothing of trimaps."""

from __future__ import annotations

import numpy as np

from bshm_bridge.engines.base import Cancellation
from bshm_bridge.matting.edit import EditOptions, edit
from bshm_bridge.matting.pixels import PixelFormat
from bshm_bridge.scheduling.pipeline import Stopwatch, enlarged, finish, fitted, prepare
from bshm_bridge.scheduling.request import JobOptions, JobRequest

WIDTH, HEIGHT = 90, 60


def request(*, hint: bool = False, trimap: bool = False, depth: str = "u8") -> JobRequest:
    gray = PixelFormat(WIDTH, HEIGHT, "GRAY")
    return JobRequest(
        PixelFormat(WIDTH, HEIGHT, "RGB"),
        JobOptions(depth=depth),  # type: ignore[arg-type]
        hint=gray if hint else None,
        trimap=gray if trimap else None,
    )


def payload(*planes: np.ndarray) -> np.ndarray:
    picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    return np.concatenate([plane.reshape(-1) for plane in (picture, *planes)])


def painted() -> np.ndarray:
    trimap = np.full((HEIGHT, WIDTH), 128, np.uint8)
    trimap[7:20, 11:33] = 0
    trimap[31:44, 51:83] = 255
    return trimap


def test_what_a_trimap_knows_is_kept_to_the_pixel_at_the_layers_size() -> None:
    trimap = painted()
    for depth, full in (("u8", 255), ("u16", 65535)):
        prepared = prepare(
            request(trimap=True, depth=depth), payload(trimap), Stopwatch(), Cancellation()
        )
        alpha = np.full((20, 30), 0.4, np.float32)  # a third of the layer's size
        matte, _, _ = finish(prepared, alpha, Cancellation())
        assert (matte[trimap == 0] == 0).all()
        assert (matte[trimap == 255] == full).all()
        unknown = matte[trimap == 128]
        assert (unknown > 0).all() and (unknown < full).all()


def test_moving_the_edge_of_a_fast_matte_is_near_to_moving_it_at_full_size() -> None:
    x = np.arange(300, dtype=np.float32)
    alpha = np.repeat(np.clip((x - 150) / 4 + 0.5, 0, 1)[None], 200, axis=0)
    layer = PixelFormat(900, 600, "RGB")
    mattes = {}
    for shift, feather in ((0.0, 0.0), (6.0, 0.0), (-9.0, 0.0), (0.0, 5.0)):
        options = JobOptions(refinement="fast", edit=EditOptions(edge_shift=shift, feather=feather))
        matte, _ = enlarged(JobRequest(layer, options), alpha, Stopwatch(), Cancellation())
        assert matte.shape == (600, 900)
        mattes[shift, feather] = matte
        plain = mattes[0.0, 0.0].astype(np.float32) / 255
        expected = edit(plain, 1.0, options.edit)
        assert np.abs(matte / 255 - expected).max() < 0.06
    # Above 0 the subject, which is at the right, grows.
    halves = {key: int(np.argmax(matte[300] > 127)) for key, matte in mattes.items()}
    assert abs(halves[0.0, 0.0] - halves[6.0, 0.0] - 6) <= 1
    assert abs(halves[-9.0, 0.0] - halves[0.0, 0.0] - 9) <= 1


def test_the_trimap_comes_from_the_request_then_from_a_matte_then_from_the_selection() -> None:
    selection = np.zeros((HEIGHT, WIDTH), np.uint8)
    selection[:, 60:] = 255
    suggested = np.zeros((20, 30), np.float32)
    suggested[:, :10] = 1
    both = prepare(
        request(hint=True, trimap=True),
        payload(selection, painted()),
        Stopwatch(),
        Cancellation(),
    )
    given = fitted(both, 90, suggested=suggested, needs_trimap=True).trimap
    assert given is not None
    np.testing.assert_array_equal(given, painted())
    hinted = prepare(request(hint=True), payload(selection), Stopwatch(), Cancellation())
    for suggestion, left, right in ((suggested, 255, 0), (None, 0, 255)):
        trimap = fitted(hinted, 45, suggested=suggestion, needs_trimap=True).trimap
        assert trimap is not None
        assert trimap.shape == (30, 45)
        assert trimap[15, 2] == left
        assert trimap[15, 42] == right
        assert (trimap == 128).any()
    assert fitted(hinted, 45, suggested=suggested).trimap is None
