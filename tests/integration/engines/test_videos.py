"""`bshm matte` on videos and numbered frames, with a stand-in that remembers."""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bshm_bridge import samples

from ..conftest import RunningService, environment
from . import test_trimap_and_video_models as models
from .test_trimap_and_video_models import clip, expected_alphas

files, home = models.files, models.home
Start = Callable[..., RunningService]
MODEL = ("--model", "rvm-mobilenetv3", "--device", "cpu", "--refine", "fast")


@pytest.fixture
def service(start_service: Start, home: Path) -> RunningService:
    return start_service(home=home)


def bshm(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bshm_bridge", *map(str, arguments)]
    return subprocess.run(
        command, env=environment(home), capture_output=True, text=True, timeout=200
    )


def write_clip(
    path: Path, frames: list[NDArray[np.uint8]], codec: str = "ffv1", pixels: str = "bgr0"
) -> Path:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=Fraction(24000, 1001))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixels
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def read_clip(path: Path, format: str) -> Iterator[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format=format)


def assert_remembered(found: list[NDArray[np.uint8]], frames: list[NDArray[np.uint8]]) -> None:
    for ours, theirs in zip(found, expected_alphas(frames), strict=True):
        np.testing.assert_allclose(ours / 255, theirs, atol=1.5 / 255)


def test_a_clip_becomes_an_alpha_video_and_a_cut_out(
    service: RunningService, tmp_path: Path
) -> None:
    frames = clip(11, 12)
    source = write_clip(tmp_path / "clip.mkv", frames)
    done = bshm(service.home, "matte", source, "-d", tmp_path / "out", *MODEL, "--json")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert (result["frames"], result["width"], result["height"]) == (12, 60, 40)
    assert result["model"] == "rvm-mobilenetv3"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["alpha.mkv", "rgba.mov"]
    assert_remembered(list(read_clip(tmp_path / "out" / "alpha.mkv", "gray")), frames)
    cut = list(read_clip(tmp_path / "out" / "rgba.mov", "rgba"))
    assert_remembered([frame[..., 3] for frame in cut], frames)
    with av.open(str(tmp_path / "out" / "rgba.mov")) as container:
        stream: Any = container.streams.video[0]
        assert stream.average_rate == Fraction(24000, 1001)
        assert stream.codec_context.name == "prores"


def test_frames_are_written_as_pictures_where_that_is_asked_for(
    service: RunningService, tmp_path: Path
) -> None:
    frames = clip(12, 4)
    source = write_clip(tmp_path / "clip.mkv", frames)
    done = bshm(service.home, "matte", source, "-d", tmp_path / "out", *MODEL, "--frames")
    assert done.returncode == 0, done.stderr
    assert "4 frames" in done.stdout
    found = [np.asarray(Image.open(tmp_path / f"out/alpha/{n:06}.png")) for n in range(1, 5)]
    assert_remembered(found, frames)
    with Image.open(tmp_path / "out" / "rgba" / "000004.png") as file:
        assert file.mode == "RGBA"
        assert np.array_equal(np.asarray(file)[..., 3], found[3])


def test_numbered_frames_keep_the_order_of_their_numbers(
    service: RunningService, tmp_path: Path
) -> None:
    frames = clip(13, 11)
    folder = tmp_path / "shot"
    folder.mkdir()
    for number, frame in enumerate(frames, start=1):  # shot9 comes before shot10
        Image.fromarray(frame).save(folder / f"shot{number}.png")
    out = tmp_path / "out"
    done = bshm(service.home, "matte", folder, "--sequence", "-d", out, *MODEL)
    assert done.returncode == 0, done.stderr
    names = [f"shot{number}" for number in range(1, 12)]
    found = [np.asarray(Image.open(out / "alpha" / f"{name}.png")) for name in names]
    assert_remembered(found, frames)
    # One that is missing has all of them made again: the model must see every frame.
    (out / "alpha" / "shot11.png").unlink()
    again = bshm(
        service.home, "matte", folder, "--sequence", "-d", out, *MODEL, "--resume", "--json"
    )
    (result,) = json.loads(again.stdout)["results"]
    assert (result["frames"], result["skipped_frames"]) == (11, 0)
    assert_remembered([np.asarray(Image.open(out / f"alpha/{name}.png")) for name in names], frames)
    third = bshm(
        service.home, "matte", folder, "--sequence", "-d", out, *MODEL, "--resume", "--json"
    )
    (result,) = json.loads(third.stdout)["results"]
    assert (result["frames"], result["skipped_frames"]) == (0, 11)


def test_a_model_without_memory_mattes_each_frame(service: RunningService, tmp_path: Path) -> None:
    with Image.open(samples.portrait()) as photo:
        small = np.asarray(photo.convert("RGB").resize((160, 160)))
    empty = np.full_like(small, 90)
    source = write_clip(tmp_path / "clip.mkv", [small, empty, small])
    classic = ("--model", "classic", "--json")
    done = bshm(service.home, "matte", source, "-d", tmp_path / "out", *classic)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert [notice["reason"] for notice in result["notices"]] == ["no-person-found"]
    assert "in 1 of 3 frames" in result["notices"][0]["message"]
    first, second, third = read_clip(tmp_path / "out" / "alpha.mkv", "gray")
    assert first.mean() > 60
    assert second.max() == 0
    Image.fromarray(small).save(tmp_path / "still.png")
    still = bshm(service.home, "matte", tmp_path / "still.png", "-d", tmp_path / "still", *classic)
    assert still.returncode == 0, still.stderr
    with Image.open(tmp_path / "still" / "alpha.png") as file:
        assert np.array_equal(np.asarray(file), first)
    assert np.array_equal(third, first)


