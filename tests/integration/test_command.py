"""`bshm` as a user types it."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zlib import compress, crc32

import numpy as np
import pytest
from PIL import Image

from bshm_bridge.cli.inputs import download, expand
from bshm_bridge.cli.pictures import read_gray, read_picture
from bshm_bridge.errors import InvalidInput
from bshm_bridge.samples import portrait

from .conftest import RunningService, environment, figure


def bshm(home: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bshm_bridge", *arguments],
        env=environment(home),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small real portrait, so that tests are quick."""
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    with Image.open(portrait()) as image:
        image.resize((160, 160), Image.Resampling.BOX).save(path)
    return path


def test_the_portrait_becomes_a_cut_out(service: RunningService, tmp_path: Path) -> None:
    done = bshm(service.home, "matte", "--sample", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "results" / "alpha.png") as file:
        assert file.mode == "L"
        alpha = np.asarray(file)
    with Image.open(tmp_path / "results" / "rgba.png") as file, Image.open(portrait()) as source:
        assert file.mode == "RGBA"
        assert file.size == source.size == alpha.shape[::-1]
        assert np.array_equal(np.asarray(file)[..., 3], alpha)
        solid = alpha == 255
        assert np.array_equal(np.asarray(file)[solid][:, :3], np.asarray(source)[solid])
    height, width = alpha.shape
    # Face, chest and suit are the person; the upper corners, flag and shuttle are not.
    for x, y in [(0.44, 0.25), (0.44, 0.45), (0.35, 0.75)]:
        assert alpha[int(y * height), int(x * width)] > 250
    assert alpha[: int(0.3 * height), : int(0.2 * width)].mean() < 5
    assert alpha[: int(0.3 * height), int(0.75 * width) :].mean() < 5
    assert 0.35 < alpha.mean() / 255 < 0.75


