from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

import krita.bshm_remove_background as package
from krita.bshm_remove_background import i18n, wording
from krita.bshm_remove_background.chinese import CHINESE

SOURCES = sorted(Path(package.__path__[0]).glob("*.py"))


def sentences() -> set[str]:
    """Every string that is handed to `tr`."""
    found = set(wording._RUNNING.values()) | set(wording._LOADING.values())
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tr":
                text = node.args[0]
                if isinstance(text, ast.Constant):
                    found.add(str(text.value))
    return found


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_sentence_has_its_chinese_and_no_other() -> None:
    assert len(sentences()) > 60
    assert set(CHINESE) == sentences()


@pytest.mark.parametrize("english", sorted(CHINESE))
def test_chinese_has_the_same_places_to_fill(english: str) -> None:
    assert fields(CHINESE[english]) == fields(english)
    assert CHINESE[english] != english or not english.strip().isascii() or english == " px"


@pytest.mark.parametrize(
    ("name", "chinese"),
    [
        ("zh_CN", True),
        ("zh-Hans", True),
        ("zh", True),
        ("zh_TW", False),
        ("zh_Hant_HK", False),
        ("en_US", False),
        ("de", False),
        ("C", False),
    ],
)
def test_language_is_chosen_by_name(name: str, chinese: bool) -> None:
    try:
        i18n.use_language(name)
        expected = CHINESE["Cancel"] if chinese else "Cancel"
        assert i18n.tr("Cancel") == expected
    finally:
        i18n.use_language("en")


def test_language_of_krita_wins_over_that_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "zh_CN:en_US")
    assert i18n.krita_language("de_DE") == "zh_CN"
    monkeypatch.delenv("LANGUAGE")
    assert i18n.krita_language("de_DE") == "de_DE"
