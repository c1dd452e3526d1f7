"""Pictures with an exact alpha and exact colours, rendered from a seed.

Each renderer has statistics of its own, so that a method cannot be tuned to one: strands
drawn at four times the resolution, fur cut out of oriented noise, edges out of focus, motion,
lace with holes, a thin veil, and a cut-out of a real photograph.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Rng = np.random.Generator

PORTRAIT = Path(__file__).parents[3] / "backend/bshm_bridge/samples/portrait.jpg"

_SUPERSAMPLING = 4


@dataclass(frozen=True)
class Scene:
    """A composite with its parts.

    Attributes
    ----------
    image
        H×W×3, u8.
    alpha
        H×W, f32, 0 to 1.
    foreground
        H×W×3, u8: the subject's own colours; None where nobody knows them.
    """

    name: str
    image: NDArray[np.uint8]
    alpha: F32
    foreground: NDArray[np.uint8] | None


# ---------------------------------------------------------------- colours


def noise(height: int, width: int, rng: Rng, grain: float, rough: float = 1.0) -> F32:
    """Fractal noise, about 0 to 1; `grain` is its largest feature in pixels."""
    total = np.zeros((height, width), np.float32)
    weight, sum_of_squares = 1.0, 0.0
    while grain >= 1:
        shape = (max(2, round(height / grain) + 1), max(2, round(width / grain) + 1))
        octave = rng.standard_normal(shape).astype(np.float32)
        total += weight * cv2.resize(octave, (width, height), interpolation=cv2.INTER_CUBIC)
        sum_of_squares += weight**2
        weight *= 0.5**rough
        grain /= 2
    return np.clip(0.5 + total / (4 * max(sum_of_squares, 1e-6) ** 0.5), 0, 1)


def textured(height: int, width: int, rng: Rng, base: F32, grain: float, strength: float) -> F32:
    """A colour that varies by `strength`, mostly in lightness."""
    light = noise(height, width, rng, grain, 0.6)[..., None] - 0.5
    tint = noise(height, width, rng, grain * 2)[..., None] - 0.5
    slant = rng.normal(0, 0.3, 3).astype(np.float32)
    return np.clip(base + 2 * strength * (light + tint * slant), 0, 1).astype(np.float32)


def gradient(height: int, width: int, rng: Rng, first: F32, second: F32) -> F32:
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    t = np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5) + 0.5
    return (first + np.clip(t, 0, 1)[..., None] * (second - first)).astype(np.float32)


def bokeh(height: int, width: int, rng: Rng, scale: float) -> F32:
    """Soft discs of light, as a lens draws what is far behind."""
    ground = np.full((height, width, 3), rng.uniform(0.05, 0.3, 3), np.float32)
    for _ in range(90):
        radius = int(rng.uniform(0.01, 0.06) * width) + 2
        centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        disc = np.zeros((height, width), np.uint8)
        cv2.circle(disc, centre, radius, 255, -1, cv2.LINE_AA)
        x0, y0 = max(0, centre[0] - radius - 2), max(0, centre[1] - radius - 2)
        part = np.s_[y0 : centre[1] + radius + 3, x0 : centre[0] + radius + 3]
        cover = disc[part][..., None] / np.float32(255) * rng.uniform(0.2, 0.7)
        ground[part] += cover * (rng.uniform(0.2, 1, 3).astype(np.float32) - ground[part])
    return cv2.GaussianBlur(ground, (0, 0), 2 * scale)


def tiles(height: int, width: int, rng: Rng, scale: float) -> F32:
    """Bricks with hard edges."""
    size = max(6, int(55 * scale))
    y, x = np.mgrid[0:height, 0:width]
    row = y // size
    column = (x + (row % 2) * size) // (2 * size)
    shade = rng.uniform(0.25, 0.85, (int(row.max()) + 1, int(column.max()) + 1)).astype(np.float32)
    joint = (y % size < size // 8) | ((x + (row % 2) * size) % (2 * size) < size // 8)
    wall = shade[row, column][..., None] * rng.uniform(0.6, 1, 3).astype(np.float32)
    wall[joint] = 0.8
    return wall


def backdrop(kind: str, height: int, width: int, rng: Rng) -> F32:
    scale = width / 6000

    def pick(low: float, high: float) -> F32:
        return rng.uniform(low, high, 3).astype(np.float32)

    if kind == "smooth":
        return gradient(height, width, rng, pick(0.4, 0.9), pick(0.4, 0.9))
    if kind == "dark":
        return gradient(height, width, rng, pick(0.0, 0.15), pick(0.05, 0.3))
    if kind == "foliage":
        return textured(height, width, rng, pick(0.25, 0.55), 160 * scale + 4, 0.35)
    if kind == "blurred foliage":
        busy = textured(height, width, rng, pick(0.3, 0.6), 500 * scale + 4, 0.45)
        return cv2.GaussianBlur(busy, (0, 0), 12 * scale + 0.5)
    if kind == "bokeh":
        return bokeh(height, width, rng, scale)
    if kind == "bricks":
        return tiles(height, width, rng, scale)
    if kind == "grass":  # detail down to the pixel, as strong as the contrast to the subject
        blades = noise(height, width, rng, 24 * scale + 4, 0.25)
        stretched = cv2.resize(
            blades[: height // 3], (width, height), interpolation=cv2.INTER_CUBIC
        )
        return np.clip(pick(0.2, 0.6) * (0.3 + 1.6 * (stretched[..., None] - 0.1)), 0, 1)
    if kind == "gravel":
        return 0.15 + 0.7 * noise(height, width, rng, 12, 0.4)[..., None] * pick(0.9, 1)
    if kind == "overcast":
        sky = gradient(height, width, rng, np.full(3, 0.56, np.float32), pick(0.6, 0.66))
        return sky + 0.05 * (noise(height, width, rng, 300 * scale + 4)[..., None] - 0.5)
    if kind == "photo":
        return photograph(height, width, rng)
    raise ValueError(kind)


# ---------------------------------------------------------------- shapes


def strands(
    height: int, width: int, rng: Rng, colour: F32, *, count: int, widest: float, curl: float
) -> tuple[F32, F32]:
    """A head with hair around it: strands from `widest` down to under 1 pixel."""
    steps = 28
    centre = np.array([width * rng.uniform(0.42, 0.58), height * 0.62])
    radii = np.array([width * 0.17, height * 0.34])
    angle = rng.uniform(0.95 * np.pi, 2.05 * np.pi, count)
    start = centre + radii * np.stack([np.cos(angle), np.sin(angle)], 1) * 0.97
    heading = angle + rng.normal(0, 0.35, count)
    length = rng.gamma(3.0, 0.022, count) * width
    bend = rng.normal(0, curl, count)
    wave = rng.uniform(0, 2 * np.pi, count)
    paths = np.empty((count, steps + 1, 2))
    paths[:, 0] = start
    for step in range(steps):
        heading = heading + (bend + curl * np.sin(wave + step * 0.7)) / steps * 2
        move = (length / steps)[:, None] * np.stack([np.cos(heading), np.sin(heading)], 1)
        paths[:, step + 1] = paths[:, step] + move
    thick = rng.uniform(1, widest, count)
    shade = np.clip(
        colour + rng.normal(0, 0.06, (count, 1)) + rng.normal(0, 0.02, (count, 3)), 0, 1
    )

    paint = np.tile(colour, (height, width, 1)).astype(np.float32)
    for path, broad, tone in zip(paths, thick, shade, strict=True):
        for part in range(4):
            piece = path[part * 7 : part * 7 + 8]
            glint = tone * (0.85 + 0.3 * np.sin(part * 1.3 + broad))
            points = np.round(piece * 16).astype(np.int32)
            cv2.polylines(paint, [points], False, glint.tolist(), int(broad) + 5, shift=4)
    grain = noise(height, width, rng, 40 * width / 6000 + 2, 0.5)[..., None] - 0.5
    paint = np.clip(paint + 0.12 * grain, 0, 1).astype(np.float32)

    n = _SUPERSAMPLING
    alpha = np.empty((height, width), np.float32)
    strip = 250
    for top in range(0, height, strip):
        rows = min(strip, height - top)
        canvas = np.zeros((rows * n, width * n), np.uint8)
        offset = np.array([0, top])
        middle = tuple(int(v) for v in np.round((centre - offset) * n))
        cv2.ellipse(canvas, middle, tuple(int(v) for v in radii * n), 0, 0, 360, 255, -1)
        inside = (paths[..., 1].min(1) < top + rows + 8) & (paths[..., 1].max(1) > top - 8)
        for path, broad in zip(paths[inside], thick[inside], strict=True):
            for part in range(4):
                piece = np.round((path[part * 7 : part * 7 + 8] - offset) * n * 16)
                size = max(1, round(broad * n * (1 - 0.22 * part)))
                cv2.polylines(canvas, [piece.astype(np.int32)], False, 255, size, shift=4)
        alpha[top : top + rows] = cv2.resize(canvas, (width, rows), interpolation=cv2.INTER_AREA)
    return alpha / np.float32(255), paint


def blob(height: int, width: int, rng: Rng, reach: float, wobble: float) -> F32:
    """Signed distance in pixels to a soft-cornered shape, above 0 inside."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    centre = (width * rng.uniform(0.4, 0.6), height * rng.uniform(0.5, 0.6))
    angle = np.arctan2(y - centre[1], x - centre[0])
    radius = np.full_like(angle, reach * min(height, width))
    for k in range(2, 9):
        radius *= 1 + wobble / k * np.sin(k * angle + rng.uniform(0, 2 * np.pi))
    return radius - np.hypot(x - centre[0], y - centre[1])


