"""Masks at the size they are drawn: resized, with a smooth contour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.geometry import Box, Mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONTOUR = 0.06
"""Below this the contour is not drawn at all, so that pixels away from it stay as they are."""


def resized(mask: Mask, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Returns the mask at `size` (width, height), shape (height, width), bool; a pixel is set where at least
    half of it is covered."""
    from PIL import Image

    pixels = mask.to_array()
    if pixels.shape == (size[1], size[0]):
        return pixels
    step = max(1, pixels.shape[1] // (2 * size[0]))
    if step > 1:  # two samples a pixel are enough; a mask of 10,000 × 10,000 is not copied whole
        pixels = pixels[::step, ::step]
    image = Image.fromarray(pixels.astype(np.uint8) * 255)
    growing = size[0] >= pixels.shape[1]
    how = Image.Resampling.NEAREST if growing else Image.Resampling.BOX
    return np.asarray(image.resize(size, how)) >= 128


def filled_box(box: Box, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Returns the pixels of `box` (in pixels of a picture of `size`), shape (height, width), bool."""
    width, height = size
    x1, x2 = round(min(max(box.x1, 0), width - 1)), round(min(max(box.x2, 1), width))
    y1, y2 = round(min(max(box.y1, 0), height - 1)), round(min(max(box.y2, 1), height))
    pixels = np.zeros((height, width), dtype=bool)
    pixels[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)] = True
    return pixels


def contour(mask: NDArray[np.bool_], width: float) -> NDArray[np.float32]:
    """Returns how much a contour of about `width` pixels covers each pixel: (h, w), float32, 0..1.

    The mask is blurred; its edge is where the blur is near one half, which draws stair steps smooth. The
    frame of the picture counts as outside, so a mask that touches it is closed.
    """
    from PIL import Image, ImageFilter

    pad = reach(width)
    wide = np.pad(mask.astype(np.uint8) * 255, pad)
    blurred = np.asarray(Image.fromarray(wide).filter(ImageFilter.GaussianBlur(width * 0.6)))
    edge = 1 - np.abs(blurred.astype(np.float32) / 127.5 - 1)
    cover = np.clip(edge * 2.2, 0, 1)
    cover[edge < CONTOUR] = 0
    out: NDArray[np.float32] = cover[pad:-pad, pad:-pad]
    return out


def reach(width: float) -> int:
    """Returns how many pixels beyond the mask's edge `contour` of this width may touch, at most."""
    return round(2 * width) + 2
