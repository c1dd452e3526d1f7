"""The options as arguments of GIMP's procedures."""

from __future__ import annotations

from gi.repository import Gimp, GObject

from bshm_gimp.i18n import _
from bshm_gimp.options import EXISTING_MASK, LARGEST_FEATHER, LARGEST_SHIFT, OUTPUTS, Options

_FLAGS = GObject.ParamFlags.READWRITE


def add_arguments(procedure: Gimp.Procedure) -> None:
    """Declare every option; both procedures have the same ones."""
    default = Options()
    procedure.add_string_argument(
        "model",
        _("_Model"),
        _("Name of the model, or “auto” for the best that is installed"),
        default.model,
        _FLAGS,
    )
    procedure.add_choice_argument(
        "output",
        _("O_utput"),
        _("What becomes of the layer"),
        _choice(
            OUTPUTS,
            (
                _("Layer mask"),
                _("New cut-out layer"),
                _("Selection"),
                _("Layer mask and new background layer"),
            ),
        ),
        default.output,
        _FLAGS,
    )
    procedure.add_boolean_argument(
        "clean-edges",
        _("Clean e_dge colours"),
        _("Free the edge of a cut-out layer from the old background's colour"),
        default.clean_edges,
        _FLAGS,
    )
    procedure.add_choice_argument(
        "existing-mask",
        _("E_xisting mask"),
        _("What becomes of a mask that the layer has already"),
        _choice(EXISTING_MASK, (_("Keep what it hides hidden"), _("Replace it"))),
        default.existing_mask,
        _FLAGS,
    )
    procedure.add_boolean_argument(
        "use-selection",
        _("Selection shows _where the subject is"),
        _("Look for the subject roughly inside the selection, where there is one"),
        default.use_selection,
        _FLAGS,
    )
    procedure.add_double_argument(
        "edge-shift",
        _("Edge shi_ft"),
        _("Grow the subject by so many layer pixels, or shrink it"),
        -LARGEST_SHIFT,
        LARGEST_SHIFT,
        default.edge_shift,
        _FLAGS,
    )
    procedure.add_double_argument(
        "feather",
        _("Fea_ther"),
        _("Blur the edge by so many layer pixels"),
        0.0,
        LARGEST_FEATHER,
        default.feather,
        _FLAGS,
    )
    procedure.add_boolean_aux_argument(
        "remember",
        _("Use these settings for the one-click entr_y too"),
        _("Layer › Remove Background then does the same without asking"),
        True,
        _FLAGS,
    )


def options_of(config: Gimp.ProcedureConfig) -> Options:
    """Return the arguments of a call."""
    return Options(
        model=config.get_property("model") or "auto",
        output=config.get_property("output"),
        existing_mask=config.get_property("existing-mask"),
        clean_edges=config.get_property("clean-edges"),
        edge_shift=config.get_property("edge-shift"),
        feather=config.get_property("feather"),
        use_selection=config.get_property("use-selection"),
    )


def set_options(config: Gimp.ProcedureConfig, options: Options) -> None:
    """Make `options` the arguments."""
    config.set_property("model", options.model)
    config.set_property("output", options.output)
    config.set_property("existing-mask", options.existing_mask)
    config.set_property("clean-edges", options.clean_edges)
    config.set_property("edge-shift", options.edge_shift)
    config.set_property("feather", options.feather)
    config.set_property("use-selection", options.use_selection)


def _choice(names: tuple[str, ...], labels: tuple[str, ...]) -> Gimp.Choice:
    choice = Gimp.Choice.new()
    for number, (name, label) in enumerate(zip(names, labels, strict=True)):
        choice.add(name, number, label, "")
    return choice
