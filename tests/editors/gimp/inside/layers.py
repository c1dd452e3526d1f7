"""Runs inside GIMP: every kind of layer goes through the plug-in; what came out is written.

`arguments`: folder, picture (RGB u8 file), width, height; portrait and trimap (RGB and RGBA u8
files), portrait_size, trimap_size.
"""

import hashlib
import json
import os
import traceback

FOLDER = arguments["folder"]
WIDTH, HEIGHT = arguments["width"], arguments["height"]
with open(arguments["picture"], "rb") as file:
    PICTURE = file.read()

NONE = Gegl.AbyssPolicy.NONE
PROCEDURE = Gimp.get_pdb().lookup_procedure("plug-in-bshm-remove-background")


def native(drawable):
    area = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    return bytes(drawable.get_buffer().get(area, 1.0, None, NONE))


def digest(drawable):
    return hashlib.sha256(native(drawable)).hexdigest()


def dump(name, drawable, form):
    area = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(drawable.get_buffer().get(area, 1.0, form, NONE))


def new_image(precision=Gimp.Precision.U8_NON_LINEAR, canvas=(WIDTH, HEIGHT)):
    return Gimp.Image.new_with_precision(*canvas, Gimp.ImageBaseType.RGB, precision)


def new_layer(image, name, offset=(0, 0), alpha=True, parent=None):
    kind = Gimp.ImageType.RGBA_IMAGE if alpha else Gimp.ImageType.RGB_IMAGE
    layer = Gimp.Layer.new(image, name, WIDTH, HEIGHT, kind, 100.0, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, parent, 0)
    layer.set_offsets(*offset)
    fill(layer, "R'G'B' u8", PICTURE)
    return layer


def fill(layer, form, data):
    buffer = layer.get_buffer()
    area = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
    assert len(data) == area.width * area.height * (4 if "A" in form else 3)
    buffer.set(area, form, data)
    buffer.flush()


def new_trimap(image, offset, name="Trimap", alpha=True, parent=None):
    kind = Gimp.ImageType.RGBA_IMAGE if alpha else Gimp.ImageType.RGB_IMAGE
    size = arguments["trimap_size"]
    layer = Gimp.Layer.new(image, name, *size, kind, 100.0, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, parent, 0)
    layer.set_offsets(*offset)
    with open(arguments["trimap"], "rb") as file:
        fill(layer, "R'G'B'A u8", file.read())
    return layer


def new_group(image, parent=None):
    group = Gimp.GroupLayer.new(image, "group")
    image.insert_layer(group, parent, 0)
    return group


def select_figure(image, offset=(0, 0)):
    box = arguments["figure"]
    x, y = box[0] + offset[0], box[1] + offset[1]
    image.select_rectangle(Gimp.ChannelOps.REPLACE, x, y, box[2], box[3])


def call(image, layers, **options):
    config = PROCEDURE.create_config()
    config.set_property("image", image)
    if layers:
        config.set_core_object_array("drawables", layers)
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    for name, value in options.items():
        config.set_property(name.replace("_", "-"), value)
    answer = PROCEDURE.run(config)
    status = answer.index(0)
    error = Gimp.get_pdb().get_last_error()
    return status.value_nick, "" if status == Gimp.PDBStatusType.SUCCESS else error


def state(image, layers):
    _nonempty, *bounds = Gimp.Selection.bounds(image)
    return {
        "pixels": [digest(layer) for layer in layers],
        "names": [layer.get_name() for layer in image.get_layers()],
        "offsets": [list(layer.get_offsets())[1:] for layer in layers],
        "active": [layer.get_id() for layer in image.get_selected_layers()],
        "selection": bounds[1:] if len(bounds) > 4 else bounds,
        "edits_mask": [layer.get_edit_mask() for layer in layers],
        "visible": [layer.get_visible() for layer in layers],
        "format": [Babl.get_name(layer.get_format()) for layer in layers],
        "kinds": [type(layer).__name__ for layer in layers],
        "others": [
            [layer.get_name(), layer.get_visible(), layer.get_mask() is not None, digest(layer)]
            for layer in listed(image.get_layers())
            if layer.get_id() not in [worked_on.get_id() for worked_on in layers]
        ],
    }


