"""`bshm matte FOLDER` against the engine alone: reading and writing must hide behind it."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tests.bench.service import running
from tests.bench.transport import portrait_like


def photographs(folder: Path, count: int, megapixels: float) -> None:
    """Write JPEG files as a camera does: detail, a little noise, a subject with a soft edge."""
    width = int((megapixels * 1.5e6) ** 0.5)
    height = int(megapixels * 1e6 / width)
    picture = cv2.GaussianBlur(portrait_like(width, height), (0, 0), 1.5)
    for number in range(count):
        shifted = np.roll(picture, number * 16, axis=1)
        Image.fromarray(shifted).save(folder / f"{number:03}.jpg", quality=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=50)
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--seconds", type=float, default=1.95, help="of the engine per photo")
    parser.add_argument("--jobs", type=int, default=3)
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as scratch,
        running(args.seconds) as (home, _),
    ):
        photos = Path(scratch) / "photos"
        photos.mkdir()
        photographs(photos, args.photos, args.megapixels)
        start = time.perf_counter()
        subprocess.run(
            [
                *(sys.executable, "-m", "bshm_bridge", "matte", str(photos)),
                *("-d", str(Path(scratch) / "out"), "--jobs", str(args.jobs)),
            ],
            env={**os.environ, "BSHM_HOME": str(home)},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - start
    alone = args.photos * args.seconds
    print(f"{args.photos} photos of {args.megapixels:g} MP: {seconds:.1f} s; engine {alone:.1f} s")
    print(f"folder / engine alone    {seconds / alone:.2f} × (aim: at most 1.1)")


if __name__ == "__main__":
    main()
