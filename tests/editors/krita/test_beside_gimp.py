"""The real GIMP and the real Krita at work on one service at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from bridge_client import BridgeClient, BridgeError, MatteOptions, Pixels
from tests.editors.gimp.picture import FIGURE, SIZE, picture
from tests.editors.gimp.runner import GimpRunner
from tests.editors.krita.conftest import StartKrita
from tests.editors.krita.test_in_krita import assert_is_this_cut_out, same_matte
from tests.editors.sandbox import Finished, Sandbox

pytestmark = pytest.mark.timeout(3600)


def test_both_editors_get_their_own_masks(
    start_krita: StartKrita, gimp_sandbox: Sandbox, state_folder: Path, tmp_path: Path
) -> None:
    pixels = picture(seed=77)
    (tmp_path / "picture").write_bytes(pixels.tobytes())
    done = tmp_path / "gimp-is-done"
    krita_ended = Event()
    gimp = GimpRunner(gimp_sandbox, tmp_path / "gimp", state_folder)
    client = BridgeClient("test", state_folder)

    def work_in_gimp() -> Finished:
        arguments = {
            "picture": tmp_path / "picture",
            "mask": tmp_path / "mask",
            "size": SIZE,
            "figure": FIGURE,
        }
        try:
            while not krita_is_at_work():
                assert not krita_ended.wait(0.2), "Krita ended before it was at work"
            return gimp.console("one.py", arguments, name="beside", timeout=600)
        finally:
            done.touch()

    def krita_is_at_work() -> bool:
        try:
            return any(job.client == "krita" for job in client.status().jobs)
        except BridgeError:
            return False

    with ThreadPoolExecutor(1) as pool:
        gimps = pool.submit(work_in_gimp)
        try:
            ran = start_krita("beside-gimp", ["works_while_gimp_does"], gimp_is_done=str(done))
        finally:
            krita_ended.set()
        gimps.result(timeout=600).check()
    values = ran.of("works_while_gimp_does")
    assert_is_this_cut_out(
        Path(values["mask"]).read_bytes(), values["sent"], same_matte(ran, values)
    )
    width, height = SIZE
    hint = np.zeros((height, width), np.uint8)
    x, y, across, down = FIGURE
    hint[y : y + down, x : x + across] = 255
    matte = client.matte(
        Pixels(pixels.tobytes(), width, height, "RGB"),
        hint=Pixels(hint.tobytes(), width, height, "GRAY"),
        options=MatteOptions(),
    )
    assert (tmp_path / "mask").read_bytes() == bytes(matte.alpha.data)
