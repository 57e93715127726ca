"""Weights that both sides of a parity test can make by themselves: numbers from the name and the shape."""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def named_numbers(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Returns the random numbers of a weight: the same for the same name and shape, on every machine.

    Scales of norms lie around 1, matrices keep the size of what goes through them.
    """
    numbers = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape)
    if len(shape) >= 2:
        return (numbers / math.sqrt(math.prod(shape[1:]))).astype(np.float32)
    return (0.1 * numbers + (1.0 if name.endswith("weight") else 0.0)).astype(np.float32)


def picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Returns a picture of soft blobs, (height, width, 3) uint8, the same on every machine."""
    random = np.random.RandomState(seed)
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    made = np.zeros((height, width, 3))
    for _ in range(6):
        x, y, size = random.rand(), random.rand(), 0.05 + 0.2 * random.rand()
        blob = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * size**2))
        made += blob[..., None] * random.rand(3)
    return (255 * made / made.max()).astype(np.uint8)
