from __future__ import annotations

import pytest

from bshm_bridge.engines.backoff import BackOff
from bshm_bridge.errors import Unavailable


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_first_crashes_cost_no_waiting() -> None:
    backoff = BackOff(free=2, clock=Clock())
    backoff.crashed()
    backoff.check()
    backoff.crashed()
    backoff.check()


def test_repeated_crashes_back_off_and_say_so() -> None:
    clock = Clock()
    backoff = BackOff(free=2, first=2, most=60, clock=clock)
    for _ in range(3):
        backoff.crashed()
    with pytest.raises(Unavailable, match="3 times in a row") as caught:
        backoff.check()
    assert caught.value.reason == "engine-backing-off"
    clock.now = 2.0
    backoff.check()


def test_waits_double_up_to_the_longest() -> None:
    clock = Clock()
    backoff = BackOff(free=0, first=2, most=60, clock=clock)
    for wait in (2, 4, 8, 16, 32, 60, 60):
        backoff.crashed()
        clock.now += wait - 0.01
        with pytest.raises(Unavailable):
            backoff.check()
        clock.now += 0.01
        backoff.check()


def test_a_success_clears_the_record() -> None:
    backoff = BackOff(free=0, clock=Clock())
    backoff.crashed()
    backoff.succeeded()
    backoff.check()
