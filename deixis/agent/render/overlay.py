"""A picture with what the answer points at: masks, outlines, numbered labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.agent.render import labels, masks
from deixis.agent.render.palette import PAPER, colour, rgb
from deixis.answer import Entity, GroundedAnswer, Region
from deixis.errors import InputFault
from deixis.geometry import Box, Size
from deixis.media.refs import Digest, ImageRef, VideoRef

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

MAX_SIDE = 2000
"""Longer side of a drawn picture in pixels; larger ones are shrunk."""
MIN_SIDE = 400
"""Pictures below this are enlarged by a whole number, so that labels can be read."""
BLEND = 0.5
"""Share of the colour in a mask; the rest is the picture (BuboGPT's 50 %)."""


def overlay(
    pixels: NDArray[np.uint8] | Image.Image,
    answer: GroundedAnswer,
    media: Digest,
    only: Iterable[str] | None = None,
) -> Image.Image:
    """Returns the picture `media` of the answer, RGB, with its entities drawn on it.

    Masks are blended half and half with the picture, outlined and labelled; a region without a mask gets the
    outline of its box. Pixels away from masks, outlines and labels stay exactly as they are. Sounds are not
    drawn.

    Args:
        pixels: the upright picture at any scale, (h, w, 3) uint8 or a Pillow picture. Above 2000 px on the
            long side it is shrunk, below 400 px enlarged by a whole number.
        media: the digest of the picture among ``answer.media``.
        only: ids of the entities to draw; None or nothing selected draws all.

    Raises:
        InputFault: the answer has no such picture, or no such entity.
    """
    chosen = selected(answer, only)
    ref_size = size_of(answer, media)
    canvas = working_copy(pixels)
    found = list(regions_of(chosen, media))
    scale = (canvas.width / ref_size.width, canvas.height / ref_size.height)
    return _draw(canvas, found, scale)


def selected(answer: GroundedAnswer, only: Iterable[str] | None) -> list[Entity]:
    """Returns the entities with the ids `only`; all of them for None or nothing.

    Raises:
        InputFault: an id is not the answer's.
    """
    wanted = set(only or ())
    known = {entity.id for entity in answer.entities}
    if unknown := sorted(wanted - known):
        raise InputFault(
            "render.entity.unknown",
            f"The answer has no entity {unknown[0]!r}.",
            f"It has: {', '.join(sorted(known)) or 'none'}.",
        )
    return [entity for entity in answer.entities if not wanted or entity.id in wanted]


def size_of(answer: GroundedAnswer, media: Digest) -> Size:
    """Returns the size of a picture of the answer in original pixels.

    Raises:
        InputFault: the answer has no such picture.
    """
    for ref in answer.media:
        if ref.digest == media and isinstance(ref, ImageRef | VideoRef):
            return ref.size
    raise InputFault(
        "render.media.unknown", f"The answer has no picture {media}.", "Take one of answer.media."
    )


def regions_of(entities: Iterable[Entity], media: Digest) -> Iterator[tuple[Entity, Region]]:
    """Yields the regions with a mask or a box in the picture `media`, with their entities."""
    for entity in entities:
        if entity.kind == "thing":
            for region in entity.regions:
                if region.media == media and (region.mask or region.box):
                    yield entity, region


def working_copy(pixels: NDArray[np.uint8] | Image.Image) -> Image.Image:
    """Returns an RGB copy at the size at which it is drawn on; see `MAX_SIDE` and `MIN_SIDE`."""
    from PIL import Image

    image = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    image = image.convert("RGB") if image.mode != "RGB" else image.copy()
    longest = max(image.size)
    if longest > MAX_SIDE:
        size = tuple(max(1, round(side * MAX_SIDE / longest)) for side in image.size)
        return image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    if longest < MIN_SIDE:
        factor = math.ceil(MIN_SIDE / longest)
        size = (image.width * factor, image.height * factor)
        return image.resize(size, Image.Resampling.NEAREST)
    return image


def outline_px(size: Size) -> int:
    """Returns the width of outlines for a picture of `size`: 2 px at 640 px, 6 px at 2000 px."""
    return max(2, round(max(size.width, size.height) / 320))


def extent(region: Region, scale: tuple[float, float]) -> Box:
    """Returns the region's box, or its mask's, multiplied by `scale` (x, y)."""
    if region.box is not None:
        return region.box.scale(*scale)
    if region.mask is None:
        raise ValueError("the region is in no picture")
    return region.mask.box.scale(*scale)


def _draw(canvas: Image.Image, found: list[tuple[Entity, Region]], scale: tuple[float, float]) -> Image.Image:
    from PIL import Image, ImageDraw

    size = Size(width=canvas.width, height=canvas.height)
    width = outline_px(size)
    original = np.asarray(canvas)
    pixels = original.astype(np.float32)
    shapes: list[tuple[Entity, NDArray[np.bool_], bool]] = []
    for entity, region in found:
        if region.mask is not None:
            shapes.append((entity, masks.resized(region.mask, canvas.size), True))
        elif region.box is not None:
            box = region.box.scale(*scale)
            shapes.append((entity, masks.filled_box(box, canvas.size), False))
    shapes.sort(key=lambda shape: -int(shape[1].sum()))  # small things over large ones
    for entity, mask, filled in shapes:
        if filled:
            fill = np.array(rgb(colour(entity.number).fill), dtype=np.float32)
            pixels[mask] = original[mask] * (1 - BLEND) + fill * BLEND
    for entity, mask, filled in shapes:
        shade = colour(entity.number)
        _outline(pixels, mask, width, shade.line)
        if not filled:  # a box has no fill to stand out by: its line gets a light core
            _outline(pixels, mask, width / 2, shade.fill)
    out = Image.fromarray(np.rint(pixels).astype(np.uint8))
    draw = ImageDraw.Draw(out)
    plates = plates_of(found, scale)
    for (entity, _), plate, placed in zip(found, plates, labels.place(plates, size), strict=True):
        if placed is None:
            continue
        line = colour(entity.number).line
        if placed.apart:
            draw.line((placed.box.center, plate.target.clip(size).center), fill=line, width=width)
        labels.draw_plate(draw, placed, line, PAPER)
    return out


def plates_of(found: Iterable[tuple[Entity, Region]], scale: tuple[float, float]) -> list[labels.Plate]:
    """Returns a plate for each region: number and label at an entity's first, the number at the others."""
    plates: list[labels.Plate] = []
    named: set[str] = set()
    for entity, region in found:
        words: tuple[str, ...] = (str(entity.number),)
        if entity.id not in named:
            words = (labels.text_of(entity.number, entity.label), *words)
            named.add(entity.id)
        plates.append(labels.Plate(words, extent(region, scale)))
    return plates


def _outline(pixels: NDArray[Any], mask: NDArray[np.bool_], width: float, line: str) -> None:
    """Draws the mask's contour into `pixels`, (h, w, 3) float32, in place."""
    window = window_of(mask, masks.reach(width))
    if window is None:
        return
    cover = masks.contour(mask[window], width)[:, :, None]
    part = pixels[window]
    pixels[window] = part * (1 - cover) + np.array(rgb(line), dtype=np.float32) * cover


def window_of(mask: NDArray[np.bool_], margin: int) -> tuple[slice, slice] | None:
    """Returns the rows and columns around the set pixels with a margin; None for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    top, left = max(0, int(rows[0]) - margin), max(0, int(columns[0]) - margin)
    return slice(top, int(rows[-1]) + margin + 1), slice(left, int(columns[-1]) + margin + 1)
