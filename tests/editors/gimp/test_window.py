"""What a person does with the mouse, in a real GIMP window."""

from __future__ import annotations

import getpass
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from bridge_client.connection import read_connection
from bshm_gimp.options import OUTPUTS
from tests.editors.gimp import driving
from tests.editors.gimp.driving import gimps_jobs, masked
from tests.editors.gimp.runner import GimpRunner, GimpWindow, complaints
from tests.editors.service import TestService, wait_for


@pytest.fixture
def shown(window: GimpWindow, gimp: GimpRunner, tmp_path: Path) -> Iterator[GimpWindow]:
    with driving.shown(window, gimp, tmp_path):
        yield window


@pytest.fixture
def large(window: GimpWindow, gimp: GimpRunner, tmp_path: Path) -> Iterator[GimpWindow]:
    """GIMP with an image that takes the service some seconds."""
    with driving.shown(window, gimp, tmp_path, 8):
        yield window


def undo(window: GimpWindow) -> None:
    window.do("step('Undo')")


def close_problem(window: GimpWindow, gimp: GimpRunner, text: str) -> None:
    """Wait for the dialog that says `text`, close it, and wait for the end of the plug-in."""
    window.do(f"find('label', {text!r})")
    window.do("press(find('button', 'Close', find('alert', '')))")
    wait_for(lambda: not gimp.at_work())


def test_one_click_makes_a_mask_and_one_undo_removes_it(
    shown: GimpWindow, gimp: GimpRunner
) -> None:
    shown.do("menu('Layer', 'Remove Background')")
    shown.do("find('label', 'classic · CPU: BSHM is not installed', find('dialog', ''))")
    wait_for(lambda: not gimp.at_work())
    mask = shown.do("return [sum(pixels(layer.get_mask())), *layer.get_mask().get_offsets()[1:]]")
    assert mask[1:] == [7, -5]
    assert mask[0] > 0
    undo(shown)
    wait_for(lambda: not masked(shown))
    assert not shown.do("return image.is_dirty()")
    shown.do("step('Redo')")
    wait_for(lambda: masked(shown))


@pytest.mark.parametrize("output", OUTPUTS)
def test_one_undo_takes_back_what_was_done_to_several_layers(
    shown: GimpWindow, output: str
) -> None:
    before, after = shown.do(f"""
        global second
        image.undo_disable()
        second = layer.copy()
        second.set_name('second')
        image.insert_layer(second, None, 0)
        second.set_offsets(3, 4)
        second.add_mask(second.create_mask(Gimp.AddMaskType.ALPHA))
        image.set_selected_layers([layer, second])
        image.undo_enable()
        image.clean_all()
        before = everything(image)
        procedure = Gimp.get_pdb().lookup_procedure('plug-in-bshm-remove-background')
        config = procedure.create_config()
        config.set_property('image', image)
        config.set_core_object_array('drawables', [layer, second])
        config.set_property('run-mode', Gimp.RunMode.NONINTERACTIVE)
        config.set_property('output', {output!r})
        answer = procedure.run(config)
        assert answer.index(0) == Gimp.PDBStatusType.SUCCESS, Gimp.get_pdb().get_last_error()
        return before, everything(image)
    """)
    assert before != after
    undo(shown)
    wait_for(lambda: not shown.do("return image.is_dirty()"))
    assert shown.do("return everything(image)") == before
    shown.do("step('Redo')")
    wait_for(lambda: shown.do("return image.is_dirty()"))
    layers, _active, selection = shown.do("return everything(image)")  # GIMP chooses the active one
    assert [layers, selection] == [after[0], after[2]]


def test_killed_service_is_told_in_a_sentence_and_the_next_click_works(
    large: GimpWindow, gimp: GimpRunner, service: TestService
) -> None:
    service.start()
    before = large.do("return digest(layer)")
    large.do("menu('Layer', 'Remove Background')")
    wait_for(lambda: gimps_jobs(service), every=0.01)
    service.kill()
    close_problem(large, gimp, "The bshm service stopped while it was working")
    assert driving.unchanged(large, before)
    large.do("menu('Layer', 'Remove Background')")
    wait_for(lambda: masked(large))


def test_layer_that_is_removed_meanwhile_is_told_in_a_sentence(
    large: GimpWindow, gimp: GimpRunner, service: TestService
) -> None:
    service.start()
    large.do("menu('Layer', 'Remove Background')")
    wait_for(lambda: gimps_jobs(service), every=0.01)
    large.do("image.remove_layer(layer)")
    close_problem(large, gimp, "The layer was removed or resized meanwhile")
    undo(large)
    wait_for(
        lambda: large.do("return [l.get_id() for l in image.get_layers()] == [layer.get_id()]")
    )
    assert not masked(large)
    assert not large.do("return image.is_dirty()")


def test_layer_that_is_removed_before_its_turn_is_told_in_a_sentence(
    large: GimpWindow, gimp: GimpRunner, service: TestService
) -> None:
    service.start()
    large.do("""
        global second
        second = layer.copy()
        image.insert_layer(second, None, 0)
        image.set_selected_layers([layer, second])
        menu('Layer', 'Remove Background')
    """)
    wait_for(lambda: gimps_jobs(service), every=0.01)
    large.do("image.remove_layer(second)")
    close_problem(large, gimp, "The layer was removed or resized meanwhile")
    assert not masked(large)


