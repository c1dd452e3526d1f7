from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krita.bshm_remove_background.settings import EDGE_SHIFT, FEATHER, Settings, load, save

floats = {"allow_nan": False, "allow_infinity": False}


@given(
    st.builds(
        Settings,
        output=st.sampled_from(["mask", "layer", "selection"]),
        existing=st.sampled_from(["intersect", "replace"]),
        clean_edges=st.booleans(),
        use_selection=st.booleans(),
        edge_shift=st.floats(*EDGE_SHIFT, allow_nan=False),
        feather=st.floats(*FEATHER, allow_nan=False),
        model=st.text("abcdefgh-0123", min_size=1),
    )
)
def test_what_is_saved_is_loaded(settings: Settings) -> None:
    kept: dict[tuple[str, str], str] = {}
    save(settings, lambda group, name, value: kept.update({(group, name): value}))
    assert load(lambda group, name, default: kept.get((group, name), default)) == settings


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("output", "clipboard"),
        ("existing", ""),
        ("clean_edges", "perhaps"),
        ("edge_shift", "1000"),
        ("edge_shift", "nan"),
        ("feather", "-1"),
        ("feather", "soft"),
    ],
)
def test_nonsense_in_the_file_is_ignored(name: str, text: str) -> None:
    assert load(lambda _, asked, default: text if asked == name else default) == Settings()
