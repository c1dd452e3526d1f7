"""The plugin in the real Krita: one start, one test for each case inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge_client import BridgeClient, MatteOptions, Pixels
from tests.editors.krita.cases import load, start_of
from tests.editors.krita.conftest import CRASHED, NOT_OURS, Ran, Runs

pytestmark = pytest.mark.timeout(1500)


@pytest.mark.parametrize("case", [name for name in load() if start_of(name) != "beside-gimp"])
def test_in_krita(krita_runs: Runs, case: str) -> None:
    ran = krita_runs.of(start_of(case))
    values = ran.of(case)
    print({name: value for name, value in values.items() if not isinstance(value, str)})
    if "sent" in values:
        matte = same_matte(ran, values)
        assert_is_this_cut_out(Path(values["mask"]).read_bytes(), values["sent"], matte)


def same_matte(ran: Ran, values: dict[str, Any]) -> bytes:
    """Return the alpha that any client gets for the layer's pixels."""
    sent = values["sent"]
    names = ("width", "height", "layout", "depth", "linear")
    pixels = Pixels(data=Path(values["layer"]).read_bytes(), **{name: sent[name] for name in names})
    hint = None
    if "hint" in values:
        hint = Pixels(Path(values["hint"]).read_bytes(), sent["width"], sent["height"], "GRAY")
    options = MatteOptions(**values.get("options", {}))
    return bytes(
        BridgeClient("test", ran.home).matte(pixels, hint=hint, options=options).alpha.data
    )


def assert_is_this_cut_out(mask: bytes, sent: dict[str, Any], expected: bytes) -> None:
    width, height = sent["width"], sent["height"]
    assert len(mask) == len(expected) == width * height
    assert mask == expected
    # A cut-out, neither everything nor nothing, and not the same in every place.
    share = sum(mask) / 255 / len(mask)
    assert 0.02 < share < 0.98
    rows = [mask[row * width : (row + 1) * width] for row in range(height)]
    assert rows != rows[::-1]
    assert rows != [row[::-1] for row in rows]


def test_no_crash_is_ours(krita_runs: Runs) -> None:
    """Where Krita crashed and was started again, none of our Python was at work."""
    for crash in krita_runs.crashes:
        assert NOT_OURS in crash.rpartition(CRASHED)[2], crash
