"""Memory that is handed out again, and never while somebody still looks at it."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bshm_bridge.exchange import buffers
from bshm_bridge.exchange.buffers import Buffers

SIZE = 3 << 20


def test_memory_is_handed_out_again_once_it_is_free() -> None:
    kept = Buffers()
    first = kept.empty(SIZE)
    first[:] = 7
    place = first.ctypes.data
    assert kept.spare == 0
    del first
    assert kept.spare == SIZE
    second = kept.empty(SIZE - 5)
    assert (second.ctypes.data, second.size, kept.spare) == (place, SIZE - 5, 0)


@pytest.mark.parametrize(
    "look",
    [
        lambda whole: whole[10:20][2:],
        lambda whole: whole.reshape(3, -1)[1:, ::2],
        lambda whole: whole.view("<u2")[::2].reshape(2, -1),
        lambda whole: memoryview(whole)[5:],
    ],
    ids=["slice", "reshaped", "of other type", "memoryview"],
)
def test_a_view_holds_the_memory(look: Callable[[np.ndarray], Any]) -> None:
    kept = Buffers()
    whole = kept.empty(SIZE)
    part = look(whole)
    del whole
    gc.collect()
    assert kept.spare == 0
    other = kept.empty(SIZE)
    other[:] = 9
    assert not np.shares_memory(np.asarray(part), other)
    del part, other
    assert kept.spare == 2 * SIZE


def test_no_more_is_kept_than_the_limit_and_small_arrays_never() -> None:
    kept = Buffers(limit=2 * SIZE)
    arrays = [kept.empty(SIZE) for _ in range(3)]
    arrays.append(kept.empty(100))
    arrays.clear()
    assert kept.spare == 2 * SIZE
    huge = kept.empty(3 * SIZE)
    del huge
    assert kept.spare == 2 * SIZE


def test_a_small_layer_does_not_hold_the_memory_of_a_large_one() -> None:
    kept = Buffers()
    large = kept.empty(4 * SIZE)
    del large
    small = kept.empty(SIZE)
    assert kept.spare == 4 * SIZE
    assert small.size == SIZE


def test_what_nobody_used_for_a_while_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Buffers()
    array = kept.empty(SIZE)
    del array
    kept.trim()
    assert kept.spare == SIZE
    monkeypatch.setattr(buffers, "_KEPT", -1.0)
    kept.trim()
    assert kept.spare == 0
