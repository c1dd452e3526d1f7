from __future__ import annotations

import os

# Texts are looked up when the plug-in's modules are first imported.
os.environ["LANGUAGE"] = "en"
