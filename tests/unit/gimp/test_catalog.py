"""The Chinese catalog of the GIMP plug-in holds every text, and what is shipped is what it says."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import polib
import pytest

from bshm_bridge.engines.classic import ClassicEngine
from bshm_bridge.engines.registry import Registry
from bshm_gimp.sentences import SENTENCES, WHOLE

PLUGIN = Path(__file__).parents[3] / "plugins/gimp/bshm_remove_background"
CATALOG = PLUGIN / "locale/zh_CN/LC_MESSAGES/bshm_remove_background.po"
REPOSITORY = Path(__file__).parents[3]


def texts_of(source: str) -> set[tuple[str, ...]]:
    """Return the texts that a module passes to gettext: (text,) or (one, many)."""
    found: set[tuple[str, ...]] = set()
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id not in ("_", "N_", "ngettext"):
            continue
        words = [word.value for word in node.args if isinstance(word, ast.Constant)]
        if words:
            found.add(tuple(str(word) for word in words))
    return found


def all_texts() -> set[tuple[str, ...]]:
    files = [PLUGIN / "bshm_remove_background.py", *(PLUGIN / "bshm_gimp").glob("*.py")]
    return set().union(*(texts_of(file.read_text(encoding="utf-8")) for file in files))


def fields(text: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}


@pytest.fixture(scope="module")
def catalog() -> polib.POFile:
    return polib.pofile(str(CATALOG))


def test_every_text_is_translated_and_nothing_else_is(catalog: polib.POFile) -> None:
    known = {
        (entry.msgid, entry.msgid_plural) if entry.msgid_plural else (entry.msgid,)
        for entry in catalog.translated_entries()
        if not entry.fuzzy
    }
    assert known == all_texts()


def test_translations_keep_what_is_filled_in(catalog: polib.POFile) -> None:
    for entry in catalog:
        for translation in [entry.msgstr, *entry.msgstr_plural.values()]:
            if translation:
                assert fields(translation) == fields(entry.msgid), entry.msgid


def test_translations_keep_commands_and_mnemonics(catalog: polib.POFile) -> None:
    for entry in catalog:
        commands = entry.msgid.split("`")[1::2]
        translations = entry.msgstr + "".join(entry.msgstr_plural.values())
        assert translations.split("`")[1::2] == commands
        if entry.msgid.replace("_", "", 1) != entry.msgid:
            key = entry.msgid.split("_", 1)[1][0].upper()
            assert f"(_{key})" in translations, entry.msgid


def test_compiled_catalog_is_of_this_catalog(catalog: polib.POFile, tmp_path: Path) -> None:
    compiled = tmp_path / "fresh.mo"
    catalog.save_as_mofile(str(compiled))
    shipped = CATALOG.with_suffix(".mo").read_bytes()
    assert shipped == compiled.read_bytes(), "compile it again: msgfmt -o NAME.mo NAME.po"


def test_sentences_that_are_translated_whole_are_what_the_service_says(
    catalog: polib.POFile,
) -> None:
    _name, reason = Registry({"classic": ClassicEngine()}).default()
    assert reason in WHOLE
    assert reason in {entry.msgid for entry in catalog}


def test_translated_reasons_are_ones_that_exist() -> None:
    folders = [REPOSITORY / "backend" / "bshm_bridge", REPOSITORY / "plugins" / "bridge_client"]
    sources = [file.read_text(encoding="utf-8") for top in folders for file in top.rglob("*.py")]
    words = {
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(SENTENCES) <= words
