"""Runs inside GIMP: one picture goes through the plug-in, its mask is written.

`arguments`: picture (RGB u8 file), mask (file to write), size, figure.
"""

width, height = arguments["size"]
image = Gimp.Image.new(width, height, Gimp.ImageBaseType.RGB)
layer = Gimp.Layer.new(
    image, "portrait", width, height, Gimp.ImageType.RGB_IMAGE, 100.0, Gimp.LayerMode.NORMAL
)
image.insert_layer(layer, None, 0)
area = Gegl.Rectangle.new(0, 0, width, height)
buffer = layer.get_buffer()
with open(arguments["picture"], "rb") as file:
    buffer.set(area, "R'G'B' u8", file.read())
buffer.flush()
image.select_rectangle(Gimp.ChannelOps.REPLACE, *arguments["figure"])

procedure = Gimp.get_pdb().lookup_procedure("plug-in-bshm-remove-background-options")
config = procedure.create_config()
config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
config.set_property("image", image)
config.set_core_object_array("drawables", [layer])
answer = procedure.run(config)
assert answer.index(0) == Gimp.PDBStatusType.SUCCESS, Gimp.get_pdb().get_last_error()
with open(arguments["mask"], "wb") as file:
    file.write(layer.get_mask().get_buffer().get(area, 1.0, "Y u8", Gegl.AbyssPolicy.NONE))
