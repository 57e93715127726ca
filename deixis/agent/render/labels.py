"""Label plates: their text, their font, and a place for each inside the frame, apart from one another."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deixis.agent.render.plain import shortened
from deixis.geometry import Box, Size

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

LONGEST = 28
"""Characters of a label on a picture; the whole label stands in the legend."""


@functools.lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Returns Pillow's own font (Aileron where FreeType is there) at `size` pixels."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


@functools.lru_cache(maxsize=4096)
def _drawable(char: str) -> bool:
    face: Any = font(20)
    return char.isspace() or bytes(face.getmask(char)) != bytes(face.getmask("\U000f0000"))


def text_of(number: int, label: str) -> str:
    """Returns what stands on a plate: number and label, the number alone where the font lacks a character."""
    label = shortened(label, LONGEST)
    return f"{number} {label}" if label and all(_drawable(char) for char in label) else str(number)


@dataclass(frozen=True)
class Plate:
    """A label to place: what it says (the longest wording first), and the box it belongs to, in pixels."""

    wordings: tuple[str, ...]
    target: Box


@dataclass(frozen=True)
class Placed:
    """A label with its place: the plate's box in pixels, the text, the font's size; `apart` where the plate
    could not stay at its target, so that a line should lead there."""

    box: Box
    text: str
    font_px: int
    apart: bool = False


def font_px(size: Size) -> int:
    """Returns the font size for a picture of `size`: 15 px at 400 px, 35 px at 2000 px on the long side."""
    return round(10 + max(size.width, size.height) / 80)


def place(plates: Sequence[Plate], size: Size) -> list[Placed | None]:
    """Returns a place for each plate, in order: inside a picture of `size`, free of the other plates.

    Where no free place is left, the one that covers the others least is taken; a plate that fits in no
    wording and no font size is None.
    """
    placed: list[Placed | None] = []
    for plate in plates:
        taken = [other.box for other in placed if other is not None]
        placed.append(_best(plate, taken, size))
    return placed


def _best(plate: Plate, taken: Sequence[Box], size: Size) -> Placed | None:
    for wording, pixels, width, height in _fitting(plate.wordings, size):
        boxes = list(_around(plate.target, width, height, size))
        near = _least(boxes, taken)
        if near[0] == 0:
            return Placed(near[1], wording, pixels)
        far = _least(list(_everywhere(plate.target, width, height, size)), taken)
        if far[0] == 0:
            return Placed(far[1], wording, pixels, apart=True)
        return Placed(near[1], wording, pixels)
    return None


def _fitting(wordings: Sequence[str], size: Size) -> Iterable[tuple[str, int, int, int]]:
    """Yields the wording, font size and plate size in pixels that fit the frame, the most readable first."""
    full = font_px(size)
    for pixels in (full, max(9, round(full * 0.75)), 9):
        for wording in wordings:
            width, height = plate_size(wording, pixels)
            if width <= size.width and height <= size.height:
                yield wording, pixels, width, height


def plate_size(text: str, pixels: int) -> tuple[int, int]:
    """Returns width and height of the plate around `text`, in pixels."""
    left, _, right, _ = font(pixels).getbbox(text)
    pad = max(2, round(pixels * 0.35))
    return int(right - left) + 2 * pad, round(pixels * 1.15) + pad


def _around(target: Box, width: int, height: int, size: Size) -> Iterable[Box]:
    """Yields plates at the target, the best place first: above it, in its corners, below it."""
    free_x, free_y = size.width - width, size.height - height
    across = (target.x1, target.x2 - width, target.center[0] - width / 2)
    down = (target.y1 - height, target.y1, target.y2, target.y2 - height, target.center[1] - height / 2)
    for y in down:
        for x in across:
            left, top = min(max(x, 0), free_x), min(max(y, 0), free_y)
            yield Box(x1=left, y1=top, x2=left + width, y2=top + height)


def _everywhere(target: Box, width: int, height: int, size: Size) -> Iterable[Box]:
    """Yields plates on a grid over the picture, the nearest to the target first."""
    spots = [
        (float(x), float(y))
        for y in range(0, max(1, size.height - height + 1), max(1, height))
        for x in range(0, max(1, size.width - width + 1), max(1, width // 2))
    ]
    middle_x, middle_y = target.center
    spots.sort(
        key=lambda spot: (spot[0] + width / 2 - middle_x) ** 2 + (spot[1] + height / 2 - middle_y) ** 2
    )
    for x, y in spots:
        yield Box(x1=x, y1=y, x2=x + width, y2=y + height)


def _least(boxes: Sequence[Box], taken: Sequence[Box]) -> tuple[float, Box]:
    """Returns the first box that covers no taken one (and 0), or the one that covers least."""
    best: tuple[float, Box] | None = None
    for box in boxes:
        covered = sum(box.intersection(other) for other in taken)
        if covered == 0:
            return 0.0, box
        if best is None or covered < best[0]:
            best = (covered, box)
    if best is None:
        raise ValueError("there is no place to choose from")
    return best


def draw_plate(draw: ImageDraw.ImageDraw, placed: Placed, ground: str, ink: str) -> None:
    """Draws a plate in the colour `ground` with its text in `ink`, within its box."""
    box, pixels = placed.box, placed.font_px
    corners = (round(box.x1), round(box.y1), round(box.x2) - 1, round(box.y2) - 1)
    draw.rounded_rectangle(corners, radius=max(1, pixels // 4), fill=ground)
    middle = ((corners[0] + corners[2]) / 2, (corners[1] + corners[3]) / 2)
    draw.text(middle, placed.text, fill=ink, font=font(pixels), anchor="mm")
