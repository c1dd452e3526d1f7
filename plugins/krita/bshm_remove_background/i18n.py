"""The plugin's sentences in the user's language: English, and Simplified Chinese."""

from __future__ import annotations

import os
from collections.abc import Mapping

from .chinese import CHINESE, REASONS

_chosen: Mapping[str, str] = {}


def use_language(name: str) -> None:
    """Take sentences in the language `name` ("zh_CN", "de", …); others are in English."""
    global _chosen
    parts = name.replace("-", "_").lower().split("_")
    traditional = {"tw", "hk", "mo", "hant"} & set(parts)
    _chosen = CHINESE if parts[0].startswith("zh") and not traditional else {}


def by_reason(reason: str, sentence: str) -> str:
    """Return what the service said in English in the user's language, where that is known."""
    return REASONS.get(reason, sentence) if _chosen is CHINESE else sentence


def krita_language(locale_name: str) -> str:
    """Return the language that Krita speaks, which may be another than the system's."""
    chosen = os.environ.get("LANGUAGE", "").split(":")[0]
    return chosen or locale_name


def tr(text: str, **values: object) -> str:
    """Return `text` in the user's language, with `values` put into its braces."""
    return _chosen.get(text, text).format(**values)