@pytest.mark.parametrize(
    ("prepare", "text"),
    [
        (
            "Gimp.edit_copy([layer]); Gimp.edit_paste(layer, True)",
            "There is a floating selection",
        ),
        (
            "channel = Gimp.Channel.new(image, '', 9, 9, 50.0, Gegl.Color.new('red'));"
            "image.insert_channel(channel, None, 0); image.set_selected_channels([channel])",
            "A channel is selected",
        ),
        ("layer.set_name('trimap')", "The layer “trimap” only says where the subject is"),
    ],
)
def test_entries_are_live_where_they_cannot_work_and_say_why(
    shown: GimpWindow, gimp: GimpRunner, prepare: str, text: str
) -> None:
    shown.do(prepare)
    for entry in ("Remove Background", "Remove Background…"):
        shown.do(f"menu('Layer', {entry!r})")
        close_problem(shown, gimp, text)


def test_diagnostics_can_be_copied(
    shown: GimpWindow, gimp: GimpRunner, service: TestService
) -> None:
    service.start()
    shown.do("Gimp.Selection.none(image)")  # and there is no face
    shown.do("menu('Layer', 'Remove Background')")
    shown.do("find('label', 'select roughly around')")
    shown.do("press(find('button', 'Copy Diagnostics'))")
    shown.do("until(lambda: 'Service log:' in clipboard(), 60)")
    text = shown.do("return clipboard()")
    shown.do("press(find('button', 'Close', find('alert', '')))")
    for wanted in ("Editor: GIMP 3.", "Plugin: ", "Python: 3.", "Model classic: classic CPU"):
        assert wanted in text
    assert re.search(r"Error: \w+ no-person-found: No person was found", text)
    connection = read_connection(service.home)
    assert connection is not None
    for secret in (connection.token, str(gimp.folder), str(service.home), str(Path.home())):
        assert secret not in text
    assert not re.search(rf"\b{re.escape(getpass.getuser())}\b", text)


def test_dialog_is_changed_accepted_and_remembered(
    shown: GimpWindow, gimp: GimpRunner, service: TestService, tmp_path: Path
) -> None:
    service.start()
    picture = tmp_path / "dialog.png"
    shown.do(f"""
        menu('Layer', 'Remove Background…')
        dialog = find('dialog', 'Remove Background')
        find('label', 'classic · CPU', dialog)
        clean = find('check box', 'Clean edge colours', dialog)
        assert not sensitive(clean)
        press(find('menu item', 'New cut-out layer', dialog))
        until(lambda: sensitive(clean))
        spins = [node for node in nodes(dialog) if described(node)[0] == 'spin button']
        spins[1].get_value_iface().set_current_value(2.0)
        window_screenshot('Remove Background', {str(picture)!r})
        press(find('button', 'Remove Background', dialog))
    """)
    with Image.open(picture) as screenshot:
        assert screenshot.width > 300 and screenshot.height > 300
    names = "return [layer.get_name() for layer in image.get_layers()]"
    wait_for(lambda: shown.do(names) == ["portrait cut-out", "portrait"])
    wait_for(lambda: not gimp.at_work())
    assert not shown.do("return layer.get_visible()")
    alpha = shown.do("return list(pixels(image.get_layers()[0], 'A u8')[:320])")
    assert set(alpha) == {0}
    undo(shown)
    wait_for(lambda: shown.do(names) == ["portrait"])
    assert shown.do("return layer.get_visible() and not image.is_dirty()")
    # One click now does the same.
    shown.do("menu('Layer', 'Remove Background')")
    wait_for(lambda: shown.do(names) == ["portrait cut-out", "portrait"])
    saved = json.loads(gimp.settings.read_text())
    assert (saved["options"]["output"], saved["options"]["feather"]) == ("layer", 2.0)


def test_dialog_tells_of_a_trimap_and_of_another_version(
    shown: GimpWindow, gimp: GimpRunner, service: TestService
) -> None:
    service.start()
    version = gimp.plugin / "VERSION"
    ours = version.read_text()
    shown.do("""
        trimap = layer.copy()
        trimap.set_name('Trimap')
        image.insert_layer(trimap, None, 0)
        image.set_selected_layers([layer])
    """)
    try:
        version.write_text("0.0.1\n")
        shown.do("""
            menu('Layer', 'Remove Background…')
            dialog = find('dialog', 'Remove Background')
            find('label', 'The layer “trimap” says where the subject is.', dialog)
            find('label', 'this plug-in 0.0.1: run `bshm plugins install`', dialog)
            press(find('button', 'Cancel', dialog))
        """)
        wait_for(lambda: not gimp.at_work())
        assert not masked(shown)
        shown.do("menu('Layer', 'Remove Background')")
        shown.do("find('label', 'this plug-in 0.0.1', find('dialog', 'GIMP Message'))")
    finally:
        version.write_text(ours)


def test_chinese_dialog_works_the_same(
    gimp: GimpRunner, service: TestService, tmp_path: Path
) -> None:
    service.start()
    picture = tmp_path / "dialog.png"
    with gimp.window(language="zh_CN") as chinese, driving.shown(chinese, gimp, tmp_path):
        chinese.do(f"""
            menu('图层', '移除背景…')
            dialog = find('dialog', '移除背景')
            find('label', 'classic · CPU: 未安装 BSHM', dialog)
            find('check box', '用选区指示主体的位置', dialog)
            press(find('menu item', '新建抠图图层', dialog))
            clean = find('check box', '净化边缘颜色', dialog)
            until(lambda: sensitive(clean))
            window_screenshot('移除背景', {str(picture)!r})
            press(find('button', '移除背景', dialog))
        """)
        names = "return [layer.get_name() for layer in image.get_layers()]"
        wait_for(lambda: chinese.do(names) == ["portrait 抠图", "portrait"])
        wait_for(lambda: not gimp.at_work())
        assert complaints(chinese.log) == []
    with Image.open(picture) as screenshot:
        assert screenshot.width > 300 and screenshot.height > 300


def test_gimp_and_plug_in_complain_of_nothing(window: GimpWindow) -> None:
    assert complaints(window.log) == []
