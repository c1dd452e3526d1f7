"""Turns a matte into a mask, a layer or a selection. Called inside an undo group."""

from __future__ import annotations

from array import array
from typing import Any

from gi.repository import Babl, Gegl, Gimp

from bridge_client import Matte, Pixels
from bridge_client.types import CHANNELS
from bshm_gimp.formats import overlap
from bshm_gimp.i18n import _
from bshm_gimp.layers import write_layer, write_matte

_ARRAY_TYPES = {"u8": "B", "u16": "H", "f32": "f"}


def put_mask(layer: Gimp.Layer, matte: Pixels, existing: str) -> None:
    """Give `layer` a mask; what an existing one hides stays hidden, or is forgotten."""
    edited = layer.get_edit_mask()
    mask = layer.create_mask(Gimp.AddMaskType.WHITE)
    write_matte(mask, matte)
    old = layer.get_mask()
    if old is not None:
        if existing == "intersect":
            mask.combine_masks(old, Gimp.ChannelOps.INTERSECT, 0, 0)
        layer.remove_mask(Gimp.MaskApplyMode.DISCARD)
    layer.add_mask(mask)
    layer.set_edit_mask(edited)


def put_cutout(layer: Gimp.Layer, pixels: Pixels, matte: Matte, existing: str) -> Gimp.Layer:
    """Insert a copy of `layer` above it that holds the subject alone, and hide the original.

    Parameters
    ----------
    pixels
        The layer's pixels as they were sent.
    """
    image = layer.get_image()
    cutout = Gimp.Layer.new(
        image,
        _("{layer} cut-out").format(layer=layer.get_name()),
        layer.get_width(),
        layer.get_height(),
        layer.type_with_alpha(),
        layer.get_opacity(),
        layer.get_mode(),
    )
    image.insert_layer(cutout, layer.get_parent(), image.get_item_position(layer))
    _found, x, y = layer.get_offsets()
    cutout.set_offsets(x, y)
    write_layer(cutout, _with_alpha(pixels, matte.foreground))
    mask = cutout.create_mask(Gimp.AddMaskType.WHITE)
    write_matte(mask, matte.alpha)
    old = layer.get_mask()
    if old is not None and existing == "intersect":
        mask.combine_masks(old, Gimp.ChannelOps.INTERSECT, 0, 0)
    cutout.add_mask(mask)
    cutout.remove_mask(Gimp.MaskApplyMode.APPLY)
    layer.set_visible(False)
    return cutout


def put_selection(image: Gimp.Image, mattes: list[tuple[Gimp.Layer, Pixels]]) -> None:
    """Select the subjects of all layers, and nothing else."""
    operation = Gimp.ChannelOps.REPLACE
    Gimp.context_push()
    Gimp.context_set_feather(False)
    for layer, matte in mattes:
        channel = Gimp.Channel.new(
            image, "", image.get_width(), image.get_height(), 100.0, Gegl.Color.new("black")
        )
        image.insert_channel(channel, None, 0)
        _paste(channel, layer, matte)
        image.select_item(operation, channel)
        image.remove_channel(channel)
        operation = Gimp.ChannelOps.ADD
    Gimp.context_pop()


def put_background(image: Gimp.Image, layers: list[Gimp.Layer]) -> Gimp.Layer:
    """Insert a layer of the canvas's size, in the background colour, below all of `layers`."""
    lowest = max((_top_level(layer) for layer in layers), key=image.get_item_position)
    background = Gimp.Layer.new(
        image,
        _("Background"),
        image.get_width(),
        image.get_height(),
        lowest.type(),
        100.0,
        image.get_default_new_layer_mode(),
    )
    image.insert_layer(background, None, image.get_item_position(lowest) + 1)
    background.fill(Gimp.FillType.BACKGROUND)
    return background


def _top_level(layer: Gimp.Layer) -> Gimp.Layer:
    parent = layer.get_parent()
    return layer if parent is None else _top_level(parent)


def _with_alpha(pixels: Pixels, foreground: Pixels | None) -> bytes | bytearray | memoryview:
    """Return the pixels with alpha, and with the foreground's colours where there are any."""
    kind = _ARRAY_TYPES[pixels.depth]
    alpha = pixels.layout in ("RGBA", "GRAYA")
    if alpha and foreground is None:
        return pixels.data
    source: array[Any] = array(kind)
    source.frombytes(memoryview(pixels.data).cast("B"))
    channels = CHANNELS[pixels.layout]
    colours = channels - 1 if alpha else channels
    opaque = {"u8": 255, "u16": 65535, "f32": 1.0}[pixels.depth]
    result: array[Any] = array(kind, [opaque]) * (pixels.width * pixels.height * (colours + 1))
    if alpha:
        result[colours :: colours + 1] = source[colours::channels]
    clean, step = source, channels
    if foreground is not None:
        clean = array(kind)
        clean.frombytes(memoryview(foreground.data).cast("B"))
        step = CHANNELS[foreground.layout]
    for channel in range(colours):
        result[channel :: colours + 1] = clean[channel::step]
    return memoryview(result)


def _paste(channel: Gimp.Channel, layer: Gimp.Layer, matte: Pixels) -> None:
    _found, x, y = layer.get_offsets()
    canvas = (channel.get_width(), channel.get_height())
    part = overlap((x, y), (matte.width, matte.height), canvas)
    if part is None:
        return
    left, top, width, height = part
    size = 1 if matte.depth == "u8" else 2
    view = memoryview(matte.data).cast("B")
    rows = bytearray()
    for row in range(top, top + height):
        start = (row * matte.width + left) * size
        rows += view[start : start + width * size]
    buffer = channel.get_buffer()
    rectangle = Gegl.Rectangle.new(x + left, y + top, width, height)
    # A selection takes a channel's values as they are, encoded or not.
    component = str(Babl.get_name(channel.get_format())).split()[0]
    buffer.set(rectangle, f"{component} u{8 * size}", bytes(rows))
    buffer.flush()
