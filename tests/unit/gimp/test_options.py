from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bshm_gimp.options import (
    EXISTING_MASK,
    LARGEST_FEATHER,
    LARGEST_SHIFT,
    OUTPUTS,
    Options,
    Settings,
    load_settings,
    save_settings,
)

options = st.builds(
    Options,
    model=st.text(st.characters(codec="utf-8"), max_size=20),
    output=st.sampled_from(OUTPUTS),
    existing_mask=st.sampled_from(EXISTING_MASK),
    clean_edges=st.booleans(),
    edge_shift=st.floats(-LARGEST_SHIFT, LARGEST_SHIFT),
    feather=st.floats(0, LARGEST_FEATHER),
    use_selection=st.booleans(),
)


@given(options, st.text(st.characters(codec="utf-8"), max_size=20))
def test_settings_come_back_as_they_were_saved(
    tmp_path_factory: pytest.TempPathFactory, options: Options, told: str
) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.json"
    save_settings(path, Settings(options, told))
    assert load_settings(path) == Settings(options, told)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"options": 5, "told": 7}',
        b'{"options": {"output": "a poem"}}',
        b'{"options": {"feather": 1e9}}',
        b'{"options": {"feather": "much", "clean_edges": 1}}',
    ],
)
def test_odd_settings_are_defaults(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    assert load_settings(path) == Settings()


def test_missing_settings_are_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.json") == Settings()


def test_settings_that_cannot_be_saved_are_given_up_quietly(tmp_path: Path) -> None:
    save_settings(tmp_path / "no-such-folder" / "settings.json", Settings())


@pytest.mark.parametrize(("layer", "matte"), [("u8", "u8"), ("u16", "u16"), ("f32", "u16")])
def test_deep_layers_get_deep_mattes(layer: str, matte: str) -> None:
    assert Options().for_service(layer).depth == matte  # type: ignore[arg-type]


def test_colours_are_asked_for_only_where_they_are_used() -> None:
    asked = {
        (output, clean): Options(output=output, clean_edges=clean).for_service("u8").foreground
        for output in OUTPUTS
        for clean in (True, False)
    }
    assert [choice for choice, foreground in asked.items() if foreground] == [("layer", True)]