def test_a_phones_rotation_is_respected(service: RunningService, tmp_path: Path) -> None:
    """The matrix in a track's header says how to turn it; players obey, and so do we."""
    frames = [np.repeat(frame[:1], 40, axis=0) for frame in clip(14, 2)]  # survives any codec
    source = write_clip(tmp_path / "phone.mp4", frames, "mpeg4", "yuv420p")
    upright = bshm(service.home, "matte", source, "-d", tmp_path / "upright", *MODEL)
    assert upright.returncode == 0, upright.stderr
    data = bytearray(source.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    quarter = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    data[matrix : matrix + 36] = struct.pack(">9i", *quarter)
    source.write_bytes(data)
    turned = bshm(service.home, "matte", source, "-d", tmp_path / "turned", *MODEL)
    assert turned.returncode == 0, turned.stderr
    (first, _), (turned_first, _) = (
        tuple(read_clip(tmp_path / name / "alpha.mkv", "gray")) for name in ("upright", "turned")
    )
    assert turned_first.shape == first.shape[::-1]
    # A quarter turn clockwise, as this matrix has it.
    difference = turned_first.astype(int) - np.rot90(first, -1)
    assert np.abs(difference).max() <= 1


def test_a_broken_video_is_a_sentence_and_leaves_nothing(
    service: RunningService, tmp_path: Path
) -> None:
    whole = write_clip(tmp_path / "whole.mkv", clip(15, 30)).read_bytes()
    (tmp_path / "text.mp4").write_text("no video at all")
    (tmp_path / "cut.mp4").write_bytes(b"")
    damaged = bytearray(whole)
    damaged[len(whole) // 2 : len(whole) // 2 + 4000] = bytes(4000)
    (tmp_path / "damaged.mkv").write_bytes(damaged)
    names = ["text.mp4", "cut.mp4", "absent.mp4"]
    for name in names:
        done = bshm(service.home, "matte", tmp_path / name, "-d", tmp_path / "out", *MODEL)
        assert done.returncode == 3, (name, done.stderr)
        assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    done = bshm(service.home, "matte", tmp_path / "damaged.mkv", "-d", tmp_path / "out", *MODEL)
    assert len(done.stderr.splitlines()) <= 1
    left = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert left == (["alpha.mkv", "rgba.mov"] if done.returncode == 0 else [])


def test_options_for_single_pictures_are_refused(service: RunningService, tmp_path: Path) -> None:
    source = write_clip(tmp_path / "clip.mkv", clip(16, 2))
    Image.new("L", (60, 40), 255).save(tmp_path / "mask.png")
    for option in ("--hint", "--trimap"):
        mask = tmp_path / "mask.png"
        done = bshm(service.home, "matte", source, option, mask, "-d", tmp_path / "out", *MODEL)
        assert done.returncode == 3
        assert "single pictures" in done.stderr
    picture = tmp_path / "picture.png"
    Image.fromarray(clip(17, 1)[0]).save(picture)
    mask = tmp_path / "mask.png"
    done = bshm(service.home, "matte", picture, "--trimap", mask, "-d", tmp_path / "out", *MODEL)
    assert done.returncode == 4
    assert "follows a video" in done.stderr


def test_frames_of_two_sizes_are_refused(service: RunningService, tmp_path: Path) -> None:
    folder = tmp_path / "shot"
    folder.mkdir()
    for number, size in enumerate([(60, 40), (60, 40), (62, 40)]):
        Image.new("RGB", size, (90, 0, 0)).save(folder / f"{number}.png")
    done = bshm(service.home, "matte", folder, "--sequence", "-d", tmp_path / "out", *MODEL)
    assert done.returncode == 3
    assert "frame 2 is 62×40, those before 60×40" in done.stderr


def test_two_frames_of_one_name_are_refused(service: RunningService, tmp_path: Path) -> None:
    folder = tmp_path / "shot"
    folder.mkdir()
    for name in ("1.png", "2.png", "2.bmp"):
        Image.new("RGB", (60, 40), (90, 0, 0)).save(folder / name)
    done = bshm(service.home, "matte", folder, "--sequence", "-d", tmp_path / "out", *MODEL)
    assert done.returncode == 3
    assert "two frames named 2" in done.stderr


def test_an_interrupted_video_leaves_no_file_and_no_memory(
    service: RunningService, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (360, 640, 3), np.uint8)
    source = write_clip(tmp_path / "long.mkv", [noise] * 200)
    command = [sys.executable, "-m", "bshm_bridge", "matte", source, "-d", tmp_path / "out", *MODEL]
    process = subprocess.Popen(
        command,
        env=environment(service.home),
        stderr=subprocess.PIPE,
        text=True,
        # What runs in the background of a script starts with interrupts ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while service.client().status().done < 5:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert list((tmp_path / "out").iterdir()) == []
    while service.client().status().jobs:
        assert time.monotonic() < deadline
        time.sleep(0.05)
