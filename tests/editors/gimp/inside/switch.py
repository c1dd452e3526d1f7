"""Runs inside GIMP: one picture, model after model, of which one comes while GIMP runs.

`arguments`: picture (RGB u8 file), size, figure, models (names; the mask of each is written to
a file of its name in `folder`), manifest (folder and text, written before the second model).
"""

import os

width, height = arguments["size"]
area = Gegl.Rectangle.new(0, 0, width, height)
procedure = Gimp.get_pdb().lookup_procedure("plug-in-bshm-remove-background-options")
for number, model in enumerate(arguments["models"]):
    if number == 1:
        os.makedirs(arguments["manifest"]["folder"])
        with open(os.path.join(arguments["manifest"]["folder"], "model.toml"), "w") as file:
            file.write(arguments["manifest"]["text"])
    image = Gimp.Image.new(width, height, Gimp.ImageBaseType.RGB)
    layer = Gimp.Layer.new(
        image, "portrait", width, height, Gimp.ImageType.RGB_IMAGE, 100.0, Gimp.LayerMode.NORMAL
    )
    image.insert_layer(layer, None, 0)
    buffer = layer.get_buffer()
    with open(arguments["picture"], "rb") as file:
        buffer.set(area, "R'G'B' u8", file.read())
    buffer.flush()
    image.select_rectangle(Gimp.ChannelOps.REPLACE, *arguments["figure"])
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", [layer])
    config.set_property("model", model)
    answer = procedure.run(config)
    assert answer.index(0) == Gimp.PDBStatusType.SUCCESS, Gimp.get_pdb().get_last_error()
    with open(os.path.join(arguments["folder"], model), "wb") as file:
        file.write(layer.get_mask().get_buffer().get(area, 1.0, "Y u8", Gegl.AbyssPolicy.NONE))