def listed(items):
    """Return layers and those in groups, from the top."""
    for item in items:
        yield item
        if item.is_group_layer():
            yield from listed(item.get_children())


def run_case(name, image, layers, sent="R'G'B'A u8", mask="Y u8", drawables=None, **options):
    """Run the plug-in; write each layer as it must have been sent, and what came out."""
    if layers:
        image.set_selected_layers(layers)
    before = state(image, layers)
    result = {"before": before, "sizes": [], "masks": [], "layers": []}
    for number, layer in enumerate(layers):
        dump(f"{name}.{number}.sent", layer, sent)
        _found, x, y = layer.get_offsets()
        box = Gegl.Rectangle.new(x, y, layer.get_width(), layer.get_height())
        with open(os.path.join(FOLDER, f"{name}.{number}.hint"), "wb") as file:
            file.write(image.get_selection().get_buffer().get(box, 1.0, "Y u8", NONE))
        result["sizes"].append([layer.get_width(), layer.get_height()])
    profile = image.get_color_profile()
    if profile is not None:
        with open(os.path.join(FOLDER, f"{name}.icc"), "wb") as file:
            file.write(bytes(profile.get_icc_profile()))
    chosen = layers if drawables is None else drawables
    result["status"], result["error"] = call(image, chosen, **options)
    result["after"] = state(image, layers)
    for number, layer in enumerate(layers):
        found = layer.get_mask()
        if found is None:
            result["masks"].append(None)
            continue
        result["masks"].append([found.get_width(), found.get_height(), *found.get_offsets()[1:]])
        dump(f"{name}.{number}.mask", found, mask)
    for number, layer in enumerate(listed(image.get_layers())):
        dump(f"{name}.{number}.out", layer, sent)
        result["layers"].append(
            {
                "name": layer.get_name(),
                "size": [layer.get_width(), layer.get_height()],
                "offset": list(layer.get_offsets())[1:],
                "visible": layer.get_visible(),
                "mask": layer.get_mask() is not None,
                "active": layer.get_id() in result["after"]["active"],
            }
        )
    canvas = Gegl.Rectangle.new(0, 0, image.get_width(), image.get_height())
    with open(os.path.join(FOLDER, f"{name}.selection"), "wb") as file:
        file.write(image.get_selection().get_buffer().get(canvas, 1.0, "Y u8", NONE))
    RESULTS[name] = result
    image.delete()


def picture_image(precision=Gimp.Precision.U8_NON_LINEAR, **layer_options):
    """Return a new image with one layer whose figure is selected."""
    image = new_image(precision)
    layer = new_layer(image, "portrait", **layer_options)
    select_figure(image)
    return image, layer


RESULTS = {}


def large():
    image = new_image(canvas=(6000, 4000))
    layer = new_layer(image, "portrait")
    layer.scale(6000, 4000, False)
    x, y, width, height = arguments["figure"]
    across, down = 6000 / WIDTH, 4000 / HEIGHT
    box = [round(x * across), round(y * down), round(width * across), round(height * down)]
    image.select_rectangle(Gimp.ChannelOps.REPLACE, *box)
    run_case("large", image, [layer])


def rgba():
    image, layer = picture_image()
    run_case("rgba", image, [layer])


def opaque():
    image, layer = picture_image(alpha=False)
    run_case("opaque", image, [layer], "R'G'B' u8")


def soft():
    """A layer whose own alpha falls from left to right."""
    image, layer = picture_image()
    fade(layer)
    run_case("soft", image, [layer])


def fade(layer):
    pixels = bytearray(native(layer))
    for x in range(WIDTH):
        value = 255 - x * 255 // WIDTH
        pixels[4 * x + 3 :: 4 * WIDTH] = bytes([value]) * HEIGHT
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, WIDTH, HEIGHT), "R'G'B'A u8", bytes(pixels))
    buffer.flush()


