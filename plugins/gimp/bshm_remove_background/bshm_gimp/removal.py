"""One run: every layer goes to the service, then the image changes in one undo step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gi.repository import Gimp

from bridge_client import BridgeClient, Matte, Pixels, Progress
from bshm_gimp import outputs
from bshm_gimp.i18n import _
from bshm_gimp.layers import (
    every_layer,
    find_trimap,
    format_of,
    layers_of,
    read_layer,
    read_selection,
    read_trimap,
)
from bshm_gimp.options import Options
from bshm_gimp.progress import done_part
from bshm_gimp.wording import CannotRun, done_text, progress_text

_REMOVED = _("The layer was removed or resized meanwhile: no mask was made, please try again.")


def remove_background(
    client: BridgeClient,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    options: Options,
) -> list[Matte]:
    """Remove the background of `drawables` and return what the service answered for each.

    Raises
    ------
    CannotRun, bridge_client.BridgeError
        The text is a sentence for the user; the image is unchanged.
    """
    layers = layers_of(image, drawables)
    if options.output == "layer" and any(layer.is_indexed() for layer in layers):
        raise CannotRun(
            _(
                "An indexed image cannot hold soft edges: choose a mask as the output, or "
                "convert the image with Image › Mode › RGB."
            )
        )
    Gimp.progress_init(_("Remove Background"))
    trimap = find_trimap(image)
    results = []
    for number, layer in enumerate(layers, start=1):
        # The user may have removed them while the layers before were under way.
        if not (layer.is_valid() and (trimap is None or trimap.is_valid())):
            raise CannotRun(_REMOVED)
        pixels, matte = _ask(client, layer, trimap, options, number, len(layers))
        # Only a cut-out needs the pixels again; of many layers that is much memory.
        results.append((layer, pixels if options.output == "layer" else None, matte))
    Gimp.progress_set_text(done_text(results[-1][2]))
    _check_unchanged(image, [(layer, matte) for layer, _pixels, matte in results])
    with _one_undo_step(image):
        _apply(image, results, options)
    Gimp.progress_end()
    Gimp.displays_flush()
    return [matte for _layer, _pixels, matte in results]


def _ask(
    client: BridgeClient,
    layer: Gimp.Layer,
    trimap: Gimp.Layer | None,
    options: Options,
    number: int,
    layers: int,
) -> tuple[Pixels, Matte]:
    pixels = read_layer(layer)
    hint = read_selection(layer) if options.use_selection else None
    known = read_trimap(trimap, layer) if trimap is not None else None
    shown: list[str] = []

    def tell(step: Progress) -> None:
        text = progress_text(step, number, layers)
        if shown != [text]:
            Gimp.progress_set_text(text)
            shown[:] = [text]
        done = done_part(step)
        if done is None:
            Gimp.progress_pulse()
        else:
            Gimp.progress_update((number - 1 + done) / layers)

    matte = client.matte(
        pixels,
        hint=hint,
        trimap=known,
        options=options.for_service(format_of(layer).depth),
        progress=tell,
    )
    return pixels, matte


def _check_unchanged(image: Gimp.Image, results: list[tuple[Gimp.Layer, Matte]]) -> None:
    """Raise `CannotRun` where the user has removed or resized a layer meanwhile."""
    there = {layer.get_id() for layer in every_layer(image.get_layers())}
    for layer, matte in results:
        size = (matte.alpha.width, matte.alpha.height)
        if layer.get_id() not in there or (layer.get_width(), layer.get_height()) != size:
            raise CannotRun(_REMOVED)


def _apply(
    image: Gimp.Image,
    results: list[tuple[Gimp.Layer, Pixels | None, Matte]],
    options: Options,
) -> None:
    layers = [layer for layer, _pixels, _matte in results]
    if options.output == "selection":
        outputs.put_selection(image, [(layer, matte.alpha) for layer, _p, matte in results])
        image.set_selected_layers(layers)
        return
    if options.output == "layer":
        cutouts = [
            outputs.put_cutout(layer, pixels, matte, options.existing_mask)
            for layer, pixels, matte in results
            if pixels is not None
        ]
        image.set_selected_layers(cutouts)
        return
    for layer, _pixels, matte in results:
        outputs.put_mask(layer, matte.alpha, options.existing_mask)
    if options.output == "background":
        outputs.put_background(image, layers)
        image.set_selected_layers(layers)


@contextmanager
def _one_undo_step(image: Gimp.Image) -> Iterator[None]:
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()
