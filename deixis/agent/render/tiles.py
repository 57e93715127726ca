"""Tiles: one small picture per entity, cut out with some of what is around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.agent.render.overlay import overlay, scaled_pixels
from deixis.answer import Entity, GroundedAnswer
from deixis.media.refs import ImageRef, MediaSource

if TYPE_CHECKING:
    from PIL import Image

AROUND = 0.25
"""Share of the box's sides shown around it."""
LEAST = 160
MOST = 512


def tile(answer: GroundedAnswer, entity: Entity, image: ImageRef, media: MediaSource) -> Image.Image | None:
    """Returns the best region of an entity on a picture, marked; None where it is not on it."""
    boxes = [
        (region.score.value, region.box)
        for region in entity.regions
        if region.media == image.digest and region.box is not None
    ]
    if not boxes:
        return None
    from PIL import Image

    box = max(boxes, key=lambda pair: pair[0])[1].pad(AROUND, image.size)
    marked = overlay(answer, image, media, only={entity.id})
    _, scale = scaled_pixels(image, media)
    left, top, right, bottom = (round(value * scale) for value in box.xyxy_px)
    left, top = min(left, marked.width - 1), min(top, marked.height - 1)
    cut = marked.crop((left, top, max(left + 1, right), max(top + 1, bottom)))
    longer = max(cut.size)
    by = MOST / longer if longer > MOST else LEAST / longer if longer < LEAST else 1.0
    size = (max(1, round(cut.width * by)), max(1, round(cut.height * by)))
    return cut.resize(size, Image.Resampling.LANCZOS)


def film_strip(tiles: list[Image.Image], height: int = 160) -> Image.Image | None:
    """Returns the tiles side by side on white, all of one height; None for none."""
    if not tiles:
        return None
    from PIL import Image

    resized = [t.resize((max(1, round(t.width * height / t.height)), height)) for t in tiles]
    gap = 8
    width = sum(t.width for t in resized) + gap * (len(resized) + 1)
    strip = Image.fromarray(np.full((height + 2 * gap, width, 3), 255, dtype=np.uint8))
    at = gap
    for picture in resized:
        strip.paste(picture, (at, gap))
        at += picture.width + gap
    return strip
