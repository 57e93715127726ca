"""Shapes that are no things: so that "something is there" is not "a known thing is there"."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from deixis.learned.world.grounds import any_colour

Rng = np.random.Generator
FINER = 2  # times finer than the stage a shape is drawn, for smooth borders
KINDS = ("polygon", "triangle", "cross", "ring", "zigzag", "bar", "oval", "blob", "grid")


def draw_shape(side: float, rng: Rng) -> NDArray[np.uint8]:
    """Returns an abstract shape, premultiplied RGBA uint8 (h, w, 4), for a stage of `side` pixels."""
    from PIL import Image, ImageDraw

    size = max(8, int(side * rng.uniform(0.07, 0.4)))
    big = size * FINER
    picture = Image.new("RGBA", (big, big))
    pen = ImageDraw.Draw(picture)
    fill = (*any_colour(rng), 255)
    kind = KINDS[int(rng.integers(len(KINDS)))]
    thick = max(2, int(big * rng.uniform(0.08, 0.25)))
    if kind in {"polygon", "triangle", "blob"}:
        corners = {"polygon": int(rng.integers(4, 8)), "triangle": 3, "blob": 24}[kind]
        rough = 0.12 if kind == "blob" else 0.3
        pen.polygon(_around(big, corners, rough, rng), fill=fill)
        if rng.random() < 0.4:
            pen.polygon([((x + big) / 2.4, (y + big) / 2.4) for x, y in _around(big / 3, 5, 0.3, rng)],
                        fill=any_colour(rng))  # fmt: skip
    elif kind == "cross":
        middle = big / 2
        pen.rectangle((middle - thick / 2, 0, middle + thick / 2, big), fill=fill)
        pen.rectangle((0, middle - thick / 2, big, middle + thick / 2), fill=fill)
    elif kind == "ring":
        pen.ellipse((0, big * rng.uniform(0, 0.3), big - 1, big - 1), outline=fill, width=thick)
    elif kind == "zigzag":
        steps = int(rng.integers(3, 8))
        line = [(big * i / steps, big * (0.25 if i % 2 else 0.75)) for i in range(steps + 1)]
        pen.line(line, fill=fill, width=thick, joint="curve")
    elif kind == "bar":
        pen.rounded_rectangle((0, big / 2 - thick, big - 1, big / 2 + thick), thick // 2, fill=fill)
    elif kind == "oval":
        pen.ellipse((0, big * rng.uniform(0.15, 0.4), big - 1, big * rng.uniform(0.6, 0.9)), fill=fill)
    else:
        step = max(4, big // int(rng.integers(3, 7)))
        for at in range(0, big, step):
            pen.line((at, 0, at, big), fill=fill, width=max(2, thick // 4))
            pen.line((0, at, big, at), fill=fill, width=max(2, thick // 4))
    turned = picture.rotate(float(rng.uniform(0, 360)), Image.Resampling.NEAREST)
    return np.array(turned.convert("RGBa").resize((size, size), Image.Resampling.BOX))


def _around(side: float, corners: int, rough: float, rng: Rng) -> list[tuple[float, float]]:
    """Returns corners about the middle of a square, at uneven distances."""
    reach = side / 2 * (1 - rough * rng.random(corners))
    return [
        (
            side / 2 + r * math.cos(6.283 * i / corners),
            side / 2 + r * math.sin(6.283 * i / corners),
        )
        for i, r in enumerate(reach.tolist())
    ]
