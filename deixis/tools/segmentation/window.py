"""The part of a picture that is looked at for one box, and masks put back into the whole picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deixis.geometry import Box, Mask, Size

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Window(NamedTuple):
    """A rectangle of whole pixels of the original picture; `x2` and `y2` are not part of it."""

    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def width(self) -> int:
        """Returns the width in pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> int:
        """Returns the height in pixels."""
        return self.y2 - self.y1

    def unit(self, box: Box) -> tuple[float, float, float, float]:
        """Returns the corners of `box` (picture pixels) as fractions of this window, 0..1 inside it."""
        return (
            (box.x1 - self.x1) / self.width,
            (box.y1 - self.y1) / self.height,
            (box.x2 - self.x1) / self.width,
            (box.y2 - self.y1) / self.height,
        )


def window_around(box: Box, size: Size, margin: float) -> Window | None:
    """Returns the whole pixels of `box` grown by `margin` of its sides; None where it shows no pixel."""
    grown = box.pad(margin, size)
    window = Window(math.floor(grown.x1), math.floor(grown.y1), math.ceil(grown.x2), math.ceil(grown.y2))
    return window if window.width > 0 and window.height > 0 else None


def covered(box: Box, size: Size) -> Window:
    """Returns the pixels whose centres lie in `box`; a box thinner than that keeps one row or column.

    A box that lies outside the picture covers none: the window is empty (`width` or `height` 0).
    """
    x1, x2 = _centres(box.x1, box.x2, size.width)
    y1, y2 = _centres(box.y1, box.y2, size.height)
    return Window(x1, y1, x2, y2)


def _centres(low: float, high: float, limit: int) -> tuple[int, int]:
    if high <= 0 or low >= limit:
        return 0, 0
    first, last = math.ceil(max(low, 0) - 0.5), math.ceil(min(high, limit) - 0.5)
    if last <= first:
        first = min(limit - 1, math.floor(max(0.0, (low + high) / 2)))
        last = first + 1
    return first, last


def filled(box: Box, size: Size) -> Mask:
    """Returns the mask of all pixels in `box`, the size of the picture."""
    window = covered(box, size)
    return placed(np.ones((window.height, window.width), dtype=bool), window, size)


def placed(pixels: NDArray[np.bool_], window: Window, size: Size) -> Mask:
    """Returns the mask the size of the picture that shows `pixels` (height, width) in `window`.

    Only the window's own runs are counted, so the whole picture is never laid out in memory.
    """
    from pycocotools import mask as rle

    height = size.height
    padded = np.zeros((window.width, window.height + 2), dtype=np.int8)
    padded[:, 1:-1] = pixels.T
    steps = np.diff(padded, axis=1)
    columns, rows = np.nonzero(steps == 1)
    starts = (window.x1 + columns) * height + window.y1 + rows
    columns, rows = np.nonzero(steps == -1)
    ends = (window.x1 + columns) * height + window.y1 + rows
    # A run that reaches the bottom goes on at the top of the next column.
    goes_on = ends[:-1] == starts[1:]
    starts, ends = starts[np.r_[True, ~goes_on][: len(starts)]], ends[np.r_[~goes_on, True][: len(ends)]]
    edges = np.r_[0, np.stack([starts, ends], axis=1).ravel(), size.area]
    counts = np.diff(edges)
    if counts[-1] == 0:
        counts = counts[:-1]
    whole = rle.frPyObjects({"size": [height, size.width], "counts": counts.tolist()}, height, size.width)
    return Mask(size_hw=(height, size.width), counts=whole["counts"].decode("ascii"))


def enlarged(
    chances: NDArray[np.float32], window: Window, allowed: Box, level: float = 0.5
) -> NDArray[np.bool_]:
    """Returns where `chances` (side, side) in 0..1 are over `level`, shape (height, width) of the window.

    They are scaled bilinearly in 256 steps; pixels whose centre is outside `allowed` stay unset.
    """
    from PIL import Image

    steps = np.round(chances * 255).astype(np.uint8)
    image = Image.fromarray(steps).resize((window.width, window.height), Image.Resampling.BILINEAR)
    pixels: NDArray[np.bool_] = np.asarray(image) > int(level * 255)
    across = np.arange(window.x1, window.x2) + 0.5
    down = np.arange(window.y1, window.y2) + 0.5
    pixels &= ((across > allowed.x1) & (across < allowed.x2))[None, :]
    pixels &= ((down > allowed.y1) & (down < allowed.y2))[:, None]
    return pixels
