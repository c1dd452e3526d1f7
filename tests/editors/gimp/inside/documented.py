"""Runs inside GIMP: Python code of the documentation, with a photo as `image`.

`arguments`: code, photo, answer (file to write: the names of the layers after it).
"""

import json

image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(arguments["photo"]))
scope = {"Gimp": Gimp, "image": image}
exec(arguments["code"], scope)
assert scope["result"].index(0) == Gimp.PDBStatusType.SUCCESS, Gimp.get_pdb().get_last_error()
with open(arguments["answer"], "w") as file:
    json.dump([layer.get_name() for layer in image.get_layers()], file)
