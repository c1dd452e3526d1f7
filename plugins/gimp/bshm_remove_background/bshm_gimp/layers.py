"""Reads pixels out of GIMP and writes them into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gi.repository import Babl, Gegl, Gimp

from bridge_client import Pixels
from bshm_gimp.formats import LayerFormat, layer_format, overlap, stripes
from bshm_gimp.i18n import _
from bshm_gimp.trimap import is_trimap, trimap_values
from bshm_gimp.wording import CannotRun


def layers_of(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> list[Gimp.Layer]:
    """Return the layers that the user means, each once and without trimaps.

    Raises
    ------
    CannotRun
        There is none among `drawables`, or one cannot have a mask.
    """
    layers: list[Gimp.Layer] = []
    trimaps = False
    for drawable in drawables or image.get_selected_layers():
        layer = drawable
        if drawable.is_layer_mask():  # the user looks at the mask and means its layer
            layer = Gimp.Layer.from_mask(drawable)
        if layer is None or not layer.is_layer():
            raise CannotRun(_("A channel is selected: select a layer and try again."))
        if layer.is_floating_sel():
            raise CannotRun(_("There is a floating selection: anchor it and try again."))
        if is_trimap(layer.get_name()):
            trimaps = True
        elif layer.get_id() not in [other.get_id() for other in layers]:
            layers.append(layer)
    if trimaps and not layers:
        raise CannotRun(
            _(
                "The layer “trimap” only says where the subject is: select the layer with the "
                "picture and try again."
            )
        )
    if not layers:
        raise CannotRun(_("No layer is selected: select one and try again."))
    return layers


def every_layer(layers: Sequence[Gimp.Layer]) -> Iterator[Gimp.Layer]:
    """Yield layers from the top, each group before what is in it."""
    for layer in layers:
        yield layer
        if layer.is_group_layer():
            yield from every_layer(layer.get_children())


def find_trimap(image: Gimp.Image) -> Gimp.Layer | None:
    """Return the topmost layer that is a trimap, shown or not."""
    layers = every_layer(image.get_layers())
    return next((layer for layer in layers if is_trimap(layer.get_name())), None)


def format_of(layer: Gimp.Layer) -> LayerFormat:
    precision = layer.get_image().get_precision().value_nick
    return layer_format(gray=layer.is_gray(), alpha=layer.has_alpha(), precision=precision)


def read_layer(layer: Gimp.Layer) -> Pixels:
    """Return a layer's own pixels, without its mask, in the image's colour space."""
    form = format_of(layer)
    width, height = layer.get_width(), layer.get_height()
    data = _read(layer, _in_space_of(layer, form.babl), (0, 0, width, height), form.pixel_bytes)
    profile = layer.get_image().get_color_profile()
    return Pixels(
        data=data,
        width=width,
        height=height,
        layout=form.layout,
        depth=form.depth,
        icc_profile=bytes(profile.get_icc_profile()) if profile is not None else b"",
    )


def write_layer(layer: Gimp.Layer, data: bytes | bytearray | memoryview) -> None:
    """Replace a layer's pixels by `data`, in the format that `read_layer` used."""
    form = format_of(layer)
    _write(layer, _in_space_of(layer, form.babl), data, form.pixel_bytes)


def read_selection(layer: Gimp.Layer) -> Pixels | None:
    """Return the selection over a layer, one byte a pixel; None where nothing is selected."""
    image = layer.get_image()
    if Gimp.Selection.is_empty(image):
        return None
    _found, x, y = layer.get_offsets()
    width, height = layer.get_width(), layer.get_height()
    canvas = (image.get_width(), image.get_height())
    if overlap((x, y), (width, height), canvas) is None:
        return None
    data = _read(image.get_selection(), "Y u8", (x, y, width, height), 1)
    if data.count(0) == len(data):
        return None
    return Pixels(data=data, width=width, height=height, layout="GRAY")


def read_trimap(trimap: Gimp.Layer, layer: Gimp.Layer) -> Pixels | None:
    """Return what a trimap says about a layer; None where it says nothing."""
    _found, left, top = trimap.get_offsets()
    _found, x, y = layer.get_offsets()
    width, height = layer.get_width(), layer.get_height()
    # Beside the trimap there is nothing: transparency, which is unknown.
    data = trimap_values(_read(trimap, "Y'A u8", (x - left, y - top, width, height), 2))
    return None if data is None else Pixels(data, width, height, "GRAY")


def write_matte(drawable: Gimp.Drawable, matte: Pixels) -> None:
    """Write a matte into a mask or channel of its size: value v becomes opacity v."""
    # Masks are linear: Y', the encoded grey, would bend the values.
    form = "Y u8" if matte.depth == "u8" else "Y u16"
    _write(drawable, form, matte.data, 1 if matte.depth == "u8" else 2)


def _in_space_of(layer: Gimp.Layer, form: str) -> str:
    """Return babl's name of `form` in the layer's own colour space."""
    space = Babl.format_get_space(layer.get_format())
    return str(Babl.get_name(Babl.format_with_space(form, space)))


def _read(
    drawable: Gimp.Drawable, form: str, area: tuple[int, int, int, int], pixel_bytes: int
) -> bytes | bytearray:
    x, y, width, height = area
    buffer = drawable.get_buffer()
    pieces = []
    for top, rows in stripes(width, height, pixel_bytes):
        rectangle = Gegl.Rectangle.new(x, y + top, width, rows)
        pieces.append(buffer.get(rectangle, 1.0, form, Gegl.AbyssPolicy.NONE))
    return pieces[0] if len(pieces) == 1 else bytearray().join(pieces)


def _write(
    drawable: Gimp.Drawable, form: str, data: bytes | bytearray | memoryview, pixel_bytes: int
) -> None:
    width, height = drawable.get_width(), drawable.get_height()
    stride = width * pixel_bytes
    view = memoryview(data).cast("B")
    if len(view) != stride * height:
        raise ValueError(f"{len(view)} bytes for {width}×{height} pixels")
    buffer = drawable.get_buffer()
    for top, rows in stripes(width, height, pixel_bytes):
        piece = bytes(view[top * stride : (top + rows) * stride])
        buffer.set(Gegl.Rectangle.new(0, top, width, rows), form, piece)
    buffer.flush()
    drawable.update(0, 0, width, height)
