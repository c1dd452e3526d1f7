"""What a person does with the mouse, in a real GIMP window."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bridge_client import Cancellation, Cancelled, Pixels
from tests.editors.gimp.picture import FIGURE, SIZE, picture
from tests.editors.gimp.runner import GimpRunner, GimpWindow
from tests.editors.service import TestService, wait_for


@pytest.fixture(scope="module")
def window(gimp: GimpRunner) -> Iterator[GimpWindow]:
    with gimp.window() as window:
        yield window


_seeds = itertools.count(100)


def show(window: GimpWindow, folder: Path, scale: int) -> None:
    """Show a new image whose figure is selected; `image`, `layer` and `display` name it."""
    file = folder / "picture"
    file.write_bytes(picture(scale, next(_seeds)).tobytes())
    width, height = (scale * side for side in SIZE)
    x, y, *size = (scale * value for value in FIGURE)
    window.do(f"""
        global image, layer, display
        image, layer, display = open_picture({str(file)!r}, {width}, {height}, offset=(7, -5))
        image.undo_disable()
        image.select_rectangle(Gimp.ChannelOps.REPLACE, {x + 7}, {y - 5}, *{size})
        image.undo_enable()
        image.clean_all()
    """)


@pytest.fixture
def shown(window: GimpWindow, tmp_path: Path) -> Iterator[GimpWindow]:
    show(window, tmp_path, 1)
    yield window
    window.do("""
        for node in list(nodes()):
            if described(node) == ('dialog', 'GIMP Message'):
                press(find('button', 'OK', node))
        display.delete()
    """)


@pytest.fixture
def large(window: GimpWindow, tmp_path: Path) -> Iterator[GimpWindow]:
    """GIMP with an image that takes the service some seconds."""
    show(window, tmp_path, 5)
    yield window
    window.do("display.delete()")


def masked(window: GimpWindow) -> bool:
    return bool(window.do("return layer.get_mask() is not None"))


def test_one_click_makes_a_mask_and_one_undo_removes_it(shown: GimpWindow) -> None:
    shown.do("menu('Layer', 'Remove Background')")
    wait_for(lambda: masked(shown))
    mask = shown.do("return [sum(pixels(layer.get_mask())), *layer.get_mask().get_offsets()[1:]]")
    assert mask[1:] == [7, -5]
    assert mask[0] > 0
    wait_for(lambda: not busy(shown))
    shown.do("step('Undo')")
    wait_for(lambda: not masked(shown))
    assert not shown.do("return image.is_dirty()")
    shown.do("step('Redo')")
    wait_for(lambda: masked(shown))


def test_killed_service_is_told_in_a_sentence_and_the_next_click_works(
    large: GimpWindow, service: TestService
) -> None:
    service.start()
    before = large.do("return digest(layer)")
    large.do("menu('Layer', 'Remove Background')")
    wait_for(lambda: service.client.status().jobs)
    service.kill()
    large.do("find('label', 'The bshm service stopped while it was working')")
    large.do("press(find('button', 'Close', find('alert', '')))")
    assert not masked(large)
    assert large.do("return digest(layer)") == before
    assert not large.do("return image.is_dirty()")
    large.do("menu('Layer', 'Remove Background')")
    wait_for(lambda: masked(large))


def unchanged(window: GimpWindow, before: str) -> bool:
    return bool(
        window.do("return layer.get_mask() is None and not image.is_dirty()")
        and window.do("return digest(layer)") == before
    )


def busy(window: GimpWindow) -> bool:
    """Whether GIMP's status bar offers to cancel something."""
    return bool(window.do("return showing(find('button', 'Cancel'))"))


def gimps_jobs(service: TestService) -> list[str]:
    """Return the stages of GIMP's jobs."""
    return [job.stage for job in service.client.status().jobs if job.client == "gimp"]


def test_cancel_while_running_reaches_the_service(large: GimpWindow, service: TestService) -> None:
    status = service.start()
    before = large.do("return digest(layer)")
    large.do("menu('Layer', 'Remove Background')")
    wait_for(lambda: gimps_jobs(service))
    os.kill(status.pid, signal.SIGSTOP)  # else the job might end before the click
    try:
        large.do("press(find('button', 'Cancel'))")
    finally:
        os.kill(status.pid, signal.SIGCONT)
    clicked = time.monotonic()
    wait_for(lambda: not gimps_jobs(service), seconds=5)
    print(f"the running job was gone {time.monotonic() - clicked:.2f} s after the click")
    assert service.client.status().cancelled == status.cancelled + 1
    assert unchanged(large, before)


def test_cancel_in_the_queue_reaches_the_service(shown: GimpWindow, service: TestService) -> None:
    status = service.start()
    before = shown.do("return digest(layer)")
    taken_back = Cancellation()

    def occupy(seed: int) -> None:
        x, y, width, height = (5 * value for value in FIGURE)
        hint = np.zeros((5 * SIZE[1], 5 * SIZE[0]), np.uint8)
        hint[y : y + height, x : x + width] = 255
        pixels = Pixels(picture(5, seed).tobytes(), 5 * SIZE[0], 5 * SIZE[1], "RGB")
        hints = Pixels(hint.tobytes(), 5 * SIZE[0], 5 * SIZE[1], "GRAY")
        with contextlib.suppress(Cancelled):
            service.client.matte(pixels, hint=hints, cancel=taken_back)

    others = [threading.Thread(target=occupy, args=(seed,)) for seed in range(4)]
    for other in others:
        other.start()
    wait_for(lambda: len(service.client.status().jobs) > 1)
    shown.do("menu('Layer', 'Remove Background')")
    wait_for(lambda: gimps_jobs(service) == ["queued"])
    shown.do("press(find('button', 'Cancel'))")
    clicked = time.monotonic()
    wait_for(lambda: not gimps_jobs(service), seconds=5)
    print(f"the queued job was gone {time.monotonic() - clicked:.2f} s after the click")
    assert service.client.status().cancelled == status.cancelled + 1
    taken_back.cancel()
    for other in others:
        other.join()
    wait_for(lambda: not service.client.status().jobs)
    assert unchanged(shown, before)


