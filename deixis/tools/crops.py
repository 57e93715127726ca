"""The part of a picture inside a box, as pixels: what tools look at that see whole pictures only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.geometry import Box, Size


def part_of(pixels: NDArray[np.uint8], size: Size, box: Box | None) -> NDArray[np.uint8] | None:
    """Returns the part inside the box, at least one pixel; None where nothing of the box is in the picture.

    Args:
        pixels: the picture, (h, w, 3), perhaps shrunk.
        size: of the original picture, in whose pixels the box is.
        box: the whole picture if None.
    """
    if box is None:
        return pixels
    inside = box.clip(size)
    if inside.area <= 0:
        return None
    height, width = pixels.shape[:2]
    left, top, right, bottom = inside.scale(width / size.width, height / size.height).xyxy_px
    x1, y1 = min(int(left), width - 1), min(int(top), height - 1)
    x2, y2 = max(x1 + 1, round(right)), max(y1 + 1, round(bottom))
    return pixels[y1:y2, x1:x2]
