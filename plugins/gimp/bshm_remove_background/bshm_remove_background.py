#!/usr/bin/env python3
"""GIMP plug-in: Layer › Remove Background, by the bshm service on this machine."""

from __future__ import annotations

import functools
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "vendor")]

import gi  # noqa: E402

for namespace, version in (("Gimp", "3.0"), ("Gegl", "0.4"), ("Babl", "0.1")):
    gi.require_version(namespace, version)
from gi.repository import Gimp, GLib  # noqa: E402

# GLib knows the user's languages where the environment does not tell: on Windows and macOS.
os.environ.setdefault("LANGUAGE", ":".join(GLib.get_language_names()))

from bridge_client import BridgeClient, BridgeError, Matte  # noqa: E402
from bridge_client.diagnostics import diagnostics  # noqa: E402
from bshm_gimp.arguments import add_arguments, options_of, set_options  # noqa: E402
from bshm_gimp.i18n import _  # noqa: E402
from bshm_gimp.layers import find_trimap, layers_of  # noqa: E402
from bshm_gimp.options import Options, load_settings, save_settings  # noqa: E402
from bshm_gimp.removal import remove_background  # noqa: E402
from bshm_gimp.sentences import translated  # noqa: E402
from bshm_gimp.wording import CannotRun, done_text, error_text, version_text  # noqa: E402

ONE_CLICK = "plug-in-bshm-remove-background"
WITH_DIALOG = "plug-in-bshm-remove-background-options"
SETTINGS = Path(Gimp.directory()) / "bshm-remove-background.json"
VERSION = (HERE / "VERSION").read_text(encoding="utf-8").strip()


class RemoveBackground(Gimp.PlugIn):  # type: ignore[misc]  # GIMP has no types
    """Registers the two procedures."""

    has_run = False

    def do_set_i18n(self, procedure_name: str) -> tuple[bool, None, None]:
        return False, None, None  # texts are translated by bshm_gimp.i18n before GIMP sees them

    def do_quit(self) -> None:
        if self.has_run:
            # GIMP has closed its end already; libgimp's farewell would be a warning on stderr.
            os._exit(0)

    def do_query_procedures(self) -> list[str]:
        return [ONE_CLICK, WITH_DIALOG]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        run = run_one_click if name == ONE_CLICK else run_with_dialog
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("*")
        # Live wherever GIMP allows it: what cannot be done is said in a sentence.
        mask = Gimp.ProcedureSensitivityMask
        procedure.set_sensitivity_mask(mask.DRAWABLE | mask.DRAWABLES | mask.NO_DRAWABLES)
        add_arguments(procedure)
        if name == ONE_CLICK:
            procedure.set_menu_label(_("Remove _Background"))
            summary = _("Hide the background of the selected layers, with the last settings")
        else:
            procedure.set_menu_label(_("Remove Back_ground…"))
            summary = _("Hide the background of the selected layers, after asking how")
        procedure.add_menu_path("<Image>/Layer")
        procedure.set_documentation(
            summary,
            _(
                "The local bshm service finds the people in each selected layer, or whatever "
                "the selection surrounds roughly. A layer named “trimap”, shown or not, is "
                "followed where it is black (background) or white (subject). The result is a "
                "layer mask, a new cut-out layer, a selection, or a mask and a new background "
                "layer: one undo step. Called without a dialog, the arguments alone count."
            ),
            None,  # else dialogs get a button for a page that GIMP's manual does not have
        )
        procedure.set_attribution("bshm-bridge", "bshm-bridge", "2026")
        return procedure


def run_one_click(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    data: Any,
) -> Gimp.ValueArray:
    interactive = run_mode != Gimp.RunMode.NONINTERACTIVE
    options = load_settings(SETTINGS).options if interactive else options_of(config)
    return perform(procedure, image, drawables, options, interactive)


def run_with_dialog(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    data: Any,
) -> Gimp.ValueArray:
    if run_mode == Gimp.RunMode.INTERACTIVE:
        try:
            layers_of(image, drawables)  # before the user has chosen anything in vain
        except CannotRun as error:
            return failed(procedure, BridgeClient("gimp"), error, interactive=True)
        from bshm_gimp.dialog import OptionsDialog

        settings = load_settings(SETTINGS)
        set_options(config, settings.options)
        dialog = OptionsDialog(
            procedure,
            config,
            BridgeClient("gimp"),
            VERSION,
            trimap=find_trimap(image) is not None,
        )
        if not dialog.run():
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
        if config.get_property("remember"):
            save_settings(SETTINGS, replace(settings, options=options_of(config)))
    interactive = run_mode != Gimp.RunMode.NONINTERACTIVE
    return perform(procedure, image, drawables, options_of(config), interactive)


def perform(
    procedure: Gimp.Procedure,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    options: Options,
    interactive: bool,
) -> Gimp.ValueArray:
    """Do the work; whatever goes wrong is told, and the image is then unchanged."""
    procedure.get_plug_in().has_run = True
    client = BridgeClient("gimp")
    try:
        mattes = remove_background(client, image, drawables, options)
    except Exception as error:
        return failed(procedure, client, error, interactive)
    if interactive:
        tell(client, mattes)
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


def tell(client: BridgeClient, mattes: list[Matte]) -> None:
    """Say what the user should know: of this result always, of the machine when it is new."""
    notices = {notice.reason: notice for matte in mattes for notice in matte.notices}
    lasting = {"fallback", "device"}.intersection(notices)
    machine = done_text(mattes[-1]) if lasting else ""
    try:
        difference = version_text(client.status().version, VERSION)
    except BridgeError:  # it has ended meanwhile, and the result is here
        difference = ""
    machine = " ".join(filter(None, (machine, difference)))
    settings = load_settings(SETTINGS)
    if machine != settings.told:
        save_settings(SETTINGS, replace(settings, told=machine))
        if machine:
            Gimp.message(machine)
    for notice in notices.values():
        if notice.reason not in lasting:
            Gimp.message(translated(notice.message, notice.reason))


def failed(
    procedure: Gimp.Procedure, client: BridgeClient, error: Exception, interactive: bool
) -> Gimp.ValueArray:
    """Tell the user, or the caller, what went wrong."""
    text = error_text(error)
    if interactive:
        from bshm_gimp.problem import can_show, show_problem

        if can_show():
            report = functools.partial(
                diagnostics,
                client,
                program=f"GIMP {Gimp.version()}",
                version=VERSION,
                error=error,
            )
            show_problem(text, report)
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    problem = GLib.Error.new_literal(Gimp.PlugIn.error_quark(), text, 0)
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, problem)


Gimp.main(RemoveBackground.__gtype__, sys.argv)
