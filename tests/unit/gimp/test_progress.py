from __future__ import annotations

import pytest

from bridge_client import Progress
from bshm_gimp.progress import done_part


def test_bar_never_goes_back_in_the_course_of_a_request() -> None:
    details = ("receiving", "decoding", "inference", "refining", "sending")
    steps = [Progress("sending", fraction=0.0), Progress("sending", fraction=1.0)]
    steps += [Progress("running", detail=d, fraction=f) for d in details for f in (0.0, 0.5, 1.0)]
    steps.append(Progress("receiving"))
    shown = [part for part in map(done_part, steps) if part is not None]
    assert len(shown) == len(steps)
    assert shown == sorted(shown)
    assert shown[0] == 0.0
    assert shown[-1] <= 1.0


@pytest.mark.parametrize(
    "step",
    [Progress("starting"), Progress("queued", position=2), Progress("loading", detail="starting")],
)
def test_waiting_has_no_length(step: Progress) -> None:
    assert done_part(step) is None


def test_download_fills_the_bar() -> None:
    assert done_part(Progress("loading", detail="downloading", fraction=0.43)) == 0.43
