"""A contact sheet of SCOUT samples: a row for each, a tile for each step with its boxes and its words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.agent.export.samples import ShownStep, shown_step
from deixis.agent.render.labels import font
from deixis.agent.render.palette import colour
from deixis.errors import DeixisError
from deixis.learned.scout.sample import Sample, SampleMedium
from deixis.learned.scout.sources import SampleMedia

if TYPE_CHECKING:
    from PIL.Image import Image

TILE, GAP, LINE, ROWS = 300, 12, 17, 6
"""Pixels of a tile's side, of the space between tiles, of a line of text; lines below a tile."""
COLUMN = 44
"""Characters in a line below a tile."""


def sheet(samples: Sequence[Sample], root: Path | None = None) -> Image:
    """Returns the sheet, RGB: solid boxes are what the words point at, thin ones what was proposed.

    `root` is the folder of photos; a picture that cannot be had is left grey.
    """
    from PIL import Image, ImageDraw

    columns = max(len(sample.steps) for sample in samples)
    high = TILE + LINE * (ROWS + 3) + GAP
    canvas = Image.new("RGB", (GAP + columns * (TILE + GAP), GAP + len(samples) * high), "#fbfaf7")
    pen = ImageDraw.Draw(canvas)
    for row, sample in enumerate(samples):
        top = GAP + row * high
        denies = f" [{sample.absence.replace('_', ' ')}]" if sample.absence else ""
        pen.text((GAP, top), f"{sample.task}{denies}: {sample.question}", fill="#111111", font=font(15))
        picture = _picture(sample, root)
        for place, step in enumerate(sample.steps):
            left = GAP + place * (TILE + GAP)
            shown = shown_step(step)
            if picture is not None:
                canvas.paste(_tile(picture, sample.images[0], shown), (left, top + LINE + 4))
            else:
                _times(pen, sample, shown, left, top + LINE + 4)
            below = top + LINE + 8 + TILE
            pen.text((left, below), f"{step.index} {step.kind}", fill="#6b6860", font=font(12))
            for line, text in enumerate(textwrap.wrap(step.text, COLUMN)[:ROWS]):
                pen.text((left, below + LINE * (line + 1)), text, fill="#111111", font=font(13))
    return canvas


def _picture(sample: Sample, root: Path | None) -> Image | None:
    """Returns the first picture, fitted into a tile; grey where it cannot be had, None if there is none."""
    from PIL import Image

    if not sample.images:
        return None
    medium = sample.images[0]
    scale = TILE / max(medium.size.width, medium.size.height)
    size = (max(1, round(medium.size.width * scale)), max(1, round(medium.size.height * scale)))
    try:
        pixels = SampleMedia(sample.media, root).pixels(medium.image, 2 * TILE)
    except DeixisError:
        return Image.new("RGB", size, "#bbbbbb")
    return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)


def _tile(picture: Image, medium: SampleMedium, shown: ShownStep) -> Image:
    from PIL import ImageDraw

    tile = picture.copy()
    pen = ImageDraw.Draw(tile)
    by_x, by_y = tile.width / medium.size.width, tile.height / medium.size.height
    for one in shown.proposals:
        box = one.box.scale(by_x, by_y)
        pen.rectangle((box.x1, box.y1, max(box.x1, box.x2 - 1), max(box.y1, box.y2 - 1)), outline="#222222")
        corner = (box.x2 - 2, box.y2 - 2)
        pen.text(
            corner,
            f"#{one.number}",
            fill="#fff",
            stroke_fill="#000",
            stroke_width=2,
            anchor="rs",
            font=font(13),
        )
    for drawn in shown.drawn:
        if drawn.box is not None:
            box, shade = drawn.box.scale(by_x, by_y), colour(drawn.number)
            edges = (box.x1, box.y1, max(box.x1, box.x2 - 1), max(box.y1, box.y2 - 1))
            pen.rectangle(edges, outline=shade.line, width=4)
            pen.rectangle(edges, outline=shade.fill, width=2)
            at = (min(box.x1 + 3, tile.width - 40), min(box.y1 + 3, tile.height - 16))
            pen.text(at, drawn.phrase, fill="#fff", stroke_fill=shade.line, stroke_width=3, font=font(13))
    return tile


def _times(pen: object, sample: Sample, shown: ShownStep, left: int, top: int) -> None:
    """Draws the times of a sound as bars."""
    seconds = sample.audios[0].seconds if sample.audios else None
    draw = pen
    draw.rectangle((left, top, left + TILE, top + TILE // 3), fill="#ece9e1")  # type: ignore[attr-defined]
    for row, one in enumerate(one for one in shown.drawn if one.time is not None):
        if one.time is None or not seconds:
            continue
        x1, x2 = (left + TILE * value / seconds for value in (one.time.start_s, one.time.end_s))
        y = top + 8 + 24 * (row % 4)
        shade = colour(one.number)
        draw.rectangle((x1, y, max(x1 + 1, x2), y + 16), fill=shade.fill, outline=shade.line)  # type: ignore[attr-defined]
        draw.text((x1 + 3, y + 1), one.phrase, fill="#111111", font=font(12))  # type: ignore[attr-defined]
