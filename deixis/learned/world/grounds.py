"""What things stand before: sky, grass, room, water, street, noise and plain paper, each drawn anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

Rng = np.random.Generator
Colour = tuple[int, int, int]
Pixels = NDArray[np.uint8]

BANK_SIDE = 512
WHITE_SHARE = 0.35  # of the plain grounds that are flat white


@dataclass(frozen=True)
class Ground:
    """A drawn ground: pixels uint8 (side, side, 3), and the row where sky or wall ends (side: none)."""

    name: str
    pixels: Pixels
    horizon: int


def draw_ground(name: str, side: int, rng: Rng) -> Ground:
    """Returns a new ground of the kind `name`."""
    return GROUNDS[name](side, rng)


@cache
def _grain() -> NDArray[np.int16]:
    """Returns the bank of grain (BANK_SIDE, BANK_SIDE), deviation 32, of which each picture takes a piece."""
    drawn = np.random.default_rng(7).standard_normal((BANK_SIDE, BANK_SIDE)) * 32
    return np.clip(drawn, -127, 127).astype(np.int16)


def grained(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """Returns the pixels with grain of the given deviation (grey levels)."""
    side = pixels.shape[0]
    if side > BANK_SIDE or strength <= 0:
        return pixels
    y, x = rng.integers(0, BANK_SIDE - side + 1, 2)
    piece = _grain()[y : y + side, x : x + pixels.shape[1]] * int(strength * 8) >> 8
    return np.clip(pixels + piece[:, :, None], 0, 255).astype(np.uint8)


def _near(colour: Colour, rng: Rng, by: int = 22) -> Colour:
    red, green, blue = (np.array(colour) + rng.integers(-by, by + 1, 3)).clip(0, 255).tolist()
    return red, green, blue


def any_colour(rng: Rng) -> Colour:
    """Returns a colour drawn evenly from the cube."""
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue


def _pick(rng: Rng, *colours: Colour) -> Colour:
    return _near(colours[int(rng.integers(len(colours)))], rng)


def _gradient(side: int, top: Colour, bottom: Colour, rows: int | None = None) -> Pixels:
    share = np.linspace(0, 1, rows or side, dtype=np.float32)[:, None]
    line = np.array(top, np.float32) * (1 - share) + np.array(bottom, np.float32) * share
    return np.broadcast_to(line.astype(np.uint8)[:, None], (rows or side, side, 3)).copy()


def _clouded(pixels: Pixels, cells: int, strength: int, rng: Rng) -> Pixels:
    """Returns the pixels, lighter and darker in soft patches of about side / cells."""
    from PIL import Image

    height, width = pixels.shape[:2]
    small = Image.fromarray(rng.integers(0, 256, (cells, cells), dtype=np.uint8))
    soft = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16)
    return np.clip(pixels + ((soft - 128) * strength >> 7)[:, :, None], 0, 255).astype(np.uint8)


def _canvas(pixels: Pixels) -> tuple[Image, ImageDraw]:
    from PIL import Image, ImageDraw

    picture = Image.fromarray(pixels)
    return picture, ImageDraw.Draw(picture)


def _wave(side: int, level: float, height: float, rng: Rng) -> list[tuple[float, float]]:
    """Returns an outline of a hill, dune or wave that is closed along the lower border."""
    at = np.linspace(0, side, 17)
    turns, shift = rng.uniform(0.4, 2.2), rng.uniform(0, 6.3)
    line = level - height * np.sin(at / side * turns * 6.28 + shift)
    return [(0, side), *zip(at.tolist(), line.tolist(), strict=True), (side, side)]


SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((96, 165, 230), (200, 228, 246)), ((60, 120, 210), (160, 205, 245)), ((250, 190, 150), (255, 225, 180)),
    ((30, 34, 80), (90, 90, 150)), ((150, 170, 190), (215, 222, 228)), ((225, 150, 180), (250, 210, 200)),
)  # fmt: skip


def _sky_pixels(side: int, rng: Rng) -> Pixels:
    top, bottom = SKIES[int(rng.integers(len(SKIES)))]
    return _gradient(side, _near(top, rng), _near(bottom, rng))


def _sky(side: int, rng: Rng) -> Ground:
    pixels = _clouded(_sky_pixels(side, rng), int(rng.integers(3, 8)), int(rng.integers(0, 26)), rng)
    return Ground("sky", pixels, side)


def _grass(side: int, rng: Rng) -> Ground:
    picture, pen = _canvas(_sky_pixels(side, rng))
    horizon = int(side * rng.uniform(0.15, 0.6))
    green = _pick(
        rng, (120, 180, 80), (90, 150, 70), (160, 190, 90), (190, 170, 100), (225, 205, 150), (235, 240, 245)
    )
    for layer in range(int(rng.integers(1, 4))):
        level = horizon + layer * side * 0.16
        shade: Colour = tuple(int(c * (1 - 0.08 * layer)) for c in green)  # type: ignore[assignment]
        pen.polygon(_wave(side, level, side * rng.uniform(0.0, 0.07), rng), fill=shade)
    for _ in range(int(rng.integers(0, 50))):
        x, y = rng.uniform(0, side), rng.uniform(horizon + 8, side)
        long = side * rng.uniform(0.01, 0.05)
        pen.line((x, y, x + rng.uniform(-3, 3), y - long), fill=_near(green, rng, 34))
    return Ground("grass", _clouded(np.asarray(picture), 6, 12, rng), horizon)


def _room(side: int, rng: Rng) -> Ground:
    wall = _pick(
        rng,
        (235, 220, 190),
        (200, 215, 225),
        (225, 200, 205),
        (190, 205, 180),
        (245, 240, 230),
        (90, 100, 130),
    )
    floor = _pick(rng, (170, 120, 80), (200, 170, 130), (120, 90, 70), (180, 180, 185), (215, 205, 195))
    picture, pen = _canvas(_gradient(side, wall, _near(wall, rng, 12)))
    horizon = int(side * rng.uniform(0.45, 0.8))
    pattern, step = rng.integers(4), int(side * rng.uniform(0.06, 0.16))
    ink = _near(wall, rng, 26)
    if pattern == 1:
        for x in range(0, side, step):
            pen.rectangle((x, 0, x + step // 2, horizon), fill=ink)
    elif pattern == 2:
        for x in range(0, side, step):
            for y in range((x // step % 2) * step // 2, horizon, step):
                pen.ellipse((x, y, x + step // 4, y + step // 4), fill=ink)
    pen.rectangle((0, horizon, side, side), fill=floor)
    if rng.random() < 0.7:
        for y in np.geomspace(horizon + 3, side, int(rng.integers(3, 7))).astype(int).tolist():
            pen.line((0, y, side, y), fill=_near(floor, rng, 20))
    pen.rectangle((0, horizon - side // 40, side, horizon), fill=_near(floor, rng, 40))
    if rng.random() < 0.35:  # a rug or a table top
        left, wide = rng.uniform(0, side * 0.5), side * rng.uniform(0.4, 0.9)
        upper = rng.uniform(horizon, side * 0.9)
        pen.ellipse((left, upper, left + wide, upper + side * 0.22), fill=any_colour(rng))
    return Ground("room", _clouded(np.asarray(picture), 4, 10, rng), horizon)


def _water(side: int, rng: Rng) -> Ground:
    picture, pen = _canvas(_sky_pixels(side, rng))
    horizon = int(side * rng.choice([0.0, rng.uniform(0.2, 0.6)]))
    blue = _pick(rng, (60, 140, 200), (40, 110, 160), (90, 190, 200), (30, 70, 120), (120, 190, 215))
    layers = int(rng.integers(2, 7))
    for layer in range(layers):
        level = horizon + (side - horizon) * layer / layers
        shade = (np.array(blue) * (1 - 0.07 * layer)).astype(int).tolist()
        pen.polygon(_wave(side, level, side * rng.uniform(0.004, 0.03), rng), fill=tuple(shade))
    for _ in range(int(rng.integers(0, 24))):
        left, top, long = rng.uniform(0, side), rng.uniform(horizon + 4, side), side * rng.uniform(0.03, 0.12)
        pen.arc((left, top, left + long, top + long * 0.4), 190, 350, fill=_near(blue, rng, 50))
    return Ground("water", _clouded(np.asarray(picture), 5, 10, rng), horizon)


def _street(side: int, rng: Rng) -> Ground:
    picture, pen = _canvas(_sky_pixels(side, rng))
    horizon = int(side * rng.uniform(0.35, 0.65))
    brick = _pick(rng, (180, 100, 80), (190, 170, 150), (140, 140, 150), (210, 190, 160))
    top = int(horizon * rng.uniform(0.3, 1.0))
    pen.rectangle((0, top, side, horizon), fill=brick)
    mortar, row = _near(brick, rng, 30), max(5, int(side * rng.uniform(0.04, 0.08)))
    for count, y in enumerate(range(top, horizon, row)):
        pen.line((0, y, side, y), fill=mortar)
        for x in range(-(count % 2) * row, side, row * 2):
            pen.line((x, y, x, min(y + row, horizon)), fill=mortar)
    road = _pick(rng, (95, 98, 104), (120, 120, 125), (70, 72, 80), (150, 145, 140))
    kerb = int(horizon + side * rng.uniform(0.04, 0.14))
    pen.rectangle((0, horizon, side, kerb), fill=_pick(rng, (190, 188, 182), (170, 165, 160), (120, 160, 90)))
    pen.rectangle((0, kerb, side, side), fill=road)
    if rng.random() < 0.75:
        y, dash, shift = int((kerb + side) / 2), int(side * 0.14), int(rng.integers(side))
        paint = _pick(rng, (235, 235, 230), (240, 205, 90))
        for x in range(-shift % dash - dash, side, dash):
            pen.rectangle((x, y, x + dash // 2, y + max(2, side // 60)), fill=paint)
    return Ground("street", grained(np.asarray(picture), 3.0, rng), horizon)


def _noise(side: int, rng: Rng) -> Ground:
    """Returns a ground that is no place: soft colours, checks, stripes, or mosaics."""
    from PIL import Image

    kind = int(rng.integers(4))
    cells = int(rng.integers(2, 24))
    small = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
    calm = rng.uniform(0.15, 0.9)
    small = (small * calm + np.array(any_colour(rng)) * (1 - calm)).astype(np.uint8)
    if kind == 2:
        small = small[:, :1]
    elif kind == 3:
        small = small[:1]
    method = Image.Resampling.BICUBIC if kind == 0 else Image.Resampling.NEAREST
    pixels = np.asarray(Image.fromarray(small).resize((side, side), method))
    return Ground("noise", grained(pixels, rng.uniform(0, 14), rng), side)


def _plain(side: int, rng: Rng) -> Ground:
    if rng.random() < WHITE_SHARE:
        return Ground("plain", np.full((side, side, 3), 255, dtype=np.uint8), side)
    colour = any_colour(rng)
    other = colour if rng.random() < 0.5 else _near(colour, rng, 60)
    return Ground("plain", _gradient(side, colour, other), side)


GROUNDS: dict[str, Callable[[int, Rng], Ground]] = {
    "sky": _sky, "grass": _grass, "room": _room, "water": _water, "street": _street, "noise": _noise,
    "plain": _plain,
}  # fmt: skip