def fur(height: int, width: int, rng: Rng) -> F32:
    """A coat whose hairs are oriented noise, combed outwards, cut at a random length."""
    scale = width / 6000
    distance = blob(height, width, rng, 0.33, 0.25)
    dx, dy = cv2.Sobel(distance, cv2.CV_32F, 1, 0), cv2.Sobel(distance, cv2.CV_32F, 0, 1)
    raw = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 0.9)
    norm = np.hypot(dx, dy) + 1e-6
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    combed = np.zeros_like(raw)
    reach = max(8, int(60 * scale))
    for step in range(0, reach, 2):
        combed += cv2.remap(
            raw,
            x + dx / norm * step,
            y + dy / norm * step,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
    combed /= combed.std()
    return np.clip(0.5 + (distance / (26 * scale + 3) + combed) / 1.6, 0, 1)


def defocus(height: int, width: int, rng: Rng) -> F32:
    """A shape whose edge is sharp on one side and far out of focus on the other."""
    scale = width / 6000
    sharp = np.clip(blob(height, width, rng, 0.35, 0.35) + 0.5, 0, 1)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    depth = x * np.cos(0.6) + y * np.sin(0.6)
    radii = [0.0, 2, 6, 16, 40]
    layers = [sharp]
    for radius in radii[1:]:
        size = 2 * int(radius * scale + 1) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)).astype(np.float32)
        layers.append(cv2.filter2D(sharp, -1, disc / disc.sum()))
    position = np.clip(depth / 1.4 * (len(radii) - 1), 0, len(radii) - 1.001)
    low = position.astype(np.int64)
    part = position - low
    stack = np.stack(layers)
    first = np.take_along_axis(stack, low[None], 0)[0]
    second = np.take_along_axis(stack, low[None] + 1, 0)[0]
    return (first + part * (second - first)).astype(np.float32)


