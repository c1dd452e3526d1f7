"""The same graph gives the same alpha in every runtime, and in ModelScope's pipeline."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bshm_bridge.engines import installation, interpreters
from bshm_bridge.engines.base import Cancellation, EngineInput
from bshm_bridge.engines.conversion import convert
from bshm_bridge.errors import NotReady
from bshm_bridge.models.manifest import Manifest

from .conftest import CACHE, Load, ignore_progress, install, locked, weighted_alpha

MODELSCOPE = ["modelscope==1.9.5", "torch==1.12.1", "numpy==1.18.5", "protobuf==3.20.3"]
MODELSCOPE += ["opencv-python-headless<4.6"]

ONE_STEP = 1 / 255 + 1e-6


def infer(session: object, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    return session.infer(EngineInput(picture), Cancellation(), ignore_progress)  # type: ignore


@pytest.fixture(scope="session")
def converted(
    graphs: Path, standin: Manifest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Return ONNX files made from two of the graphs."""
    environments = install("tf2")
    install("onnx")
    folder = tmp_path_factory.mktemp("logs")
    for kind in ("weighted", "unets"):
        file = graphs / f"{kind}.pb"
        convert(standin, file, environments, folder, Cancellation(), ignore_progress)
    return {kind: graphs / f"{kind}.onnx" for kind in ("weighted", "unets")}


@pytest.mark.parametrize("engine", ["tf1", "tf2", "onnx"])
def test_channels_arrive_in_the_order_red_green_blue(
    engine: str, graphs: Path, converted: dict[str, Path], load: Load, picture: NDArray[np.uint8]
) -> None:
    alpha = infer(load(engine, graphs / "weighted.pb"), picture)
    expected = weighted_alpha(picture)
    assert np.abs(alpha - expected).max() <= ONE_STEP
    # The test can tell: the other order is far off.
    assert np.abs(weighted_alpha(picture[..., ::-1]) - expected).max() > 0.3


def test_runtimes_agree_within_one_step(
    graphs: Path, converted: dict[str, Path], load: Load, picture: NDArray[np.uint8]
) -> None:
    alphas = [infer(load(name, graphs / "unets.pb"), picture) for name in ("tf1", "tf2", "onnx")]
    assert alphas[0].std() > 0.02
    for other in alphas[1:]:
        assert np.abs(alphas[0] - other).max() <= ONE_STEP


def test_a_conversion_that_answers_differently_is_not_kept(
    graphs: Path, standin: Manifest, tmp_path: Path
) -> None:
    environments = install("tf2")
    install("onnx")
    file = tmp_path / "tf_graph.pb"
    shutil.copy(graphs / "weighted.pb", file)
    make = Path(__file__).parents[2] / "standins" / "make_onnx.py"

    def write_wrong(source: Path, target: Path) -> None:
        python = environments.get("tf2").python
        subprocess.run([python, make, "blue", target], check=True)

    with pytest.raises(NotReady, match="does not answer like the original") as caught:
        convert(standin, file, environments, tmp_path, Cancellation(), ignore_progress, write_wrong)
    assert caught.value.reason == "conversion-differs"
    assert [path.name for path in tmp_path.glob("*graph*")] == ["tf_graph.pb"]


def test_what_is_no_graph_is_not_converted(standin: Manifest, tmp_path: Path) -> None:
    environments = install("tf2")
    install("onnx")
    file = tmp_path / "tf_graph.pb"
    file.write_bytes(b"no graph")
    with pytest.raises(NotReady) as caught:
        convert(standin, file, environments, tmp_path, Cancellation(), ignore_progress)
    assert caught.value.reason == "wrong-graph"


@pytest.fixture(scope="session")
def modelscope_python() -> Path:
    """Return a Python 3.7 with the real modelscope on top of the environment of tf1.

    The pipeline imports torch although it does not use it; 1.12.1 is the last that comes
    without gigabytes of CUDA packages.
    """
    base = install("tf1").get("tf1").python
    folder = CACHE / "modelscope-1.9.5"
    python = installation.python_in(folder)
    finished = folder / "finished"
    with locked("modelscope"):
        if not finished.exists():
            uv = interpreters.find_uv()
            maker: list[str | Path] = (
                [uv, "venv", "--clear", "--python", base] if uv else [base, "-m", "venv"]
            )
            subprocess.run([*maker, folder], check=True)
            packages = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
            here, below = (
                subprocess.run(
                    [item, "-c", packages], check=True, capture_output=True, text=True
                ).stdout.strip()
                for item in (python, base)
            )
            Path(here, "tensorflow-of-tf1.pth").write_text(below + "\n")
            pip: list[str | Path] = (
                [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip"]
            )
            subprocess.run([*pip, *([] if uv else ["install"]), *MODELSCOPE], check=True)
            finished.touch()
    return python


@pytest.mark.parametrize("kind", ["weighted", "unets"])
def test_alpha_equals_that_of_modelscopes_pipeline(
    kind: str,
    graphs: Path,
    load: Load,
    picture: NDArray[np.uint8],
    modelscope_python: Path,
    tmp_path: Path,
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "tf_graph.pb").symlink_to(graphs / f"{kind}.pb")
    (model / "configuration.json").write_text(
        json.dumps(
            {
                "framework": "tensorflow",
                "task": "portrait-matting",
                "pipeline": {"type": "unet-image-matting"},
            }
        )
    )
    Image.fromarray(picture).save(tmp_path / "picture.png")
    script = Path(__file__).with_name("run_modelscope.py")
    subprocess.run(
        [modelscope_python, script, model, tmp_path / "picture.png", tmp_path / "out.npy"],
        check=True,
        capture_output=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": "", "MODELSCOPE_CACHE": str(tmp_path / "cache")},
    )
    theirs = np.load(tmp_path / "out.npy")[..., 3]
    ours = infer(load("tf1", graphs / f"{kind}.pb"), picture)
    assert theirs.std() > 2
    np.testing.assert_array_equal(np.rint(ours * 255).astype(np.uint8), theirs)
