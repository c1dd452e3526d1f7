"""Translations: English where there is none."""

from __future__ import annotations

import gettext
from pathlib import Path

DOMAIN = "bshm_remove_background"
LOCALE_FOLDER = Path(__file__).resolve().parents[1] / "locale"

_translation = gettext.translation(DOMAIN, LOCALE_FOLDER, fallback=True)
_ = _translation.gettext
ngettext = _translation.ngettext