def motion(height: int, width: int, rng: Rng) -> F32:
    """Fingers that move: sharp along the motion, a ramp across it."""
    scale = width / 6000
    sharp = np.zeros((height, width), np.uint8)
    cv2.ellipse(
        sharp, (width // 2, int(height * 0.85)), (width // 6, int(height * 0.4)), 0, 0, 360, 255, -1
    )
    for k in range(-4, 5):
        tip = (
            int(width * (0.5 + 0.06 * k + rng.normal(0, 0.01))),
            int(height * rng.uniform(0.1, 0.3)),
        )
        root = (int(width * (0.5 + 0.03 * k)), int(height * 0.7))
        cv2.line(sharp, root, tip, 255, max(2, int(rng.uniform(10, 90) * scale)), cv2.LINE_AA)
    reach = max(3, int(60 * scale))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    cv2.line(kernel, (0, reach // 2), (2 * reach, reach + reach // 2), 1, 1)
    return cv2.filter2D(sharp.astype(np.float32) / 255, -1, kernel / kernel.sum())


def lace(height: int, width: int, rng: Rng) -> F32:
    """Threads and holes of many sizes in a cloth."""
    scale = width / 6000
    distance = blob(height, width, rng, 0.36, 0.2)
    cover = np.clip(distance / 2 + 0.5, 0, 1)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    warp = noise(height, width, rng, 600 * scale + 4) * 40 * scale
    hole = np.ones((height, width), np.float32)
    for pitch, angle in ((34, 0.3), (34, 1.9), (90, 1.1)):
        phase = (x * np.cos(angle) + y * np.sin(angle) + warp) / (pitch * scale + 3) % 1
        thread = np.abs(phase - 0.5) * (pitch * scale + 3)
        hole = np.minimum(hole, np.clip(thread - (2.2 * scale + 0.8) + 0.5, 0, 1))
    border = np.clip(1 - np.abs(distance - 90 * scale) / (60 * scale + 2), 0, 1) > 0
    return np.where(border, cover * (1 - hole), cover).astype(np.float32)


def veil(height: int, width: int, rng: Rng) -> F32:
    """Thin cloth: alpha changes slowly and never reaches 1 at the rim."""
    scale = width / 6000
    distance = blob(height, width, rng, 0.3, 0.4)
    body = np.clip(distance / (3 * scale + 1), 0, 1)
    folds = 0.15 + 0.6 * noise(height, width, rng, 300 * scale + 4, 1.2)
    skirt = np.clip((distance + 160 * scale) / (4 * scale + 1), 0, 1)
    return np.maximum(body, skirt * folds).astype(np.float32)


def depth_of_field(alpha: F32, paint: F32, rng: Rng, furthest: float) -> tuple[F32, F32]:
    """Blur a shape more and more from one side to the other; its colours spread with it."""
    amount = np.linspace(0, 1, alpha.shape[1], dtype=np.float32)[None, :]
    if rng.random() < 0.5:
        amount = amount[:, ::-1]
    sharp = np.dstack([paint * alpha[..., None], alpha])
    result = sharp
    for step in (1 / 3, 2 / 3, 1):
        soft = cv2.GaussianBlur(sharp, (0, 0), furthest * step)
        share = np.clip((amount - step + 1 / 3) * 3, 0, 1)[..., None]
        result = result + share * (soft - result)
    cover = result[..., 3]
    colours = np.where(cover[..., None] > 1e-3, result[..., :3] / (cover[..., None] + 1e-6), paint)
    return cover, colours.astype(np.float32)


def read(path: Path, mode: int = cv2.IMREAD_COLOR) -> NDArray[np.uint8]:
    """Read a picture, in OpenCV's order of channels."""
    picture = cv2.imread(str(path), mode)
    if picture is None:
        raise SystemExit(f"{path} is not a picture that OpenCV reads.")
    return np.asarray(picture, np.uint8)


def photograph(height: int, width: int, rng: Rng) -> F32:
    """A part of the sample portrait, enlarged and with grain, as a background."""
    picture = read(PORTRAIT)[..., ::-1].astype(np.float32) / 255
    size = int(rng.integers(220, 360))
    top, left = (int(v) for v in rng.integers(0, 512 - size, 2))
    part = picture[top : top + size * height // width, left : left + size]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    grain = noise(height, width, rng, 3, 0.3)[..., None] - 0.5
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC) + 0.08 * grain


# ---------------------------------------------------------------- scenes


def compose(
    name: str, alpha: F32, paint: F32, ground: F32, rng: Rng, *, grain: float, linear: bool
) -> Scene:
    """Put paint over ground; `linear` mixes light as a lens does, else encoded values."""
    alpha = np.clip(alpha, 0, 1)
    cover = alpha[..., None]
    paint, ground = np.clip(paint, 0, 1), np.clip(ground, 0, 1)
    if linear:
        light = cover * paint**2.2 + (1 - cover) * ground**2.2
        image = np.maximum(light, 0) ** np.float32(1 / 2.2)
    else:
        image = ground + cover * (paint - ground)
    if grain:
        image = image + grain / 255 * rng.standard_normal(image.shape, np.float32)
    return Scene(name, _levels(image), alpha, _levels(paint))


def _levels(image: F32) -> NDArray[np.uint8]:
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def _shape(kind: str, height: int, width: int, rng: Rng, colour: F32) -> tuple[F32, F32]:
    scale = width / 6000
    if kind == "hair":
        return strands(height, width, rng, colour, count=2600, widest=6, curl=0.5)
    if kind == "single hairs":
        return strands(height, width, rng, colour, count=250, widest=1.6, curl=0.7)
    if kind == "soft hair":
        sharp = strands(height, width, rng, colour, count=1800, widest=5, curl=0.6)
        return depth_of_field(*sharp, rng, 6)
    if kind == "fine hair":
        return strands(height, width, rng, colour, count=2200, widest=2.2, curl=0.9)
    shapes: dict[str, Callable[[int, int, Rng], F32]] = {
        "fur": fur,
        "defocus": defocus,
        "motion": motion,
        "lace": lace,
        "veil": veil,
    }
    paint = textured(height, width, rng, colour, 60 * scale + 2, 0.12)
    return shapes[kind](height, width, rng), paint


_DARK, _BROWN, _BLOND, _GREY, _RED = (
    np.array(c, np.float32)
    for c in (
        [0.1, 0.08, 0.07],
        [0.35, 0.22, 0.14],
        [0.75, 0.6, 0.4],
        [0.5, 0.5, 0.5],
        [0.7, 0.2, 0.2],
    )
)

# name: (shape, colour, backdrop, sensor noise in levels, mixed in linear light)
RECIPES: dict[str, tuple[str, F32, str, float, bool]] = {
    "dark hair, smooth": ("hair", _DARK, "smooth", 0.0, False),
    "fine hair, bokeh": ("fine hair", _BROWN, "bokeh", 1.0, False),
    "blond hair, foliage": ("hair", _BLOND, "foliage", 1.5, False),
    "low contrast hair": ("hair", _GREY, "overcast", 1.0, False),
    "hair, bricks": ("fine hair", _BROWN, "bricks", 1.0, True),
    "fur, blurred foliage": ("fur", _BLOND, "blurred foliage", 1.0, False),
    "fur, dark": ("fur", _GREY, "dark", 2.0, True),
    "defocus, bokeh": ("defocus", _RED, "bokeh", 1.0, False),
    "defocus, foliage": ("defocus", _BLOND, "foliage", 1.0, True),
    "motion, bricks": ("motion", _BLOND, "bricks", 1.0, False),
    "lace, smooth": ("lace", _RED, "smooth", 1.0, False),
    "lace, foliage": ("lace", _DARK, "foliage", 1.0, False),
    "veil, bokeh": ("veil", _BLOND, "bokeh", 1.0, False),
    "veil, smooth": ("veil", _GREY, "smooth", 0.5, False),
    "blond hair, grass": ("fine hair", _BLOND, "grass", 2.0, True),
    "grey hair, gravel": ("hair", _GREY, "gravel", 2.0, False),
    "fur, grass": ("fur", _BROWN, "grass", 2.0, False),
    "defocus, gravel": ("defocus", _BROWN, "gravel", 1.5, False),
    "hair in noise, dark": ("fine hair", _BROWN, "dark", 6.0, True),
}


# Not looked at while the method was made.
HELD_OUT: dict[str, tuple[str, F32, str, float, bool]] = {
    "single hairs, bokeh": ("single hairs", _DARK, "bokeh", 1.0, False),
    "single hairs, overcast": ("single hairs", _BLOND, "overcast", 1.0, False),
    "soft hair, smooth": ("soft hair", _BROWN, "smooth", 1.0, False),
    "soft hair, photo": ("soft hair", _DARK, "photo", 1.5, True),
    "hair, photo": ("hair", _RED, "photo", 1.5, False),
    "grey on grey, gravel": ("fine hair", _GREY, "gravel", 3.0, True),
    "veil, gravel": ("veil", _BROWN, "gravel", 1.0, False),
    "defocus, overcast": ("defocus", _GREY, "overcast", 1.0, False),
    "motion, foliage": ("motion", _DARK, "foliage", 1.0, True),
    "lace, photo": ("lace", _BLOND, "photo", 1.0, False),
}


def render(name: str, width: int, height: int) -> Scene:
    """Render one recipe at any size; shapes scale with it, strands keep their pixels."""
    kind, colour, ground, grain, linear = (RECIPES | HELD_OUT)[name]
    rng = np.random.default_rng(sum(name.encode()))
    alpha, paint = _shape(kind, height, width, rng, colour)
    return compose(
        name, alpha, paint, backdrop(ground, height, width, rng), rng, grain=grain, linear=linear
    )
