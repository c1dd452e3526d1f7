"""Runs inside GIMP: what the procedure browser shows of the plug-in's procedures.

`arguments`: answer (file to write).
"""

import json

pdb = Gimp.get_pdb()
found = []
for name in ("plug-in-bshm-remove-background", "plug-in-bshm-remove-background-options"):
    procedure = pdb.lookup_procedure(name)
    found.append(
        {
            "summary": procedure.get_blurb(),
            "help": procedure.get_help(),
            "arguments": {spec.get_name(): spec.get_blurb() for spec in procedure.get_arguments()},
        }
    )
with open(arguments["answer"], "w") as file:
    json.dump(found, file)
