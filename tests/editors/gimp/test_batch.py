"""GIMP without a window: the README's batch line, and many GIMPs at one service."""

from __future__ import annotations

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from bridge_client import MatteOptions, Pixels
from bshm_bridge import samples
from tests.editors.gimp.picture import FIGURE, SIZE, picture
from tests.editors.gimp.runner import GimpRunner, complaints
from tests.editors.sandbox import REPOSITORY, Finished
from tests.editors.service import TestService

WIDTH, HEIGHT = SIZE


def test_batch_line_of_the_readme_works_as_printed(gimp: GimpRunner, tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    (line,) = [block for block in blocks if "plug-in-script-fu-eval" in block]
    shutil.copy(samples.portrait(), tmp_path / "photo.jpg")
    finished = gimp.shell(line, tmp_path).check()
    assert complaints(finished.stderr) == []
    with Image.open(samples.portrait()) as photo, Image.open(tmp_path / "photo.png") as cutout:
        assert (cutout.mode, cutout.size) == ("RGBA", photo.size)
        alpha = np.asarray(cutout.getchannel("A"))
    assert (alpha[:40, :40] == 0).all()  # a corner of the background
    assert alpha[alpha.shape[0] * 3 // 4, alpha.shape[1] // 3] == 255  # the person


def test_python_lines_of_the_documentation_work_as_printed(
    gimp: GimpRunner, tmp_path: Path
) -> None:
    (code,) = re.findall(
        r"```python\n(.*?)```", (REPOSITORY / "docs/gimp.md").read_text(), re.DOTALL
    )
    photo, answer = tmp_path / "photo.jpg", tmp_path / "answer.json"
    shutil.copy(samples.portrait(), photo)
    finished = gimp.console("documented.py", {"code": code, "photo": photo, "answer": answer})
    assert complaints(finished.check().stderr) == []
    assert json.loads(answer.read_text()) == ["Background cut-out", "Background"]


def test_procedure_browser_tells_what_the_documentation_tells(
    gimp: GimpRunner, tmp_path: Path
) -> None:
    answer = tmp_path / "answer.json"
    gimp.console("browse.py", {"answer": answer}).check()
    rows = re.findall(r"^\| `([a-z-]+)` \|", (REPOSITORY / "docs/gimp.md").read_text(), re.M)
    for procedure in json.loads(answer.read_text()):
        assert procedure["summary"].startswith("Hide the background of the selected layers")
        assert "A layer named “trimap”" in procedure["help"]
        own = {name: text for name, text in procedure["arguments"].items() if name in rows}
        assert list(own) == rows
        assert all(len(text) > 15 for text in own.values())
        others = {"run-mode", "image", "drawables"}
        assert others <= set(procedure["arguments"]) - set(rows) <= {*others, "remember"}


def test_ten_gimps_at_once_get_the_right_masks(
    gimp: GimpRunner, service: TestService, tmp_path: Path
) -> None:
    def run(number: int) -> Finished:
        file = tmp_path / f"{number}.picture"
        file.write_bytes(picture(seed=number).tobytes())
        arguments = {
            "picture": file,
            "mask": tmp_path / f"{number}.mask",
            "size": SIZE,
            "figure": FIGURE,
        }
        return gimp.console("one.py", arguments, name=f"gimp-{number}")

    with ThreadPoolExecutor(10) as pool:
        for finished in pool.map(run, range(10)):
            assert complaints(finished.check().stderr) == []
    masks = set()
    for number in range(10):
        mask = (tmp_path / f"{number}.mask").read_bytes()
        assert mask == any_clients_mask(service, number)
        masks.add(mask)
    assert len(masks) == 10


def any_clients_mask(service: TestService, seed: int, model: str = "auto") -> bytes:
    """Return what the service answers to a client beside GIMP."""
    hint = np.zeros((HEIGHT, WIDTH), np.uint8)
    x, y, width, height = FIGURE
    hint[y : y + height, x : x + width] = 255
    matte = service.client.matte(
        Pixels(picture(seed=seed).tobytes(), WIDTH, HEIGHT, "RGB"),
        hint=Pixels(hint.tobytes(), WIDTH, HEIGHT, "GRAY"),
        options=MatteOptions(model=model),
    )
    assert model in ("auto", matte.model)
    return bytes(matte.alpha.data)


# The embedded engine under another name: a model with a file would need an engine to be installed.
SECOND = """
name = "second"
engines = ["classic"]
[input]
layout = "HWC"
size = { rule = "at-most", long_side = 60 }
[output]
"""


def test_models_switch_without_a_restart_of_anything(
    gimp: GimpRunner, service: TestService, tmp_path: Path
) -> None:
    pid = service.start().pid
    file = tmp_path / "picture"
    file.write_bytes(picture(seed=77).tobytes())
    folder = service.home / "models" / "second"
    arguments = {
        "picture": file,
        "size": SIZE,
        "figure": FIGURE,
        "models": ["classic", "second"],
        "folder": tmp_path,
        "manifest": {"folder": folder, "text": SECOND},
    }
    try:
        finished = gimp.console("switch.py", arguments).check()
        assert complaints(finished.stderr) == []
        masks = {model: (tmp_path / model).read_bytes() for model in ("classic", "second")}
        for model, mask in masks.items():
            assert mask == any_clients_mask(service, 77, model)
        assert masks["classic"] != masks["second"]
        assert service.pid() == pid
    finally:
        shutil.rmtree(folder, ignore_errors=True)