def precisions():
    for name, precision, sent, mask in (
        ("sixteen_bit", Gimp.Precision.U16_NON_LINEAR, "R'G'B'A u16", "Y u16"),
        ("sixteen_bit_linear", Gimp.Precision.U16_LINEAR, "R'G'B'A u16", "Y u16"),
        ("eight_bit_linear", Gimp.Precision.U8_LINEAR, "R'G'B'A u8", "Y u8"),
        ("thirty_two_bit", Gimp.Precision.U32_NON_LINEAR, "R'G'B'A float", "Y u16"),
        ("half", Gimp.Precision.HALF_NON_LINEAR, "R'G'B'A float", "Y u16"),
        ("float", Gimp.Precision.FLOAT_NON_LINEAR, "R'G'B'A float", "Y u16"),
        ("float_linear", Gimp.Precision.FLOAT_LINEAR, "R'G'B'A float", "Y u16"),
        ("double_linear", Gimp.Precision.DOUBLE_LINEAR, "R'G'B'A float", "Y u16"),
        ("thirty_two_bit_linear", Gimp.Precision.U32_LINEAR, "R'G'B'A float", "Y u16"),
        ("half_linear", Gimp.Precision.HALF_LINEAR, "R'G'B'A float", "Y u16"),
    ):
        image, layer = picture_image(precision)
        run_case(name, image, [layer], sent, mask)


def modes():
    image, layer = picture_image()
    image.convert_grayscale()
    run_case("grayscale", image, [layer], "Y'A u8")
    image, layer = picture_image(Gimp.Precision.U16_NON_LINEAR, alpha=False)
    image.convert_grayscale()
    run_case("grayscale_opaque", image, [layer], "Y' u16", "Y u16")
    image, layer = picture_image()
    convert_indexed(image)
    run_case("indexed", image, [layer])


def convert_indexed(image, palette=Gimp.ConvertPaletteType.GENERATE):
    image.convert_indexed(Gimp.ConvertDitherType.NONE, palette, 64, False, False, "")


def in_own_space(layer, form):
    return Babl.get_name(Babl.format_with_space(form, Babl.format_get_space(layer.get_format())))


def colour_managed():
    """The picture keeps its look; its numbers are those of another colour space."""
    intent = Gimp.ColorRenderingIntent.RELATIVE_COLORIMETRIC
    for name, precision, sent, mask in (
        ("managed", Gimp.Precision.U8_NON_LINEAR, "R'G'B'A u8", "Y u8"),
        ("managed_float", Gimp.Precision.FLOAT_LINEAR, "R'G'B'A float", "Y u16"),
    ):
        image, layer = picture_image(precision)
        profile = Gimp.ColorProfile.new_rgb_adobe()
        if "linear" in precision.value_nick.replace("non-linear", ""):
            profile = profile.new_linear_from_color_profile()
        image.convert_color_profile(profile, intent, False)
        run_case(name, image, [layer], in_own_space(layer, sent), mask)
    image, layer = picture_image()
    image.convert_grayscale()
    image.convert_color_profile(Gimp.ColorProfile.new_d50_gray_lab_trc(), intent, False)
    run_case("managed_gray", image, [layer], in_own_space(layer, "Y'A u8"))


def places():
    image = new_image(canvas=(WIDTH - 40, HEIGHT + 20))
    layer = new_layer(image, "portrait", offset=(-18, 26))
    select_figure(image, (-18, 26))
    run_case("off_canvas", image, [layer])
    image = new_image()
    first = new_layer(image, "first", offset=(-3, 2))
    second = new_layer(image, "second", offset=(4, -1))
    new_layer(image, "third")
    select_figure(image)
    run_case("several", image, [first, second])
    image = new_image()
    layer = new_layer(image, "portrait", offset=(2 * WIDTH, 0))
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 1, 1, 20, 20)
    run_case("selection_elsewhere", image, [layer])
    image = new_image()
    size = arguments["portrait_size"]
    layer = Gimp.Layer.new(
        image, "portrait", *size, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL
    )
    image.insert_layer(layer, None, 0)
    layer.set_offsets(WIDTH, -7)
    with open(arguments["portrait"], "rb") as file:
        fill(layer, "R'G'B' u8", file.read())
    run_case("wholly_off_canvas", image, [layer])


