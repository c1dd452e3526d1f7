"""The fake of Krita's API, the zip, other plugins."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.editors.krita.cases import case, case_in
from tests.editors.krita.cases.stage import as_sent


@case
def fake_has_the_methods_and_arguments_of_the_real_api(stage: Any) -> Iterator[Any]:
    from tests.unit.krita.fake_krita import CHECKED

    yield 0
    wrong = []
    for fake in CHECKED:
        real = getattr(stage.krita, fake.__name__)
        for name, method in inspect.getmembers(fake, inspect.isfunction):
            if name.startswith("_"):
                continue
            if not hasattr(real, name):
                wrong.append(f"{fake.__name__}.{name} is not in the real API")
                continue
            taken = len(inspect.signature(method).parameters) - 1
            if taken not in _counts(getattr(real, name).__doc__):
                wrong.append(f"{fake.__name__}.{name}: {getattr(real, name).__doc__}")
    assert not wrong, wrong
    stage.values["checked"] = len(CHECKED)


def _counts(signatures: str) -> set[int]:
    """Return how many arguments the signatures in a docstring of Krita's take."""
    counts = set()
    for line in signatures.splitlines():
        found = re.match(r"\w+\((.*)\)", line)
        assert found is not None, line
        inner = re.sub(r"\[[^\]]*\]", "", found[1])
        names = [part for part in inner.split(",") if part.strip() not in ("", "self")]
        optional = sum("=" in name for name in names)
        counts |= set(range(len(names) - optional, len(names) + 1))
    return counts


@case_in("import")
def zip_is_imported_by_kritas_own_importer(stage: Any) -> Iterator[Any]:
    """What Tools › Scripts › Import Python Plugin from File does, but for its dialogs."""
    from plugin_importer.plugin_importer import PluginImporter  # type: ignore[import-not-found]

    yield 0
    assert stage.application.action("bshm_remove_background") is None
    resources = stage.application.getAppDataLocation()
    imported = PluginImporter(stage.plan["zip"], resources, lambda plugin: False).import_all()
    assert [plugin["name"] for plugin in imported] == ["bshm_remove_background"]
    assert imported[0]["action"] is not None
    for plugin in imported:
        stage.application.writeSetting("python", f"enable_{plugin['name']}", "true")
    # Settings are written when Krita ends; the driver ends it at once.
    stage.values["enabled"] = stage.application.readSetting(
        "python", "enable_bshm_remove_background", ""
    )
    assert stage.values["enabled"] == "true"


@case_in("restart")
def docker_is_there_after_the_import(stage: Any) -> Iterator[Any]:
    document = stage.photograph()
    yield stage.active(document)
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    mask = document.topLevelNodes()[-1].childNodes()[-1]
    assert mask.type() == "transparencymask"
    for name in ("", "_selected", "_cancel"):
        assert stage.application.action(f"bshm_remove_background{name}") is not None


def _other(stage: Any) -> Any:
    import other_protobuf  # type: ignore[import-not-found]

    return other_protobuf


@case_in("other-first")
def other_plugin_with_its_own_protobuf_loaded_first(stage: Any) -> Iterator[Any]:
    """It has imported its protobuf at Krita's start; ours makes do with that one."""
    import google.protobuf

    other = _other(stage)
    assert google.protobuf.__version__ == other.OWN_VERSION
    document = stage.photograph()
    yield stage.active(document)
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    assert google.protobuf.__version__ == other.OWN_VERSION
    assert other.VENDORED in google.protobuf.__file__
    assert other.round_trip() == "still here"
    import sys

    stage.values["path_end"] = sys.path[-1]
    assert sys.path.index(other.VENDORED) < _ours()


@case_in("other-last")
def other_plugin_with_its_own_protobuf_loaded_last(stage: Any) -> Iterator[Any]:
    """Ours has worked before the other imports anything of protobuf."""

    document = stage.photograph()
    yield stage.active(document)
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    other = _other(stage)
    other.load()
    assert other.round_trip() == "still here"
    stage.mark(document, document.topLevelNodes()[-1])
    stage.click("bshm_remove")
    yield stage.idle
    assert stage.controller.state.phase == "done", stage.controller.state
    assert other.round_trip() == "still here"


def _ours() -> int:
    import sys

    found = [place for place, entry in enumerate(sys.path) if "bshm_remove_background" in entry]
    assert len(found) == 1
    return found[0]


@case_in("beside-gimp")
def works_while_gimp_does(stage: Any) -> Iterator[Any]:
    """One matte after the other, until the outside says that GIMP is done."""
    document = stage.photograph(size="first")
    yield stage.active(document)
    layer = document.topLevelNodes()[-1]
    rectangle = (0, 0, document.width(), document.height())
    rounds = 0
    while rounds == 0 or not Path(stage.plan["gimp_is_done"]).exists():
        stage.mark(document, layer)
        stage.click("bshm_remove")
        yield stage.idle
        assert stage.controller.state.phase == "done", stage.controller.state
        rounds += 1
        assert len(layer.childNodes()) == rounds
    stage.values["rounds"] = rounds
    stage.keep_sent(as_sent(layer, rectangle))
    stage.keep("mask", layer.childNodes()[-1].pixelData(*rectangle))
