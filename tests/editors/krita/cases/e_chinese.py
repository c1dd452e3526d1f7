"""Another start of Krita: in Chinese, with its bright theme."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.editors.krita.cases import case_in


@case_in("chinese")
def docker_in_chinese_with_the_bright_theme(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    stage.mark(document, document.topLevelNodes()[-1])
    assert stage.widget("bshm_remove").text() == "移除背景"
    palette = stage.window.qwindow().palette()
    assert palette.color(palette.Window).lightness() > 128
    stage.client().status(start=True)
    line = stage.widget("bshm_service_line")
    yield lambda: line.text() in RESTING
    stage.keep_window("chinese-idle")
    with stage.frozen():
        yield from stage.press("bshm_remove")
        yield stage.at()
        assert stage.widget("bshm_progress").value() > 20
        assert stage.widget("bshm_message").text() == "正在寻找主体…"
        yield 0.3
        stage.keep_window("chinese-running")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    yield lambda: line.text() in RESTING
    yield 0.5
    stage.keep_window("chinese-done")


RESTING = ("服务：就绪", "服务：运行中，未加载模型")


@case_in("chinese")
def error_in_chinese(stage: Any) -> Iterator[Any]:
    document = stage.document(400, 300, "RGBA", "U8")
    yield stage.active(document)
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "failed"
    sentence = stage.widget("bshm_message").text()
    assert sentence.endswith("。"), sentence
    yield 0.4
    stage.keep_window("chinese-error")


@case_in("chinese")
def settings_are_loaded_at_start(stage: Any) -> Iterator[Any]:
    yield 0.1
    loaded = stage.loaded_settings
    assert loaded.existing == "replace"
    assert loaded.feather == 1.5
    assert loaded.edge_shift == 0.0
