"""The docker, by real mouse events, and what it looks like."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from tests.editors.krita.cases import case
from tests.editors.krita.cases.stage import as_sent


@case
def docker_by_real_mouse(stage: Any) -> Iterator[Any]:
    """Press, watch, cancel; press again, get a mask; every state is photographed."""
    document = stage.photograph(size="second")
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    stage.mark(document, layer)
    stage.client().status(start=True)
    line = stage.widget("bshm_service_line")
    yield lambda: line.text() in RESTING
    stage.keep_window("idle")
    with stage.frozen():
        yield from stage.press("bshm_remove")
        yield stage.at()
        assert not stage.widget("bshm_remove").isEnabled()
        assert stage.widget("bshm_progress").value() > 20
        assert stage.widget("bshm_cancel").isVisible()
        yield 0.3
        stage.keep_window("running")
        yield from stage.press("bshm_cancel")
        yield stage.idle
    assert stage.controller.state.phase == "cancelled", stage.controller.state
    assert layer.childNodes() == []
    yield from stage.press("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    assert [child.type() for child in layer.childNodes()] == ["transparencymask"]
    assert not stage.widget("bshm_cancel").isVisible()
    assert stage.widget("bshm_pictures").isVisible()
    yield lambda: line.text() in RESTING
    yield 0.5
    stage.keep_window("done")


RESTING = ("Service: ready", "Service: on, no model loaded")


@case
def docker_shows_an_error_as_one_sentence(stage: Any) -> Iterator[Any]:
    document = stage.document(400, 300, "RGBA", "U8")
    yield stage.active(document)
    yield from stage.press("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "failed", stage.controller.state
    sentence = stage.widget("bshm_message").text()
    assert sentence.count("\n") == 0
    assert 20 < len(sentence) < 200
    assert "/" not in sentence
    assert document.topLevelNodes()[-1].childNodes() == []
    assert not stage.widget("bshm_pictures").isVisible()
    yield 0.4
    stage.keep_window("error")


@case
def docker_fits_a_narrow_column(stage: Any) -> Iterator[Any]:
    panel = stage.widget("bshm_panel")
    yield 0.1
    stage.values["narrowest"] = panel.minimumSizeHint().width()
    assert panel.minimumSizeHint().width() <= 240


@case
def settings_are_kept_and_shown(stage: Any) -> Iterator[Any]:
    stage.settings(output="layer", feather=2.5, edge_shift=-1.0, clean_edges=False)
    yield 0.1
    assert stage.widget("bshm_output").currentData() == "layer"
    assert stage.widget("bshm_feather").value() == 2.5
    assert stage.widget("bshm_edge_shift_slider").value() == -10
    assert not stage.widget("bshm_clean_edges").isChecked()
    read = stage.application.readSetting
    assert read("bshm_remove_background", "output", "") == "layer"
    assert read("bshm_remove_background", "feather", "") == "2.5"
    assert read("bshm_remove_background", "clean_edges", "") == "false"


@case
def diagnostics_are_copied_without_paths(stage: Any) -> Iterator[Any]:
    from PyQt5.QtWidgets import QApplication

    yield 0.1
    stage.click("bshm_diagnostics")
    yield 0.2
    text = QApplication.clipboard().text()
    assert "Krita 5." in text
    assert "protobuf " in text
    assert "/tmp/" not in text, text
    stage.values["diagnostics"] = text


@case
def release_frees_the_model(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    stage.mark(document, document.topLevelNodes()[-1])
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    client = stage.client()
    loaded: list[str] = []

    def ready() -> bool:
        loaded[:] = [model.name for model in client.status().models if model.state == "ready"]
        return bool(loaded)

    yield ready
    yield lambda: stage.widget("bshm_release").isEnabled()
    stage.click("bshm_release")
    yield lambda: loaded[0] in stage.widget("bshm_message").text()
    yield lambda: all(model.state != "ready" for model in client.status().models)


@case
def actions_are_in_the_menu_and_take_shortcuts(stage: Any) -> Iterator[Any]:
    from PyQt5.QtGui import QKeySequence

    yield 0.1
    names = ["", "_selected", "_cancel"]
    menu = stage.menu_texts("Scripts")
    for name in names:
        action = stage.application.action(f"bshm_remove_background{name}")
        assert action.text().replace("&", "") in menu, menu
        action.setShortcut(QKeySequence("Ctrl+Alt+Shift+K"))
        assert action.shortcut().toString() == "Ctrl+Alt+Shift+K"
        action.setShortcut(QKeySequence())


@case
def edges_follow_the_slider_live_at_12_megapixels(stage: Any) -> Iterator[Any]:
    """From the change of the slider to the mask, with the service's cached alpha."""
    document = stage.photograph(size="third")
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    rectangle = (0, 0, document.width(), document.height())
    stage.mark(document, layer)
    stage.client().status(start=True)
    begin = time.perf_counter()
    stage.click("bshm_remove")
    yield stage.idle
    whole = time.perf_counter() - begin
    assert stage.controller.state.phase == "done", stage.controller.state
    yield 1.0
    undo = stage.undo_text()
    mask = layer.childNodes()[-1]
    first = bytes(mask.pixelData(*rectangle))
    live = stage.widget("bshm_panel").live
    slider = stage.widget("bshm_edge_shift_slider")
    slider.setSliderDown(True)
    seconds = []
    for step in range(1, 12):
        before = live.updates
        begin = time.perf_counter()
        slider.setValue(-5 * step)
        yield lambda before=before: live.updates > before
        seconds.append(time.perf_counter() - begin)
    dragged = bytes(mask.pixelData(*rectangle))
    assert sum(dragged[::97]) < sum(first[::97])
    slider.setSliderDown(False)
    slider.sliderReleased.emit()
    yield lambda: live.settled
    assert stage.controller.settings.edge_shift == -5.5
    stage.values["options"] = {"edge_shift": -5.5}
    stage.keep_sent(as_sent(layer, rectangle))
    stage.keep("mask", mask.pixelData(*rectangle))
    ordered = sorted(seconds)
    stage.values["live_ms"] = [round(1000 * value) for value in ordered]
    stage.values["live_median_ms"] = round(1000 * ordered[len(ordered) // 2])
    stage.values["whole_job_ms"] = round(1000 * whole)
    # A ratio: how fast this machine is just now cancels out. The model is not run again.
    assert 4 * ordered[len(ordered) // 2] < whole, stage.values
    stage.values["parts_ms"] = {name: round(1000 * value) for name, value in live.parts.items()}
    assert stage.undo_text() == undo
    yield from stage.undone(document, lambda: layer.childNodes() == [])
    slider.setValue(0)
    yield lambda: "removed" in stage.widget("bshm_message").text()


@case
def mask_painted_by_hand_is_not_overwritten(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    stage.click("bshm_remove")
    yield stage.idle
    mask = layer.childNodes()[-1]
    mask.setPixelData(b"\x37" * 100, 0, 0, 10, 10)
    painted = bytes(mask.pixelData(0, 0, 240, 240))
    stage.widget("bshm_feather").setValue(3.0)
    yield lambda: "by hand" in stage.widget("bshm_message").text()
    assert bytes(mask.pixelData(0, 0, 240, 240)) == painted