def kinds():
    image, layer = picture_image()
    layer.set_visible(False)
    run_case("invisible", image, [layer])
    image, layer = picture_image()
    layer.set_lock_content(True)
    layer.set_lock_position(True)
    layer.set_lock_alpha(True)
    layer.set_lock_visibility(True)
    run_case("locked", image, [layer])
    for name, mode, output in (
        ("group", Gimp.LayerMode.NORMAL, "mask"),
        ("pass_through_group", Gimp.LayerMode.PASS_THROUGH, "mask"),
        ("group_cutout", Gimp.LayerMode.NORMAL, "layer"),
    ):
        image = new_image()
        group = new_group(image)
        group.set_mode(mode)
        new_layer(image, "inner", offset=(5, 7), parent=group)
        select_figure(image, (5, 7))
        run_case(name, image, [group], output=output)
    image = new_image()
    group = new_group(image)
    inner = new_layer(image, "inner", offset=(5, 7), parent=group)
    select_figure(image, (5, 7))
    run_case("in_a_group", image, [inner], output="layer")
    for name, output in (("text", "mask"), ("text_cutout", "layer")):
        image = new_image()
        font = Gimp.context_get_font()
        text = Gimp.TextLayer.new(image, "W", font, 150, Gimp.Unit.pixel())
        image.insert_layer(text, None, 0)
        width, height = text.get_width() - 24, text.get_height() - 24
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 12, 12, width, height)
        run_case(name, image, [text], output=output)


