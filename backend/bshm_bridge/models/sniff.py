"""What a model file is, by its first bytes, before anything tries to load it."""

from __future__ import annotations

from pathlib import Path

from bshm_bridge.errors import InvalidInput


def refuse_wrong_kind(path: Path) -> None:
    """Raise `InvalidInput` for files that no engine should be given.

    Frozen TensorFlow graphs and ONNX files are Protocol Buffers: their first byte is the tag
    of a field, and they are no archive, no pickle and no text.
    """
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        raise InvalidInput("The model file is empty; download it again.", "model-file")
    if head.startswith(b"version https://git-lfs"):
        raise InvalidInput(
            "The model file is only a pointer of Git LFS; run `git lfs pull` where it came from.",
            "model-file",
        )
    if head.startswith(b"PK\x03\x04") or head[:1] == b"\x80":
        raise InvalidInput(
            "The model file is a pickle or an archive (PyTorch checkpoints are), which could run "
            "any code when it is loaded; export the model to ONNX and add that file.",
            "pickle",
        )
    if head.lstrip()[:1] in (b"<", b"{"):
        raise InvalidInput(
            "The model file is a web page or text, not a model; download it again.", "model-file"
        )
    if head[0] not in _FIRST_TAGS:
        raise InvalidInput(
            "The model file is neither a frozen TensorFlow graph nor an ONNX file.", "model-file"
        )


# GraphDef: node (1), versions (4), library (2). ModelProto: ir_version (1), producer_name (2),
# graph (7), opset_import (8).
_FIRST_TAGS = {0x0A, 0x22, 0x12, 0x08, 0x3A, 0x42}
