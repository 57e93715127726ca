"""Parts of a picture as pictures of their own, and where their pixels lie in the original."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deixis.geometry import Box, Size

if TYPE_CHECKING:
    from PIL.Image import Image

SQUARE_LEAST_PX = 224
"""Smallest side of the square crop that Visual-CoT shows (arXiv 2403.16999)."""


@dataclass(frozen=True)
class View:
    """What a model was shown: a part of the picture, maybe enlarged.

    Attributes:
        number: 0 for the original picture, then in the order of showing.
        box: the part, in whole pixels of the original.
        size: the size it was shown in.
    """

    number: int
    box: Box
    size: Size

    def to_original(self, box: Box) -> Box:
        """Returns a box in pixels of this view in pixels of the original picture."""
        by_x, by_y = self.box.width / self.size.width, self.box.height / self.size.height
        x1, y1, x2, y2 = box.scale(by_x, by_y).xyxy_px
        return Box(x1=x1 + self.box.x1, y1=y1 + self.box.y1, x2=x2 + self.box.x1, y2=y2 + self.box.y1)


def whole_view(size: Size) -> View:
    """Returns the view of a whole picture of `size`."""
    return View(0, Box(x1=0, y1=0, x2=size.width, y2=size.height), size)


def part_view(number: int, box: Box, size: Size, *, least_side_px: int = 0, most_side_px: int = 0) -> View:
    """Returns the view of the whole pixels that `box` touches in a picture of `size`.

    It is shown enlarged until its longer side has `least_side_px`, or shrunk until that has no more than
    `most_side_px`; 0 switches either off.
    """
    inside = box.clip(size)
    x1 = min(math.floor(inside.x1), size.width - 1)
    y1 = min(math.floor(inside.y1), size.height - 1)
    x2, y2 = max(math.ceil(inside.x2), x1 + 1), max(math.ceil(inside.y2), y1 + 1)
    longer = max(x2 - x1, y2 - y1)
    by = max(1.0, least_side_px / longer)
    if most_side_px:
        by = min(by, most_side_px / longer)
    shown = Size(width=max(1, round((x2 - x1) * by)), height=max(1, round((y2 - y1) * by)))
    return View(number, Box(x1=x1, y1=y1, x2=x2, y2=y2), shown)


def square_view(number: int, box: Box, size: Size, *, least_px: int = SQUARE_LEAST_PX) -> View:
    """Returns the view of the square around a box: as wide as its longer side and at least `least_px`,
    moved into the picture where it leaves it, cut only where the picture is smaller."""
    inside = box.clip(size)
    ranges = [
        (math.floor(low), max(math.ceil(high), math.floor(low) + 1))
        for low, high in ((inside.x1, inside.x2), (inside.y1, inside.y2))
    ]
    side = max(least_px, *(high - low for low, high in ranges))
    corners = []
    for (low, high), length in zip(ranges, (size.width, size.height), strict=True):
        start = max(0, min((low + high - side) // 2, length - side))
        corners.append((start, min(start + side, length)))
    (x1, x2), (y1, y2) = corners
    return View(number, Box(x1=x1, y1=y1, x2=x2, y2=y2), Size(width=x2 - x1, height=y2 - y1))


def cut(picture: Image, view: View) -> Image:
    """Returns the pixels of a view of `picture`, in the view's size."""
    x1, y1, x2, y2 = (round(value) for value in view.box.xyxy_px)
    part = picture.crop((x1, y1, x2, y2))
    shown = (view.size.width, view.size.height)
    return part if part.size == shown else part.resize(shown)
