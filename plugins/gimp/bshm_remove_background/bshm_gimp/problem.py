"""The dialog for what went wrong."""

from __future__ import annotations

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from collections.abc import Callable  # noqa: E402

from gi.repository import Gdk, GimpUi, Gtk  # noqa: E402

from bshm_gimp.i18n import _  # noqa: E402

_COPY = 1


def can_show() -> bool:
    """Whether there is a display to show dialogs on."""
    return bool(Gtk.init_check([])[0])


def show_problem(text: str, diagnostics: Callable[[], str]) -> None:
    """Show a sentence and wait until it is closed; `diagnostics` can be copied meanwhile."""
    GimpUi.init("bshm_remove_background")
    dialog = Gtk.MessageDialog(
        message_type=Gtk.MessageType.WARNING, text=_("Remove Background"), secondary_text=text
    )
    dialog.set_title(_("Remove Background"))
    dialog.add_button(_("Copy _Diagnostics"), _COPY)
    dialog.add_button(_("_Close"), Gtk.ResponseType.CLOSE)
    dialog.set_default_response(Gtk.ResponseType.CLOSE)
    GimpUi.window_set_transient(dialog)
    while dialog.run() == _COPY:
        clipboard = Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
        clipboard.set_text(diagnostics(), -1)
        clipboard.store()  # it outlives this process where a clipboard manager runs
        dialog.set_response_sensitive(_COPY, False)
    dialog.destroy()