def test_cancel_while_the_service_starts(shown: GimpWindow, service: TestService) -> None:
    service.kill()
    service.prepare(delay=5)
    before = shown.do("return digest(layer)")
    shown.do("menu('Layer', 'Remove Background')")
    wait_for(lambda: busy(shown))
    assert service.pid() == 0
    shown.do("press(find('button', 'Cancel'))")
    clicked = time.monotonic()
    wait_for(lambda: not busy(shown), seconds=5)
    print(f"GIMP was free {time.monotonic() - clicked:.2f} s after the click")
    assert service.pid() == 0
    service.prepare()
    wait_for(lambda: service.pid() != 0)
    assert service.client.status().jobs == ()
    assert unchanged(shown, before)


def test_layer_that_is_removed_meanwhile_is_told_in_a_sentence(
    large: GimpWindow, service: TestService
) -> None:
    service.start()
    large.do("menu('Layer', 'Remove Background')")
    wait_for(lambda: gimps_jobs(service))
    large.do("image.remove_layer(layer)")
    large.do("find('label', 'The layer was removed or resized meanwhile')")
    large.do("press(find('button', 'Close', find('alert', '')))")
    large.do("step('Undo')")
    wait_for(
        lambda: large.do("return [l.get_id() for l in image.get_layers()] == [layer.get_id()]")
    )
    assert not masked(large)
    assert not large.do("return image.is_dirty()")


def test_diagnostics_can_be_copied(shown: GimpWindow, service: TestService) -> None:
    shown.do("Gimp.Selection.none(image)")  # and there is no face
    shown.do("menu('Layer', 'Remove Background')")
    shown.do("find('label', 'select roughly around')")
    shown.do("press(find('button', 'Copy Diagnostics'))")
    text = shown.do("return clipboard()")
    shown.do("press(find('button', 'Close', find('alert', '')))")
    assert "GIMP 3." in text
    assert "Service log:" in text
    assert str(Path.home()) not in text


def test_dialog_is_changed_accepted_and_remembered(
    shown: GimpWindow, gimp: GimpRunner, service: TestService, tmp_path: Path
) -> None:
    service.start()
    shown.do(f"""
        menu('Layer', 'Remove Background…')
        dialog = find('dialog', 'Remove Background')
        find('label', 'classic', dialog)
        clean = find('check box', 'Clean edge colours', dialog)
        assert not clean.get_state_set().contains(Atspi.StateType.SENSITIVE)
        press(find('menu item', 'New cut-out layer', dialog))
        assert clean.get_state_set().contains(Atspi.StateType.SENSITIVE)
        spins = [node for node in nodes(dialog) if described(node)[0] == 'spin button']
        spins[1].get_value_iface().set_current_value(2.0)
        window_screenshot('Remove Background', {str(tmp_path / "dialog.png")!r})
        press(find('button', 'Remove Background', dialog))
    """)
    names = "return [layer.get_name() for layer in image.get_layers()]"
    wait_for(lambda: shown.do(names) == ["portrait cut-out", "portrait"])
    wait_for(lambda: not shown.do("return layer.get_visible()"))
    wait_for(lambda: not busy(shown))
    alpha = shown.do("return list(pixels(image.get_layers()[0], 'A u8')[:320])")
    assert set(alpha) == {0}
    shown.do("step('Undo')")
    wait_for(lambda: shown.do(names) == ["portrait"])
    assert shown.do("return layer.get_visible() and not image.is_dirty()")
    # One click now does the same.
    shown.do("menu('Layer', 'Remove Background')")
    wait_for(lambda: shown.do(names) == ["portrait cut-out", "portrait"])
    saved = json.loads(
        shown.do("return open(Gimp.directory() + '/bshm-remove-background.json').read()")
    )
    assert (saved["options"]["output"], saved["options"]["feather"]) == ("layer", 2.0)


def test_chinese_dialog_works_the_same(
    gimp: GimpRunner, service: TestService, tmp_path: Path
) -> None:
    service.start()
    with gimp.window(language="zh_CN") as chinese:
        show(chinese, tmp_path, 1)
        chinese.do("""
            menu('图层', '移除背景…')
            dialog = find('dialog', '移除背景')
            find('check box', '用选区指示主体的位置', dialog)
            press(find('menu item', '图层蒙版', dialog))
            press(find('button', '移除背景', dialog))
        """)
        wait_for(lambda: masked(chinese))


def test_gimp_says_nothing_about_the_plug_in_on_stderr(window: GimpWindow) -> None:
    # GTK says this of every program, GIMP included, whose windows are driven from outside.
    gtk = "gdk_window_get_window_type"
    lines = [line for line in window.log.splitlines() if gtk not in line]
    ours = [line for line in lines if "bshm" in line or "Traceback" in line]
    assert ours == []
