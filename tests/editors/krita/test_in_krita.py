"""The plugin in the real Krita: one start, one test for each case inside."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bridge_client import BridgeClient, MatteOptions, Pixels
from tests.editors.krita.cases import load, start_of
from tests.editors.krita.conftest import CRASHED, Ran, Runs

pytestmark = pytest.mark.timeout(3600)

# faulthandler's own words, up to the next thread.
CRASHING_THREAD = re.compile(r"Current thread [^\n]*\n((?:  [^\n]*\n?)+)")


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
    beside = {
        name: Pixels(Path(values[name]).read_bytes(), sent["width"], sent["height"], "GRAY")
        for name in ("hint", "trimap")
        if name in values
    }
    options = MatteOptions(**values.get("options", {}))
    client = BridgeClient("test", ran.home)
    return bytes(client.matte(pixels, options=options, **beside).alpha.data)


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
    """Where Krita crashed and was started again, the plugin's Python was not at work."""
    for crash in krita_runs.crashes:
        thread = CRASHING_THREAD.search(crash.rpartition(CRASHED)[2])
        assert thread is not None, crash
        assert "bshm_remove_background" not in thread[1], crash
