"""Picture files as pixels, and results as PNG files."""

from __future__ import annotations

import errno
import io
import os
import tempfile
import warnings
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import putchunk

from bridge_client import Matte, Pixels
from bshm_bridge.errors import InvalidInput

T = TypeVar("T")

MAX_PIXELS = 1_000_000_000
_PNG_HEADER = 33  # bytes of the signature and of the first chunk, which a profile follows
# Pillow warns at this size, which many photographs have today, and refuses twice as much.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2

ALPHA_NAME, RGBA_NAME = "alpha.png", "rgba.png"


def read_picture(source: Path | bytes, name: str) -> Pixels:
    """Return a picture's pixels, upright, with its colour profile.

    Parameters
    ----------
    source
        A file, or the content of one.
    name
        What to call it in messages.

    Raises
    ------
    InvalidInput
        Where it is no picture, or a broken one.
    """
    return _read(source, name, _pixels)


def read_gray(source: Path, name: str) -> Pixels:
    """Return a picture's brightness, GRAY u8, upright; as `read_picture`."""
    return _read(source, name, _gray)


def _read(source: Path | bytes, name: str, convert: Callable[[Image.Image, bytes], T]) -> T:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large, or a little broken: read all the same
            with Image.open(source if isinstance(source, Path) else io.BytesIO(source)) as file:
                file.load()
                picture = _upright(file)
                return convert(picture, file.info.get("icc_profile", b""))
    except FileNotFoundError as error:
        raise InvalidInput(f"{name}: there is no such file.", "no-file") from error
    except IsADirectoryError as error:
        raise InvalidInput(f"{name} is a folder.", "no-file") from error
    except PermissionError as error:
        raise InvalidInput(f"{name}: reading it is not allowed.", "no-file") from error
    except UnidentifiedImageError as error:
        raise InvalidInput(
            f"{name} is no picture that can be read: JPEG, PNG, TIFF, WebP and the like are.",
            "no-picture",
        ) from error
    except Image.DecompressionBombError as error:
        raise InvalidInput(
            f"{name} has more than {MAX_PIXELS // 1_000_000} megapixels: scale it down first.",
            "too-large",
        ) from error
    except MemoryError as error:
        raise InvalidInput(f"{name} needs more memory than there is.", "too-large") from error
    except Exception as error:  # Pillow's decoders raise what they like at broken files
        raise InvalidInput(f"{name} is broken: {error}.", "broken-picture") from error


