"""Tiles: each thing alone, cut out with its surroundings, and a film strip of them all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.agent.render import labels, masks
from deixis.agent.render.overlay import extent, regions_of, selected, size_of, window_of
from deixis.agent.render.palette import PAPER, colour, rgb
from deixis.agent.render.plain import shortened
from deixis.answer import Entity, GroundedAnswer, Region
from deixis.geometry import Box, Size
from deixis.media.refs import Digest

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

HEIGHT, WIDEST = 320, 440
"""Size in pixels into which a cut-out is fitted; the caption comes below."""
CAPTION = 44
CONTEXT = 0.2
"""Share of the box's sides that is shown around it."""
DIMMED = 0.35
"""Brightness of what does not belong to the thing; its colour goes, too."""
MOST = 3
"""Regions shown in one tile; the caption counts the rest."""
GAP = 6
GROUND = "#1b1e23"


def tiles(
    pictures: Mapping[Digest, NDArray[np.uint8]],
    answer: GroundedAnswer,
    only: Iterable[str] | None = None,
) -> list[tuple[Entity, Image.Image]]:
    """Returns a tile for each thing that is in one of the pictures, in the order of their numbers.

    A tile shows the thing's regions (the best three) with some surroundings, which are dimmed, and a caption.

    Args:
        pictures: upright RGB pixels by digest, (h, w, 3) uint8, at any scale.
        only: ids of entities; None or nothing selected takes all.

    Raises:
        InputFault: the answer has no such picture or entity.
    """
    sizes = {digest: size_of(answer, digest) for digest in pictures}
    out = []
    for entity in sorted(selected(answer, only), key=lambda entity: entity.number):
        found = [
            (region, pixels, sizes[digest])
            for digest, pixels in pictures.items()
            for _, region in regions_of([entity], digest)
        ]
        found.sort(key=lambda item: -item[0].score.value)
        if found:
            cuts = [_cut_out(pixels, region, size, entity) for region, pixels, size in found[:MOST]]
            out.append((entity, _tile(cuts, entity, len(found))))
    return out


def strip(pictures: Sequence[Image.Image], per_row: int = 4) -> Image.Image:
    """Returns the tiles side by side, `per_row` in a row, RGB.

    Raises:
        ValueError: there are no tiles.
    """
    from PIL import Image

    if not pictures:
        raise ValueError("a strip needs a tile")
    rows = [pictures[at : at + per_row] for at in range(0, len(pictures), per_row)]
    widths = [sum(tile.width for tile in row) + GAP * (len(row) + 1) for row in rows]
    height = pictures[0].height
    out = Image.new("RGB", (max(widths), (height + GAP) * len(rows) + GAP), GROUND)
    for index, row in enumerate(rows):
        left = GAP
        for tile in row:
            out.paste(tile, (left, GAP + index * (height + GAP)))
            left += tile.width + GAP
    return out


def _cut_out(pixels: NDArray[np.uint8], region: Region, size: Size, entity: Entity) -> Image.Image:
    """Returns the region with its surroundings, fitted into the tile, the rest of the picture dimmed."""
    from PIL import Image, ImageFilter

    height, width = pixels.shape[:2]
    scale = (width / size.width, height / size.height)
    box = extent(region, scale)
    crop = _framed(box, Size(width=width, height=height))
    x1, y1, x2, y2 = crop
    factor = min(HEIGHT / (y2 - y1), WIDEST / (x2 - x1))
    shown = (max(1, round((x2 - x1) * factor)), max(1, round((y2 - y1) * factor)))
    how = Image.Resampling.LANCZOS if factor < 8 else Image.Resampling.NEAREST
    part = np.asarray(Image.fromarray(pixels[y1:y2, x1:x2]).resize(shown, how)).astype(np.float32)
    inside = _inside(region, box, (width, height))[y1:y2, x1:x2]
    image = Image.fromarray(inside.astype(np.uint8) * 255).resize(shown, Image.Resampling.BILINEAR)
    if factor > 2:  # an enlarged mask is rounded; its stair steps would say more than it knows
        image = image.filter(ImageFilter.GaussianBlur(min(factor, 12.0) / 2))
    mask = np.asarray(image) >= 128
    grey = part @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    out = np.where(mask[:, :, None], part, (0.6 * grey[:, :, None] + 0.4 * part) * DIMMED)
    if window_of(mask, 0) is not None:
        cover = masks.contour(mask, 2)[:, :, None]
        out = out * (1 - cover) + np.array(rgb(colour(entity.number).fill), dtype=np.float32) * cover
    return Image.fromarray(np.rint(out).astype(np.uint8))


