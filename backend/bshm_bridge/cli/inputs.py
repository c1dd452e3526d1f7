"""What the user named: files, folders and URLs, as a list of pictures with places for results."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from PIL import Image

from bridge_client import Pixels
from bshm_bridge import __version__
from bshm_bridge.cli import clips, pictures
from bshm_bridge.errors import InvalidInput

MAX_DOWNLOAD = 200_000_000
"""Bytes of a picture from the network."""
DOWNLOAD_TIME = 60.0
"""Seconds for all of it."""
_CONNECT_TIME = 10.0


@dataclass(frozen=True)
class Input:
    """One picture or video to be matted, and the folder for its results."""

    name: str
    source: Path | str
    folder: Path
    is_video: bool = False

    def read(self) -> Pixels:
        """Return the picture's pixels; raises `InvalidInput` where it cannot be had."""
        if isinstance(self.source, Path):
            return pictures.read_picture(self.source, self.name)
        return pictures.read_picture(download(self.source), self.name)

    @property
    def results(self) -> tuple[Path, Path]:
        """Files of matte and cut-out; a video's frames as pictures are elsewhere."""
        names = clips if self.is_video else pictures
        return self.folder / names.ALPHA_NAME, self.folder / names.RGBA_NAME

    @property
    def done(self) -> bool:
        """Whether its results are there; of frames as pictures each is looked at in its turn."""
        return all(path.exists() for path in self.results)


def expand(
    named: Iterable[str], folder: Path, *, recursive: bool = False, sequence: bool = False
) -> list[Input]:
    """Return the pictures and videos that the user named.

    The results of a single picture go into `folder`; those of several, or of a named
    folder's, each into a folder of its own below it.

    Parameters
    ----------
    sequence
        Whether each named folder holds the frames of one video.

    Raises
    ------
    InvalidInput
        Where a named folder holds no picture, or an address is none that can be read.
    """
    found: list[tuple[str, Path | str]] = []
    several = False
    for name in named:
        if is_url(name):
            found.append((name, name))
        elif "://" in name and not Path(name).exists():
            raise InvalidInput(
                f"{name}: only http and https addresses can be read.", "unknown-scheme"
            )
        elif Path(name).is_dir() and not sequence:
            several = True
            found += [
                (str(path), path) for path in pictures_in(Path(name), folder, recursive=recursive)
            ]
        else:
            found.append((name, Path(name)))
    if len(found) == 1 and not several:
        return [Input(*found[0], folder, _is_video(found[0][1]))]
    stems = Counter(_stem(source).lower() for _, source in found)
    taken: set[str] = set()
    return [
        Input(name, source, folder / _place(source, stems, taken), _is_video(source))
        for name, source in found
    ]


def _is_video(source: Path | str) -> bool:
    return isinstance(source, Path) and (source.suffix.lower() in clips.SUFFIXES or source.is_dir())


def refuse_to_overwrite(inputs: Iterable[Input], others: Iterable[Path]) -> None:
    """Raise `InvalidInput` where results would take the place of a file that is read.

    Parameters
    ----------
    others
        Files that are read besides the inputs.
    """
    inputs = list(inputs)
    results = {path.resolve() for it in inputs for path in it.results}
    read = [it.source for it in inputs if isinstance(it.source, Path)]
    for path in (*read, *others):
        if path.resolve() in results:
            raise InvalidInput(
                f"{path} would be replaced by a result: name another folder with `-d`.",
                "overwrites-input",
            )


def is_url(name: str) -> bool:
    return urlsplit(name).scheme.lower() in ("http", "https")


def download(url: str, *, limit: int = MAX_DOWNLOAD, seconds: float = DOWNLOAD_TIME) -> bytes:
    """Return what is at an http or https address.

    Raises
    ------
    InvalidInput
        Where it cannot be reached, answers with an error, is too large or too slow.
    """
    deadline = time.monotonic() + seconds
    headers = {"User-Agent": f"bshm-bridge/{__version__}", "Accept": "image/*,*/*;q=0.5"}
    try:
        with requests.get(
            url, headers=headers, stream=True, timeout=(_CONNECT_TIME, min(seconds, 20.0))
        ) as answer:
            if answer.status_code != 200:
                raise InvalidInput(f"{url} answered {answer.status_code}.", "download-failed")
            content = bytearray()
            # What is there, rather than a full block: a trickle must not hide the time.
            while part := answer.raw.read1(1 << 16, decode_content=True):
                content += part
                if len(content) > limit:
                    raise InvalidInput(
                        f"{url} is larger than {limit // 1_000_000} MB.", "download-too-large"
                    )
                if time.monotonic() > deadline:
                    raise InvalidInput(
                        f"{url} took longer than {seconds:.0f} seconds.", "download-too-slow"
                    )
    except requests.exceptions.InvalidURL as error:
        raise InvalidInput(f"{url} is no address.", "unknown-scheme") from error
    except requests.Timeout as error:
        raise InvalidInput(f"{url} did not answer in time.", "download-too-slow") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise InvalidInput(f"{url} cannot be reached.", "download-failed") from error
    return bytes(content)


def pictures_in(folder: Path, results: Path, *, recursive: bool = False) -> list[Path]:
    """Return the picture files in a folder, but for those in the folder `results`.

    Raises
    ------
    InvalidInput
        There are none.
    """
    inside = folder.resolve() in results.resolve().parents
    known = Image.registered_extensions()
    candidates = folder.rglob("*") if recursive else folder.iterdir()
    found = sorted(
        path
        for path in candidates
        if path.suffix.lower() in known
        and not path.name.startswith(".")
        and path.is_file()
        # Earlier results are no pictures to be matted.
        and not (inside and results.resolve() in path.resolve().parents)
    )
    if not found:
        raise InvalidInput(f"{folder} holds no pictures.", "empty-folder")
    return found


def _stem(source: Path | str) -> str:
    path = source if isinstance(source, Path) else Path(unquote(urlsplit(source).path))
    stem = path.stem.replace("\0", "")
    return stem if stem not in ("", ".", "..") else "picture"


def _place(source: Path | str, stems: Counter[str], taken: set[str]) -> str:
    """Return a folder name for a picture's results that no other picture has.

    Pictures that differ in their suffix alone keep it, whatever their order, so that a later
    run finds the results of this one.
    """
    stem = _stem(source)
    if stems[stem.lower()] > 1 and isinstance(source, Path):
        stem = source.name
    name, number = stem, 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name.lower())
    return name
