"""A contact sheet of scenes with their truth drawn in."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.scenes import Scene

if TYPE_CHECKING:
    from PIL.Image import Image

LARGER = 2  # times a scene's own size, so that names can be read
GAP = 6
INKS = ((230, 40, 60), (30, 110, 240), (20, 150, 70), (240, 140, 0), (150, 60, 200), (0, 160, 170))


def contact_sheet(drawn: Iterable[Scene], columns: int = 6) -> Image:
    """Returns the scenes side by side: a border around what shows of each thing, its box, its name."""
    from PIL import Image

    tiles = [annotated(scene) for scene in drawn]
    if not tiles:
        return Image.new("RGB", (1, 1), "white")
    side = tiles[0].width + GAP
    columns = min(columns, len(tiles))
    sheet = Image.new("RGB", (columns * side + GAP, math.ceil(len(tiles) / columns) * side + GAP), "white")
    for number, tile in enumerate(tiles):
        sheet.paste(tile, (GAP + number % columns * side, GAP + number // columns * side))
    return sheet


def annotated(scene: Scene) -> Image:
    """Returns one scene, enlarged, with its truth drawn in."""
    from PIL import Image, ImageDraw

    side = scene.pixels.shape[0] * LARGER
    pixels = np.array(Image.fromarray(scene.pixels).resize((side, side), Image.Resampling.BICUBIC))
    owner = scene.owner.repeat(LARGER, axis=0).repeat(LARGER, axis=1)
    border = np.zeros(owner.shape, dtype=bool)
    border[1:] |= owner[1:] != owner[:-1]
    border[:, 1:] |= owner[:, 1:] != owner[:, :-1]
    for number in range(len(scene.classes)):
        pixels[border & (owner == number + 1)] = INKS[number % len(INKS)]
    picture = Image.fromarray(pixels)
    pen = ImageDraw.Draw(picture)
    for number, (name, box) in enumerate(zip(scene.names, scene.boxes.tolist(), strict=True)):
        ink = INKS[number % len(INKS)]
        x1, y1, x2, y2 = (value * LARGER for value in box)
        pen.rectangle((x1, y1, x2 - 1, y2 - 1), outline=ink)
        said = " ".join(part for part in (scene.sizes[number], scene.colours[number], name) if part)
        wide = pen.textlength(said)
        left, top = min(x1, side - wide - 2), max(0, y1 - 11)
        pen.rectangle((left, top, left + wide + 2, top + 11), fill=ink)
        pen.text((left + 1, top), said, fill="white")
    return picture
