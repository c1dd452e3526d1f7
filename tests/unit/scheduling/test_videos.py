from __future__ import annotations

import numpy as np
import pytest

from bshm_bridge.errors import InvalidInput, JobCancelled, NotReady
from bshm_bridge.matting.pixels import PixelFormat
from bshm_bridge.scheduling.request import JobRequest, VideoFrame
from bshm_bridge.scheduling.videos import Videos

MODEL = ("rvm", "onnx", "cpu")


def frame(
    number: int, video: str = "v", client: str = "c", *, size: int = 8, last: bool = False
) -> JobRequest:
    return JobRequest(
        PixelFormat(size, size, "RGB"),
        client_id=client,
        frame=VideoFrame(video, number, last),
    )


def advance(videos: Videos, request: JobRequest) -> list[float]:
    """Work on a frame as a network would that counts; return what it remembered."""
    with videos.frame(request, MODEL) as recurrence:
        before = [float(state[0]) for state in recurrence.states]
        assert request.frame is not None
        recurrence.states = [np.array([request.frame.number + 1.0])]
    return before


def test_each_frame_gets_what_the_one_before_left() -> None:
    videos = Videos()
    assert [advance(videos, frame(number)) for number in range(3)] == [[], [1.0], [2.0]]


def test_videos_of_one_client_and_of_others_do_not_mix() -> None:
    videos = Videos()
    for video, client in (("v", "c"), ("w", "c"), ("v", "d")):
        assert advance(videos, frame(0, video, client)) == []
    advance(videos, frame(1, "w", "c"))
    assert advance(videos, frame(1, "v", "c")) == [1.0]
    assert advance(videos, frame(2, "w", "c")) == [2.0]
    assert advance(videos, frame(1, "v", "d")) == [1.0]


def test_a_frame_out_of_order_is_refused_and_the_right_one_still_goes() -> None:
    videos = Videos()
    advance(videos, frame(0))
    for number in (2, 7):
        with pytest.raises(InvalidInput, match="Frame 1 of the video comes next") as caught:
            advance(videos, frame(number))
        assert caught.value.reason == "frame-order"
    assert advance(videos, frame(1)) == [1.0]


def test_two_frames_of_a_video_at_once_are_refused() -> None:
    videos = Videos()
    advance(videos, frame(0))
    with (
        videos.frame(frame(1), MODEL),
        pytest.raises(InvalidInput, match="one by one"),
        videos.frame(frame(2), MODEL),
    ):
        pass
    assert advance(videos, frame(2)) == [1.0]


def test_the_first_frame_begins_anew() -> None:
    videos = Videos()
    for number in range(3):
        advance(videos, frame(number))
    assert advance(videos, frame(0)) == []


@pytest.mark.parametrize("error", [JobCancelled(), RuntimeError("the engine died")])
def test_a_cancelled_or_failed_frame_forgets_the_video(error: Exception) -> None:
    videos = Videos()
    advance(videos, frame(0))
    with pytest.raises(type(error)), videos.frame(frame(1), MODEL):
        raise error
    assert len(videos) == 0
    with pytest.raises(NotReady, match="start it again") as caught:
        advance(videos, frame(2))
    assert caught.value.reason == "video-forgotten"


def test_a_video_of_which_a_frame_was_cancelled_earlier_is_forgotten_too() -> None:
    videos = Videos()
    advance(videos, frame(0))
    advance(videos, frame(0, video="w"))
    videos.forget(frame(1))
    assert len(videos) == 1
    assert advance(videos, frame(1, video="w")) == [1.0]


def test_the_last_frame_forgets_the_video() -> None:
    videos = Videos()
    advance(videos, frame(0))
    advance(videos, frame(1, last=True))
    assert len(videos) == 0


def test_another_size_or_model_in_the_middle_is_refused() -> None:
    videos = Videos()
    advance(videos, frame(0))
    with pytest.raises(InvalidInput, match="one size"):
        advance(videos, frame(1, size=9))
    with pytest.raises(InvalidInput, match="model"), videos.frame(frame(1), ("x", "onnx", "cpu")):
        pass
    assert advance(videos, frame(1)) == [1.0]


def test_a_client_that_went_away_does_not_hold_memory_for_ever() -> None:
    videos = Videos(most=3)
    for number in range(10):
        advance(videos, frame(0, video=str(number)))
    assert len(videos) == 3
    assert advance(videos, frame(1, video="9")) == [1.0]
    short = Videos(idle=0.0)
    advance(short, frame(0, video="a"))
    advance(short, frame(0, video="b"))
    assert len(short) == 1
