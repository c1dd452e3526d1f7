from __future__ import annotations

import re
from pathlib import Path

import pytest

from bshm_bridge.models.manifest import parse

DOCUMENT = Path(__file__).parents[3] / "docs" / "models.md"


def test_the_documented_example_is_right() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert parse(example).name == "mine"


@pytest.mark.parametrize("rule", ["at-most", "fixed", "short-side"])
def test_the_documented_size_rules_are_right(rule: str) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    (size,) = re.findall(rf'- `(\{{ rule = "{rule}".*?\}})`', text)
    manifest = parse(
        f'name="x"\nengines=["onnx"]\nfile="x.onnx"\n[input]\nlayout="NCHW"\nsize={size}\n[output]\n'
    )
    assert manifest.input.size.rule == rule