def existing_masks():
    for name, existing, output in (
        ("intersect", "intersect", "mask"),
        ("replace", "replace", "mask"),
        ("masked_cutout", "intersect", "layer"),
    ):
        image, layer = picture_image()
        mask = layer.create_mask(Gimp.AddMaskType.WHITE)
        buffer = mask.get_buffer()
        column = bytes(x * 255 // WIDTH for x in range(WIDTH))
        buffer.set(Gegl.Rectangle.new(0, 0, WIDTH, HEIGHT), "Y u8", column * HEIGHT)
        buffer.flush()
        layer.add_mask(mask)
        layer.set_edit_mask(name == "intersect")
        run_case(name, image, [layer], drawables=[mask], existing_mask=existing, output=output)


def outputs():
    image, layer = picture_image()
    fade(layer)
    run_case("cutout", image, [layer], output="layer")
    image, layer = picture_image()
    run_case("cutout_unclean", image, [layer], output="layer", clean_edges=False)
    image, layer = picture_image(Gimp.Precision.U16_NON_LINEAR, alpha=False, offset=(-3, 4))
    run_case("cutout_opaque", image, [layer], "R'G'B' u16", output="layer")
    image, layer = picture_image()
    image.convert_grayscale()
    run_case("cutout_gray", image, [layer], "Y'A u8", output="layer")
    image = new_image(canvas=(WIDTH - 40, HEIGHT + 20))
    layer = new_layer(image, "portrait", offset=(-18, 26))
    select_figure(image, (-18, 26))
    run_case("selection", image, [layer], output="selection")
    image, layer = picture_image(Gimp.Precision.FLOAT_LINEAR)
    run_case("selection_deep", image, [layer], "R'G'B'A float", output="selection")
    image, layer = picture_image()
    convert_indexed(image)
    run_case("selection_indexed", image, [layer], output="selection")
    image, layer = picture_image()
    new_layer(image, "above")
    run_case("background", image, [layer], output="background", edge_shift=-2.0, feather=1.5)
    image, layer = picture_image()
    convert_indexed(image)
    run_case("background_indexed", image, [layer], output="background")


def trimaps():
    """No selection, but a trimap of another size and place that marks something else."""
    image = new_image()
    layer = new_layer(image, "portrait", offset=(5, 7))
    new_trimap(image, (41, -9)).set_visible(False)
    run_case("trimap", image, [layer])
    image = new_image(Gimp.Precision.FLOAT_LINEAR)
    layer = new_layer(image, "portrait", offset=(5, 7))
    new_trimap(image, (41, -9), "trimap", alpha=False, parent=new_group(image))
    run_case("trimap_float", image, [layer], "R'G'B'A float", "Y u16")
    image = new_image(Gimp.Precision.U16_NON_LINEAR)
    layer = new_layer(image, "portrait", offset=(5, 7))
    new_trimap(image, (41, -9), "TRIMAP")
    image.convert_grayscale()
    run_case("trimap_gray", image, [layer], "Y'A u16", "Y u16")
    image = new_image()
    layer = new_layer(image, "portrait", offset=(5, 7))
    new_trimap(image, (41, -9))
    convert_indexed(image, Gimp.ConvertPaletteType.WEB)
    run_case("trimap_indexed", image, [layer])
    image = new_image()
    layer = new_layer(image, "portrait", offset=(5 - 2 * WIDTH, 7))
    new_trimap(image, (41 - 2 * WIDTH, -9))
    run_case("trimap_off_canvas", image, [layer])
    image = new_image()
    layers = [new_layer(image, "first", offset=(5, 7)), new_layer(image, "second", offset=(0, 3))]
    trimap = new_trimap(image, (41, -9))
    run_case("trimap_and_several", image, layers, drawables=[*layers, trimap])
    image, layer = picture_image()
    new_trimap(image, (WIDTH, 0))
    run_case("trimap_elsewhere", image, [layer])


def problems():
    image, layer = picture_image()
    Gimp.Selection.none(image)
    run_case("nobody", image, [layer])
    image, layer = picture_image()
    run_case("selection_unused", image, [layer], use_selection=False)
    image, layer = picture_image()
    run_case("unknown_model", image, [layer], model="no-such-model")
    image, layer = picture_image()
    convert_indexed(image)
    run_case("indexed_cutout", image, [layer], output="layer")
    image = new_image()
    layer = Gimp.Layer.new(
        image, "dot", 1, 1, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL
    )
    image.insert_layer(layer, None, 0)
    layer.fill(Gimp.FillType.WHITE)
    run_case("dot", image, [layer])
    image = new_image()
    layer = Gimp.Layer.new(
        image, "empty", WIDTH, HEIGHT, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL
    )
    image.insert_layer(layer, None, 0)
    run_case("empty", image, [layer])
    image, layer = picture_image()
    channel = Gimp.Channel.new(image, "channel", WIDTH, HEIGHT, 50.0, Gegl.Color.new("red"))
    image.insert_channel(channel, None, 0)
    run_case("channel", image, [layer], drawables=[channel])
    image, layer = picture_image()
    Gimp.edit_copy([layer])
    (floating,) = Gimp.edit_paste(layer, True)
    assert floating.is_floating_sel()
    run_case("floating", image, [floating])
    image = new_image()
    run_case("empty_group", image, [new_group(image)])
    image = new_image()
    run_case("trimap_alone", image, [new_trimap(image, (0, 0))])
    image = new_image()
    run_case("no_layer", image, [])
    image, first = picture_image()
    second = Gimp.Layer.new(
        image, "empty", WIDTH, HEIGHT, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL
    )
    image.insert_layer(second, None, 0)
    run_case("one_of_two_fails", image, [first, second])


for case in (
    large,
    rgba,
    opaque,
    soft,
    precisions,
    modes,
    colour_managed,
    places,
    kinds,
    existing_masks,
    outputs,
    trimaps,
    problems,
):
    try:
        case()
    except Exception:
        RESULTS[case.__name__] = {"status": "raised", "error": traceback.format_exc()}

with open(os.path.join(FOLDER, "results.json"), "w") as file:
    json.dump(RESULTS, file)