def _upright(file: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(file)
    except Exception:  # broken EXIF data: the picture itself may be good
        return file


def refuse_unwritable(folder: Path) -> None:
    """Raise `OSError` where results certainly cannot be written, before work goes into them."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    why = ""
    if not existing.is_dir():
        why = os.strerror(errno.ENOTDIR)
    elif not os.access(existing, os.W_OK | os.X_OK):
        why = os.strerror(errno.EACCES)
    if why:
        raise OSError(f"{folder}: the results cannot be written there ({why}).")


def write_results(matte: Matte, pixels: Pixels, folder: Path) -> tuple[Path, Path]:
    """Write ``alpha.png`` and ``rgba.png`` into `folder`, each at once or not at all.

    Raises
    ------
    OSError
        Where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    alpha, rgba = result_images(matte, pixels)
    return (
        save(alpha, folder / ALPHA_NAME, b""),
        save(rgba, folder / RGBA_NAME, pixels.icc_profile),
    )


def result_images(matte: Matte, pixels: Pixels) -> tuple[Image.Image, Image.Image]:
    """Return the alpha matte (8 or 16 bits) and the cut-out as pictures."""
    levels = _values(matte.alpha)[..., 0]
    alpha = Image.fromarray(levels)
    colours = matte.foreground if matte.foreground is not None else pixels
    rgba = _colour_image(colours).convert("RGBA" if colours.layout != "GRAY" else "LA")
    rgba.putalpha(Image.fromarray(_eight_bit(levels)))
    if rgba.mode == "LA" and not pixels.icc_profile:
        rgba = rgba.convert("RGBA")
    return alpha, rgba


def _pixels(picture: Image.Image, profile: bytes) -> Pixels:
    if picture.mode.startswith("I;16") or picture.mode == "I":
        values = np.asarray(picture)
        if picture.mode == "I":
            values = np.clip(values, 0, 65535)
        data = np.ascontiguousarray(values.astype("<u2"))
        return _packed(data, picture, "GRAY", "u16", profile)
    if picture.mode == "F":
        data = np.ascontiguousarray(np.asarray(picture), "<f4")
        return _packed(data, picture, "GRAY", "f32", profile)
    if picture.mode == "CMYK" and profile:
        picture, profile = _cmyk_to_srgb(picture, profile), b""
    if picture.mode not in ("RGB", "RGBA", "L", "LA"):
        transparent = "transparency" in picture.info or picture.mode in ("PA", "La", "RGBa")
        wanted = {"1": "L", "La": "LA"}.get(picture.mode, "RGBA" if transparent else "RGB")
        if wanted not in ("L", "LA") and _space(profile) != "RGB":
            profile = b""
        picture = picture.convert(wanted)
    elif _space(profile) != ("RGB" if picture.mode.startswith("RGB") else "GRAY"):
        profile = b""
    layouts = {"L": "GRAY", "LA": "GRAYA"}
    layout = layouts.get(picture.mode, picture.mode)
    return _packed(np.asarray(picture), picture, layout, "u8", profile)


def _gray(picture: Image.Image, profile: bytes) -> Pixels:
    if picture.mode.startswith("I"):  # 16 bits, which Pillow would clip at 255
        values = np.clip(np.asarray(picture), 0, 65535)
        return _packed(_eight_bit(values), picture, "GRAY", "u8", b"")
    return _packed(np.asarray(picture.convert("L")), picture, "GRAY", "u8", b"")


def _packed(
    values: NDArray[Any], picture: Image.Image, layout: str, depth: str, profile: bytes
) -> Pixels:
    return Pixels(
        data=memoryview(np.ascontiguousarray(values)).cast("B"),
        width=picture.width,
        height=picture.height,
        layout=layout,  # type: ignore[arg-type]
        depth=depth,  # type: ignore[arg-type]
        icc_profile=profile,
    )


def _space(profile: bytes) -> str:
    """Return the colour space of a profile, empty where there is none or it is broken."""
    if not profile:
        return ""
    with suppress(OSError, ImageCms.PyCMSError):
        return str(ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space).strip()
    return ""


def _cmyk_to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    with suppress(OSError, ImageCms.PyCMSError):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
        if converted is not None:
            return converted
    return picture.convert("RGB")


def _values(pixels: Pixels) -> NDArray[Any]:
    dtypes = {"u8": "u1", "u16": "<u2", "f16": "<f2", "f32": "<f4"}
    values = np.frombuffer(pixels.data, dtypes[pixels.depth])
    return values.reshape(pixels.height, pixels.width, -1)


def _colour_image(pixels: Pixels) -> Image.Image:
    values = _eight_bit(_values(pixels))
    if pixels.layout in ("GRAY", "GRAYA"):
        return Image.fromarray(np.ascontiguousarray(values[..., 0]))
    return Image.fromarray(np.ascontiguousarray(values[..., :3]))


def _eight_bit(values: NDArray[Any]) -> NDArray[np.uint8]:
    if values.dtype == np.uint16:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if values.dtype.kind == "f":
        unit = np.nan_to_num(values.astype(np.float32))
        return (np.clip(unit, 0, 1) * 255 + 0.5).astype(np.uint8)
    return values


def save(image: Image.Image, path: Path, profile: bytes) -> Path:
    """Write a PNG file, at once or not at all, with a colour profile where there is one."""
    handle, fresh = tempfile.mkstemp(prefix=".", suffix=".png", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            _write_png(image, file, profile)
        mask = os.umask(0)
        os.umask(mask)
        Path(fresh).chmod(0o666 & ~mask)
        Path(fresh).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(fresh).unlink()
        raise
    return path


def _write_png(image: Image.Image, file: BinaryIO, profile: bytes) -> None:
    if image.mode == "LA":  # OpenCV knows no grey with alpha
        image.save(file, "PNG", compress_level=1, icc_profile=profile or None)
        return
    # Pillow tries five filters on every row. OpenCV's one takes half as long, and files are
    # no larger than with Pillow's fastest compression.
    values = np.asarray(image)
    if image.mode == "RGBA":
        values = cv2.cvtColor(values, cv2.COLOR_RGBA2BGRA)
    png = memoryview(cv2.imencode(".png", values)[1])
    file.write(png[:_PNG_HEADER])
    if profile:
        putchunk(file, b"iCCP", b"ICC Profile\0\0", zlib.compress(profile))
    file.write(png[_PNG_HEADER:])
