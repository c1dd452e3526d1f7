from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bshm_bridge.engines.fitting import fit, network_size, smaller, warm_up_size
from bshm_bridge.models.sizes import AtMost, Fixed, ShortSide, SizeRule

SIDES = st.integers(1, 20000)


@pytest.mark.parametrize(
    ("size", "rule", "expected"),
    [
        ((6000, 4000), AtMost(1500), (1500, 1000)),
        ((600, 400), AtMost(1500), (600, 400)),
        ((600, 401), AtMost(1500, 32), (608, 416)),
        ((1, 1), AtMost(1500, 32), (32, 32)),
        ((600, 400), Fixed(320, 300), (320, 300)),
        ((600, 400), ShortSide(512, 32), (768, 512)),
        ((300, 200), ShortSide(512, 32), (768, 512)),
        ((2000, 1000), ShortSide(500), (1000, 500)),
    ],
)
def test_sizes_follow_the_rule(
    size: tuple[int, int], rule: SizeRule, expected: tuple[int, int]
) -> None:
    assert network_size(*size, rule) == expected


@given(width=SIDES, height=SIDES, multiple=st.sampled_from([1, 8, 32]))
def test_sizes_are_multiples_and_bounded(width: int, height: int, multiple: int) -> None:
    for rule in (AtMost(1500, multiple), ShortSide(512, multiple)):
        for side in network_size(width, height, rule):
            assert side % multiple == 0
            assert 1 <= side <= 4096


@pytest.mark.parametrize(
    "rule", [AtMost(1500), AtMost(100, 32), Fixed(320, 300), ShortSide(512, 32)]
)
def test_the_warm_up_has_a_size_that_the_network_takes(rule: SizeRule) -> None:
    size = warm_up_size(rule)
    assert network_size(*size, rule) == size


def test_smaller_quarters_the_memory_where_the_size_is_free() -> None:
    rule = smaller(AtMost(1500, 32), 1504, 992)
    assert rule is not None
    assert network_size(1504, 992, rule) == (768, 512) or network_size(1504, 992, rule) == (
        736,
        480,
    )
    assert smaller(Fixed(320, 320), 320, 320) is None
    assert smaller(AtMost(1500), 100, 80) is None


def test_fitting_keeps_what_fits_and_averages_what_shrinks() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2] = 200
    assert fit(image, 4, 4) is image
    assert fit(image, 1, 1).tolist() == [[[100, 100, 100]]]
    assert fit(image, 8, 6).shape == (6, 8, 3)