def _inside(region: Region, box: Box, size: tuple[int, int]) -> NDArray[np.bool_]:
    if region.mask is not None:
        return masks.resized(region.mask, size)
    return masks.filled_box(box, size)


def _framed(box: Box, size: Size) -> tuple[int, int, int, int]:
    """Returns whole pixels around `box` with context, inside the picture, no flatter than 3:1 if possible."""
    grown = box.pad(CONTEXT)
    least = max(grown.width / 3, grown.height / 3, 8.0)
    (middle_x, middle_y), wide, high = grown.center, max(grown.width, least), max(grown.height, least)
    x1, y1 = math.floor(max(0, middle_x - wide / 2)), math.floor(max(0, middle_y - high / 2))
    x1, y1 = min(x1, size.width - 1), min(y1, size.height - 1)
    x2 = min(size.width, max(x1 + 1, math.ceil(middle_x + wide / 2)))
    y2 = min(size.height, max(y1 + 1, math.ceil(middle_y + high / 2)))
    return x1, y1, x2, y2


def _tile(cuts: Sequence[Image.Image], entity: Entity, count: int) -> Image.Image:
    """Returns the cut-outs side by side over a caption with number, label and score."""
    from PIL import Image, ImageDraw

    width = max(sum(cut.width for cut in cuts) + GAP * (len(cuts) - 1), 200)
    out = Image.new("RGB", (width, HEIGHT + CAPTION), GROUND)
    left = (width - sum(cut.width for cut in cuts) - GAP * (len(cuts) - 1)) // 2
    for cut in cuts:
        out.paste(cut, (left, (HEIGHT - cut.height) // 2))
        left += cut.width + GAP
    draw = ImageDraw.Draw(out)
    shade = colour(entity.number)
    text = labels.text_of(entity.number, entity.label)
    number, _, label = text.partition(" ")
    chip, middle = labels.plate_size(number, 18)[0], HEIGHT + CAPTION / 2
    draw.rounded_rectangle((10, middle - 14, 10 + chip, middle + 13), radius=5, fill=shade.line)
    draw.text((10 + chip / 2, middle), number, fill=PAPER, font=labels.font(18), anchor="mm")
    _caption(draw, label, _score(entity, count), 10 + chip + 10, width - 10, middle)
    return out


def _caption(draw: Any, label: str, score: str, left: int, right: int, middle: float) -> None:
    """Writes the label at the left and the score at the right; the score goes where both do not fit."""
    wide = draw.textlength(score, font=labels.font(14))
    room = right - left
    if draw.textlength(label, font=labels.font(18)) + wide + 12 <= room:
        draw.text((right, middle), score, fill="#b9c0ca", font=labels.font(14), anchor="rm")
    most = len(label)
    while most > 1 and draw.textlength(shortened(label, most), font=labels.font(18)) > room:
        most -= 1
    draw.text((left, middle), shortened(label, most), fill="#f2f4f7", font=labels.font(18), anchor="lm")


def _score(entity: Entity, count: int) -> str:
    best = max(entity.regions, key=lambda region: region.score.value).score
    more = f"{count} regions, " if count > 1 else ""
    return f"{more}{best.kind} {best.value:.2f}"
