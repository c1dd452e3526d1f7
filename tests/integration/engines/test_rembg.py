"""Our manifests and rembg's own session classes, on the same stand-in files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bshm_bridge.engines.base import Cancellation, EngineInput
from bshm_bridge.engines.interpreters import find_uv
from bshm_bridge.engines.runtime import WorkerEngine
from bshm_bridge.models import builtin

from .conftest import CACHE, ignore_progress, install, locked

SCRIPT = Path(__file__).parents[2] / "standins" / "run_rembg.py"
# rembg's whole list of requirements holds numba and more, which its session classes do not use.
REMBG = ["rembg==2.0.86"]
NEEDED = [
    "onnxruntime>=1.20,<2",
    "onnx>=1.17",
    "pillow>=10",
    "pooch>=1.8",
    "numpy>=2",
    "scipy",
    "jsonschema",
]

# Our name of a model, and rembg's.
NAMES = {
    "u2net": "u2net",
    "u2netp": "u2netp",
    "u2net-human-seg": "u2net_human_seg",
    "silueta": "silueta",
    "isnet-general-use": "isnet-general-use",
    "isnet-anime": "isnet-anime",
    "birefnet-general": "birefnet-general",
    "birefnet-general-lite": "birefnet-general-lite",
    "birefnet-portrait": "birefnet-portrait",
    "rmbg-2.0": "bria-rmbg",
}
SIZES = {"landscape": (301, 197), "portrait": (151, 333), "dark": (90, 64)}


def rembg_python() -> Path:
    """Return an interpreter with rembg's session classes, made once."""
    folder = CACHE / "rembg"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    mark = folder / "installed.txt"
    wanted = "\n".join(REMBG + NEEDED)
    with locked("rembg"):
        if mark.is_file() and mark.read_text() == wanted:
            return python
        uv = find_uv()
        if uv is not None:
            make = [[str(uv), "venv", "--clear", "--python", sys.executable, str(folder)]]
            pip = [str(uv), "pip", "install", "--python", str(python)]
        else:
            make = [[sys.executable, "-m", "venv", "--clear", str(folder)]]
            pip = [str(python), "-m", "pip", "install"]
        for command in (*make, [*pip, *NEEDED], [*pip, "--no-deps", *REMBG]):
            subprocess.run(command, check=True, capture_output=True, timeout=600)
        mark.write_text(wanted)
    return python


def picture(name: str) -> NDArray[np.uint8]:
    width, height = SIZES[name]
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    waves = np.stack([np.sin(9 * x + 2 * y), np.cos(7 * y), np.sin(11 * (x - y))], axis=-1)
    noise = np.random.default_rng(8).normal(0, 0.15, waves.shape)
    # The recipes divide by the largest value, which shows only where that is not 255.
    top = 120 if name == "dark" else 255
    return np.clip((waves + noise + 1) / 2 * top, 0, top).astype(np.uint8)


@pytest.fixture(scope="module")
def rembg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the stand-ins and rembg's masks."""
    folder = tmp_path_factory.mktemp("rembg")
    paths = []
    for name in SIZES:
        paths.append(folder / f"{name}.png")
        Image.fromarray(picture(name)).save(paths[-1])
    command = [rembg_python(), SCRIPT, folder, *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_alpha_equals_that_of_rembg(name: str, rembg: Path, tmp_path: Path) -> None:
    manifest = next(item for item in builtin.manifests() if item.name == name)
    engine = WorkerEngine("onnx", install("onnx"), tmp_path / "logs")
    file = rembg / f"{NAMES[name]}.onnx"
    session = engine.load(manifest, file, "cpu", Cancellation(), ignore_progress)
    try:
        for stem, size in SIZES.items():
            alpha = session.infer(EngineInput(picture(stem)), Cancellation(), ignore_progress)
            # Enlarged as rembg does it; in the service the layer's own pixels guide that.
            mask = Image.fromarray((alpha * 255).astype(np.uint8))
            ours = np.asarray(mask.resize(size, Image.Resampling.LANCZOS), np.int16)
            theirs = np.load(rembg / f"{NAMES[name]}-{stem}.npy").astype(np.int16)
            assert theirs.std() > 5
            assert np.abs(ours - theirs).max() <= 2, stem
    finally:
        session.close()


def test_every_manifest_that_says_so_is_compared_with_rembg() -> None:
    folder = Path(builtin.__file__).parent
    said = {
        path.stem
        for path in folder.glob("*.toml")
        if path.read_text(encoding="utf-8").startswith("# As rembg runs it.")
    }
    assert said == set(NAMES)