def test_json_tells_files_model_and_time(
    service: RunningService, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "folder"
    done = bshm(service.home, "matte", "-i", str(photo), "-d", str(out), "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)["results"][0]
    assert result["model"] == "classic"
    assert result["device"] == "CPU"
    assert result["alpha"] == str(out / "alpha.png")
    assert (result["width"], result["height"]) == (160, 160)
    stages = {"queue", "transfer", "decode", "fit", "inference", "refine", "colours", "encode"}
    assert stages <= set(result["timings"])
    status = json.loads(bshm(service.home, "status", "--json").stdout)
    assert stages | {"send", "total"} <= set(status["timings"])


def test_edits_are_made_on_request(service: RunningService, tmp_path: Path) -> None:
    picture, selection = figure(240, 200)
    Image.fromarray(picture).save(tmp_path / "figure.png")
    Image.fromarray(selection).save(tmp_path / "hint.png")
    plain, specks = "--feather=0", f"--remove-specks={selection.size}"
    mean = {}
    for edit in ("--edge-shift=4", "--edge-shift=-4", plain, specks):
        out = tmp_path / edit
        done = bshm(
            service.home,
            *("matte", str(tmp_path / "figure.png"), "--hint", str(tmp_path / "hint.png")),
            *("-d", str(out), edit),
        )
        assert done.returncode == 0, done.stderr
        with Image.open(out / "alpha.png") as file:
            mean[edit] = float(np.asarray(file).mean())
    assert mean["--edge-shift=-4"] < mean[plain] < mean["--edge-shift=4"]
    # To somebody who asks for that, the figure itself is a speck.
    assert mean[specks] < 0.1 < mean[plain]
    wrong = bshm(service.home, "matte", "--sample", "--fill-holes", "-1", cwd=tmp_path)
    assert wrong.returncode == 2


def test_photos_are_turned_upright(service: RunningService, photo: Path, tmp_path: Path) -> None:
    with Image.open(photo) as upright:
        turned = upright.convert("RGB").transpose(Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = 6  # shown turned by 90 degrees clockwise
        turned.save(tmp_path / "turned.png", exif=exif)
    for name, path in (("a", photo), ("b", tmp_path / "turned.png")):
        assert bshm(service.home, "matte", str(path), "-d", str(tmp_path / name)).returncode == 0
    alphas = [np.asarray(Image.open(tmp_path / name / "alpha.png")) for name in ("a", "b")]
    assert np.array_equal(*alphas)


def test_a_folder_goes_on_after_a_bad_file_and_names_it(
    service: RunningService, photo: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    content = photo.read_bytes()
    (folder / "one.png").write_bytes(content)
    (folder / "two.png").write_bytes(content[: len(content) // 2])
    with Image.open(photo) as image:
        image.save(folder / "one.tif")
    (folder / "notes.txt").write_text("no picture")
    out = tmp_path / "out"
    done = bshm(service.home, "matte", str(folder), "-d", str(out), "--json")
    assert done.returncode == 3
    report = json.loads(done.stdout)
    assert len(report["results"]) == 2
    assert [Path(failure["input"]).name for failure in report["failed"]] == ["two.png"]
    assert "two.png" in done.stderr
    # Names that differ in their suffix alone keep it.
    assert sorted(path.name for path in out.iterdir()) == ["one.png", "one.tif"]
    assert sorted(path.name for path in (out / "one.png").iterdir()) == ["alpha.png", "rgba.png"]

    (folder / "two.png").unlink()
    again = bshm(service.home, "matte", str(folder), "-d", str(out), "--resume", "--json")
    report = json.loads(again.stdout)
    assert again.returncode == 0
    assert report["results"] == []
    assert len(report["skipped"]) == 2


def test_results_are_no_pictures_to_be_matted(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "b.png", "sub/c.png", "results/a/alpha.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(path)
    found = expand([str(tmp_path)], tmp_path / "results", recursive=True)
    places = {Path(i.name).relative_to(tmp_path).as_posix(): i.folder.name for i in found}
    assert places == {"a.png": "a.png", "a.jpg": "a.jpg", "b.png": "b", "sub/c.png": "c"}


def test_a_result_never_takes_the_place_of_a_picture_that_is_read(
    service: RunningService, photo: Path, tmp_path: Path
) -> None:
    for name in ("rgba.png", "alpha.png"):
        (tmp_path / name).write_bytes(photo.read_bytes())
    for arguments in (["rgba.png"], [str(photo), "--hint", "alpha.png"]):
        done = bshm(service.home, "matte", *arguments, "-d", ".", cwd=tmp_path)
        assert done.returncode == 3
        assert "name another folder" in done.stderr
    for name in ("rgba.png", "alpha.png"):
        assert (tmp_path / name).read_bytes() == photo.read_bytes()


def test_a_deep_alpha_makes_an_equally_opaque_cut_out(
    service: RunningService, photo: Path, tmp_path: Path
) -> None:
    for depth in ("u8", "u16"):
        out = str(tmp_path / depth)
        done = bshm(service.home, "matte", str(photo), "-d", out, "--depth", depth)
        assert done.returncode == 0, done.stderr
    assert np.asarray(Image.open(tmp_path / "u16" / "alpha.png")).max() == 65535
    opacities = [np.asarray(Image.open(tmp_path / d / "rgba.png"))[..., 3] for d in ("u8", "u16")]
    assert np.array_equal(*opacities)


def test_hints_and_trimaps_of_any_depth_are_the_same(tmp_path: Path) -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(values).save(tmp_path / "8.png")
    Image.fromarray(values.astype(np.uint16) * 257).save(tmp_path / "16.png")
    Image.fromarray(np.dstack([values] * 3)).save(tmp_path / "rgb.png")
    for name in ("8.png", "16.png", "rgb.png"):
        gray = read_gray(tmp_path / name, name)
        assert (gray.layout, gray.depth) == ("GRAY", "u8")
        assert bytes(gray.data) == values.tobytes(), name


def test_broken_exif_data_does_not_lose_a_good_picture(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (40, 30), (200, 10, 10)).save(path, exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0")
    pixels = read_picture(path, "photo.jpg")
    assert (pixels.width, pixels.height) == (40, 30)


def test_sixteen_bit_and_grey_and_palette_files_are_read(
    service: RunningService, tmp_path: Path
) -> None:
    picture, selection = figure()
    Image.fromarray(selection).save(tmp_path / "hint.png")
    grey = picture[..., 0]
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(picture).quantize(64).save(tmp_path / "palette.png")
    Image.fromarray(picture).convert("CMYK").save(tmp_path / "print.jpg")
    names = ["deep.png", "grey.png", "palette.png", "print.jpg"]
    done = bshm(
        service.home,
        "matte",
        *[str(tmp_path / name) for name in names],
        "--hint",
        str(tmp_path / "hint.png"),
        "-d",
        str(tmp_path / "out"),
    )
    assert done.returncode == 0, done.stderr
    alphas = {
        n: np.asarray(Image.open(tmp_path / "out" / Path(n).stem / "alpha.png")) for n in names
    }
    assert np.array_equal(alphas["deep.png"], alphas["grey.png"])
    for alpha in alphas.values():
        assert alpha[picture[..., 0] > 128].mean() > 200


def png_of(width: int, height: int, rows: bytes) -> bytes:
    """Return a PNG file of one bit per pixel that says it has this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["matte"], 2, "name a picture"),
        (["matte", "nowhere.png"], 3, "no such file"),
        (["matte", "noise.jpg"], 3, "no picture"),
        (["matte", "text.jpg"], 3, "bshm: text.jpg is no picture"),
        (["matte", "cut.jpg"], 3, "bshm: cut.jpg is broken"),
        (["matte", "bomb.png"], 3, "bomb.png has more than 1000 megapixels"),
        (["matte", "wide.png"], 3, "the limit is 300"),
        (["matte", "pixel.png"], 1, "select roughly around the subject"),
        (["matte", "empty"], 3, "holds no pictures"),
        (["matte", "ftp://example.org/a.png"], 3, "only http and https"),
        (["matte", "http://"], 3, "is no address"),
        (["matte", "--sample", "--model", "nonesuch"], 4, "no model named"),
        (["matte", "--sample", "--model", "clasic"], 4, "Did you mean “classic”"),
        (["matte", "--sample", "--engine", "tf9"], 4, "no engine named “tf9”"),
        (["matte", "--sample", "--device", "gpu"], 4, "does not use the GPU"),
        (["release", "clasic"], 4, "no model named"),
        (["models", "add", "absent.toml"], 3, "absent.toml"),
        (["matte", "--sample", "--jobs", "0"], 2, "at least 1"),
        (["matte", "--sample", "-d", "noise.jpg"], 1, "cannot be written"),
        (["matte", "--sample", "-d", "noise.jpg/out"], 1, "cannot be written"),
        (["nonesuch"], 2, "invalid choice"),
        ([], 2, "COMMAND"),
    ],
)
def test_mistakes_have_their_exit_code_and_a_sentence(
    service: RunningService, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "noise.jpg").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "text.jpg").write_text("Not every .jpg is a picture.")
    (tmp_path / "cut.jpg").write_bytes(portrait().read_bytes()[:20_000])
    (tmp_path / "bomb.png").write_bytes(png_of(60_000, 60_000, b""))
    (tmp_path / "wide.png").write_bytes(png_of(20_000, 20_000, bytes(2_501 * 20_000)))
    Image.new("RGB", (1, 1)).save(tmp_path / "pixel.png")
    (tmp_path / "empty").mkdir()
    done = bshm(service.home, *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    if arguments[:1] == ["matte"] and code != 2:
        assert len(done.stderr.splitlines()) == 1


def test_help_lists_every_command(tmp_path: Path) -> None:
    done = bshm(tmp_path, "--help")
    assert done.returncode == 0
    for command in ("matte", "serve", "status", "release", "stop", "plugins"):
        assert command in done.stdout
        assert bshm(tmp_path, command, "--help").returncode == 0
    assert bshm(tmp_path, "--version").stdout.startswith("bshm-bridge ")


def test_a_terminal_that_lacks_some_characters_is_no_failure(service: RunningService) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bshm_bridge", "status"],
        env={**environment(service.home), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "?auto? means the model classic" in done.stdout


def test_a_reader_who_leaves_is_no_failure_to_talk_about(tmp_path: Path) -> None:
    for arguments in (["models", "list"], ["models", "list", "--json"], ["doctor", "--quick"]):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, "-m", "bshm_bridge", *arguments],
            env={**environment(tmp_path), "PYTHONUNBUFFERED": ""},
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(writing)
        assert done.stderr == ""
        assert done.returncode == 1


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from bshm_bridge.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'grpc', 'numpy', 'cv2', 'PIL', 'modelscope', 'google.protobuf'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_command_starts_a_service_and_stops_it(photo: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert bshm(home, "status").returncode == 4
    try:
        assert bshm(home, "matte", str(photo), "-d", str(tmp_path / "out")).returncode == 0
        status = json.loads(bshm(home, "status", "--json").stdout)
        assert status["running"]
        assert status["done"] == 1
    finally:
        stopped = bshm(home, "stop", "--json")
    assert json.loads(stopped.stdout) == {"stopped": True}
    assert json.loads(bshm(home, "status", "--json").stdout) == {"running": False}
    assert bshm(home, "stop").returncode == 0


def test_interrupting_a_long_run_cancels_it(service: RunningService, tmp_path: Path) -> None:
    picture, selection = figure(1400, 1000)
    names = [f"{number}.png" for number in range(8)]
    for name in names:
        picture[0, 0] = np.random.default_rng().integers(0, 255, 3)
        Image.fromarray(picture).save(tmp_path / name)
    Image.fromarray(selection).save(tmp_path / "hint.png")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "bshm_bridge", "matte", *names),
            *("--hint", "hint.png", "--jobs", "1"),
        ],
        env=environment(service.home),
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        # What runs in the background of a script starts with interrupts ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not service.client().status().jobs:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    while service.client().status().jobs:
        assert time.monotonic() < deadline + 60
        time.sleep(0.02)
    finished = list((tmp_path / "results").glob("*/rgba.png"))
    assert len(finished) < len(names)


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class _Endless(BaseHTTPRequestHandler):
    """Sends bytes for ever, slowly where the path says so."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(1 if "trickle" in self.path else 10_000))
                if "large" not in self.path:
                    time.sleep(0.1)
        except OSError:
            pass

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def web(handler: Any) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_urls_are_matted(service: RunningService, photo: Path, tmp_path: Path) -> None:
    with web(partial(_Handler, directory=str(photo.parent))) as address:
        done = bshm(service.home, "matte", f"{address}/photo.png?x=1", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "results" / "alpha.png").exists()
        missing = bshm(service.home, "matte", f"{address}/missing.png", cwd=tmp_path)
    assert missing.returncode == 3
    assert "answered 404" in missing.stderr
    gone = bshm(service.home, "matte", f"{address}/photo.png", cwd=tmp_path)
    assert gone.returncode == 3
    assert "cannot be reached" in gone.stderr


def test_downloads_have_a_size_and_a_time_limit() -> None:
    with web(_Endless) as address:
        with pytest.raises(InvalidInput) as caught:
            download(f"{address}/large", limit=1_000_000)
        assert caught.value.reason == "download-too-large"
        with pytest.raises(InvalidInput) as caught:
            download(f"{address}/slow", seconds=0.5)
        assert caught.value.reason == "download-too-slow"
        # It would take two hours to fill one block of what is read.
        with pytest.raises(InvalidInput) as caught:
            download(f"{address}/trickle", seconds=1.0)
        assert caught.value.reason == "download-too-slow"


def test_results_do_not_replace_good_ones_by_half_ones(
    service: RunningService, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert bshm(service.home, "matte", str(photo), "-d", str(out)).returncode == 0
    before = (out / "rgba.png").read_bytes()
    limited = subprocess.run(
        [
            *("bash", "-c", 'ulimit -f 4; exec "$@"', "bash", sys.executable, "-m", "bshm_bridge"),
            *("matte", str(photo), "-d", str(out), "--depth", "u16"),
        ],
        env={**environment(service.home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert limited.returncode == 1, limited.stderr
    assert "cannot be written" in limited.stderr
    assert (out / "rgba.png").read_bytes() == before
    assert sorted(path.name for path in out.iterdir()) == ["alpha.png", "rgba.png"]
