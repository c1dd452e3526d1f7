from __future__ import annotations

import numpy as np
import pytest

from bshm_bridge.errors import JobCancelled
from bshm_bridge.matting.tiles import each, tiles


@pytest.mark.parametrize("shape", [(1, 1), (1, 100), (64, 64), (65, 130)])
def test_tiles_cover_every_pixel_once(shape: tuple[int, int]) -> None:
    seen = np.zeros(shape, int)
    for tile in tiles(*shape, 64):
        seen[tile.window] += 1
    assert (seen == 1).all()


def test_results_come_in_order() -> None:
    assert list(each(lambda n: n * n, range(100), None)) == [n * n for n in range(100)]


def test_a_check_that_raises_ends_the_work_before_it_is_done() -> None:
    started: list[int] = []

    def check() -> None:
        if len(started) > 3:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        list(each(started.append, range(10_000), check))
    assert len(started) < 10_000


def test_an_error_in_a_tile_is_raised() -> None:
    def fail(n: int) -> float:
        return 1 / (n - 5)

    with pytest.raises(ZeroDivisionError):
        list(each(fail, range(10), None))
