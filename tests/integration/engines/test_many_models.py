"""More models than may be loaded, and models that come while the service runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge_client import CannotMatte
from bshm_bridge.models.store import store_of

from ..conftest import RunningService, rgb
from . import test_trimap_and_video_models as models
from .test_trimap_and_video_models import clip, options

files, home = models.files, models.home
Start = Callable[..., RunningService]


def loaded(service: RunningService) -> set[str]:
    return {model.name for model in service.client().status().models if model.worker_pid}


def use(service: RunningService, model: str, seed: int) -> None:
    assert service.client().matte(rgb(clip(seed, 1)[0]), options=options(model)).model == model


@pytest.mark.parametrize("most", [1, 2])
def test_the_model_that_was_used_longest_ago_makes_room(
    start_service: Start, home: Path, most: int
) -> None:
    config = home / "config.toml"
    config.write_text(f"[service]\nloaded_models = {most}\n")
    try:
        service = start_service(home=home)
        first, second, third = "rvm-mobilenetv3", "rvm-resnet50", "video-human-matting"
        for seed, model in enumerate((first, second, first)):
            use(service, model, seed)
        assert loaded(service) == {first, second} if most == 2 else {first}
        use(service, third, 7)
        assert loaded(service) == {first, third} if most == 2 else {third}
    finally:
        config.unlink()


def test_a_model_can_be_used_as_soon_as_it_is_added(
    start_service: Start, home: Path, files: Path
) -> None:
    service = start_service(home=home)
    store = store_of(home / "models")
    folder = files / "own"
    folder.mkdir()
    (folder / "own.onnx").write_bytes((files / "video.onnx").read_bytes())
    text = next(item for item in store.manifests() if item.name == "rvm-resnet50").to_toml()
    own = text.replace('"rvm-resnet50"', '"own"').replace('"rvm_resnet50_fp32.onnx"', '"own.onnx"')
    (folder / "model.toml").write_text(own)
    with pytest.raises(CannotMatte, match="no model named"):
        use(service, "own", 1)
    store.add(folder)
    try:
        assert "own" in {model.name for model in service.client().status().models}
        use(service, "own", 1)
        assert "own" in loaded(service)
    finally:
        service.client().release("own")
        store.remove("own")
    deadline = time.monotonic() + 10
    while "own" in {model.name for model in service.client().status().models}:
        assert time.monotonic() < deadline
        time.sleep(0.05)
