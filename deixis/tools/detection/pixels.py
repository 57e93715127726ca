"""Pictures brought to the size a network wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def resized(pixels: NDArray[np.uint8], width: int, height: int, reducing: bool = False) -> NDArray[np.uint8]:
    """Returns the picture (h, w, 3) uint8 as (height, width, 3), bilinear.

    With `reducing` every source pixel counts when it is shrunk (antialias, as Pillow and torchvision
    do); without, four neighbours are mixed, as OpenCV's INTER_LINEAR does.
    """
    from PIL import Image

    if reducing:
        image = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(image)
    return _four_neighbours(pixels, width, height)


def _four_neighbours(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Returns the picture resized by mixing the four nearest pixels; pixel centres are aligned."""
    rows, columns = pixels.shape[:2]
    top, bottom, down = _mix(height, rows)
    left, right, across = _mix(width, columns)
    lines = _blend(pixels[top], pixels[bottom], down[:, None, None])
    mixed = _blend(lines[:, left], lines[:, right], across[None, :, None])
    return np.round(mixed).astype(np.uint8)


def _mix(size: int, source: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    at = (np.arange(size) + 0.5) * (source / size) - 0.5
    low = np.clip(np.floor(at), 0, source - 1).astype(np.int64)
    high = np.minimum(low + 1, source - 1)
    share = np.clip(at - low, 0, 1).astype(np.float32)
    return low, high, share


def _blend(a: NDArray[np.generic], b: NDArray[np.generic], share: NDArray[np.float32]) -> NDArray[np.float32]:
    first = a.astype(np.float32)
    out: NDArray[np.float32] = first + (b.astype(np.float32) - first) * share
    return out


def letterboxed(pixels: NDArray[np.uint8], side: int, fill: int = 114) -> tuple[NDArray[np.uint8], float]:
    """Returns the picture shrunk into the upper left of a (side, side, 3) square, and the factor used."""
    height, width = pixels.shape[:2]
    factor = min(side / height, side / width)
    wide, high = max(1, int(width * factor)), max(1, int(height * factor))
    square = np.full((side, side, 3), fill, dtype=np.uint8)
    square[:high, :wide] = resized(pixels, wide, high)
    return square, factor
