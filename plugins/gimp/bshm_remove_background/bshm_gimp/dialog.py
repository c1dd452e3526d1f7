"""The dialog in which a run is set up."""

from __future__ import annotations

import threading
from typing import Any

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gimp, GimpUi, GLib, GObject, Gtk  # noqa: E402

from bridge_client import BridgeClient, BridgeError, ServiceStatus  # noqa: E402
from bshm_gimp.i18n import _  # noqa: E402
from bshm_gimp.wording import error_text, model_texts, status_text  # noqa: E402

BELOW_MODEL = [
    "output",
    "clean-edges",
    "existing-mask",
    "use-selection",
    "edge-shift",
    "feather",
    "remember",
]


class OptionsDialog:
    """Lets the user choose; the service starts meanwhile and says what it can do.

    Parameters
    ----------
    procedure, config
        GIMP's; the choices are kept in `config`.
    client
        Asked for the models, on a thread of its own: the service may have to start.
    version
        The plugin's.
    trimap
        Whether the image has one.
    """

    def __init__(
        self,
        procedure: Gimp.Procedure,
        config: Gimp.ProcedureConfig,
        client: BridgeClient,
        version: str,
        *,
        trimap: bool,
    ) -> None:
        GimpUi.init("bshm_remove_background")
        self._config = config
        self._version = version
        self._trimap = trimap
        self._dialog = GimpUi.ProcedureDialog.new(procedure, config, _("Remove Background"))
        self._dialog.set_ok_label(_("Remove _Background"))
        self._status = Gtk.Label(label=_("Asking the service…"), xalign=0, wrap=True)
        self._status.set_max_width_chars(45)
        self._status.get_style_context().add_class("dim-label")
        self._models = Gtk.ComboBoxText()
        self._fill()
        self._open = True
        threading.Thread(target=self._ask, args=(client,), daemon=True).start()

    def run(self) -> bool:
        """Return whether the user wants it done; `config` then holds the choices."""
        accepted = bool(self._dialog.run())
        self._open = False
        self._dialog.destroy()
        return accepted

    def _fill(self) -> None:
        self._show_models({"auto": _("Best installed")})
        self._config.bind_property(
            "model",
            self._models,
            "active-id",
            GObject.BindingFlags.BIDIRECTIONAL | GObject.BindingFlags.SYNC_CREATE,
        )
        label = Gtk.Label(label=_("_Model"), use_underline=True, xalign=0)
        label.set_mnemonic_widget(self._models)
        grid = Gtk.Grid(column_spacing=6, row_spacing=3, margin_bottom=6)
        grid.attach(label, 0, 0, 1, 1)
        grid.attach(self._models, 1, 0, 1, 1)
        grid.attach(self._status, 1, 1, 1, 1)
        self._models.set_hexpand(True)
        grid.show_all()
        self._dialog.get_content_area().pack_start(grid, False, False, 0)
        self._labels = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        self._labels.add_widget(label)
        self._labels.add_widget(self._dialog.get_widget("output", GObject.TYPE_NONE).get_label())
        for name in ("edge-shift", "feather"):
            self._dialog.get_scale_entry(name, 1.0)
        self._dialog.fill(BELOW_MODEL)
        self._config.connect("notify::output", self._follow_output)
        self._follow_output()

    def _follow_output(self, *_arguments: Any) -> None:
        output = self._config.get_property("output")
        self._dialog.get_widget("clean-edges", GObject.TYPE_NONE).set_sensitive(output == "layer")
        makes_mask = output != "selection"
        self._dialog.get_widget("existing-mask", GObject.TYPE_NONE).set_sensitive(makes_mask)

    def _ask(self, client: BridgeClient) -> None:
        try:
            status = client.status(start=True)
        except BridgeError as error:
            GLib.idle_add(self._show_error, error)
        else:
            GLib.idle_add(self._show_status, status)

    def _show_error(self, error: BridgeError) -> None:
        if self._open:
            self._status.set_text(error_text(error))

    def _show_status(self, status: ServiceStatus) -> None:
        if self._open:
            self._status.set_text(status_text(status, self._version, self._trimap))
            self._show_models(model_texts(status))

    def _show_models(self, texts: dict[str, str]) -> None:
        """Offer these models; the one chosen before stays, installed or not."""
        chosen = self._config.get_property("model") or "auto"
        self._models.remove_all()
        for name, text in {**texts, chosen: texts.get(chosen, chosen)}.items():
            self._models.append(name, text)
        self._models.set_active_id(chosen)
