"""The benchmarks' service works, so that a change of the engines' contract breaks a test first."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.bench import service

from .conftest import alpha_of, figure, rgb

BENCHES = sorted(
    path.stem for path in Path(service.__file__).parent.glob("*.py") if path.stem != "bare_graph"
)


def test_the_benchmarks_engine_answers() -> None:
    picture, _ = figure()
    with service.running() as (home, _):
        matte = service.client(home).matte(rgb(picture))
    alpha = alpha_of(matte.alpha)
    # Red is the subject.
    assert alpha[48, 34] > 200
    assert alpha[5, 90] < 60


@pytest.mark.parametrize("name", BENCHES)
def test_every_benchmark_can_be_loaded(name: str) -> None:
    importlib.import_module(f"tests.bench.{name}")
