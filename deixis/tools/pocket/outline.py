"""The outline network: a window of a picture and a box or a point in, the mask of the thing out.

The window (a box grown by `MARGIN` of its sides, or a square around a point) is squeezed to `SIDE` cells
a side. The planes that the network sees of it:

=== ==========================================================================
0-2 red, green, blue: (value / 255 - 0.5) / 0.25
3   the share of each cell that lies in the box; 0 everywhere for a point
4-5 x and y relative to the box, -1 and 1 at its edges, clipped to -1.5..1.5;
    for a point relative to it, in halves of the window
6   a spot of `SPOT` cells around the point; 0 everywhere for a box
=== ==========================================================================

The recipe that trains the network (`deixis.learned.pocket.outline`) makes its planes with this file.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deixis.errors import InputFault
from deixis.geometry import Size
from deixis.tools.pocket.shipped import shipped
from deixis.tools.segmentation.masker import Masker, turned
from deixis.tools.segmentation.planes import box_planes
from deixis.tools.segmentation.window import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 64
MARGIN = 0.2
PLANES = 7
NETWORK = "outline.onnx"
SPOT = 2.0
Corners = tuple[float, float, float, float]
"""x1, y1, x2, y2 as fractions of the window."""


def crop(pixels: NDArray[np.uint8], window: Window, size: Size | None = None) -> NDArray[np.uint8]:
    """Returns what the window shows, shape (SIDE, SIDE, 3), of an RGB picture (h, w, 3).

    Args:
        pixels: the picture, perhaps smaller than the original.
        window: in pixels of the original picture.
        size: of the original picture; the size of `pixels` if None.
    """
    from PIL import Image

    image = Image.fromarray(pixels)
    shrink = (1.0, 1.0) if size is None else (image.width / size.width, image.height / size.height)
    x1, y1, x2, y2 = (value * by for value, by in zip(window, shrink * 2, strict=True))
    box = (x1, y1, min(x2, image.width), min(y2, image.height))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box))


def box_prompt(box: Corners) -> NDArray[np.float32]:
    """Returns planes 3 to 6 of a box, shape (4, SIDE, SIDE)."""
    planes = np.zeros((4, SIDE, SIDE), np.float32)
    planes[:3] = box_planes(box, SIDE)
    return planes


def point_prompt(x: float, y: float) -> NDArray[np.float32]:
    """Returns planes 3 to 6 of a point in fractions of the window, shape (4, SIDE, SIDE)."""
    cells = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    across, down = cells - np.float32(x), cells - np.float32(y)
    planes = np.zeros((4, SIDE, SIDE), np.float32)
    planes[1] = np.clip(2 * across, -1.5, 1.5)[None, :]
    planes[2] = np.clip(2 * down, -1.5, 1.5)[:, None]
    spread = 2 * (SPOT / SIDE) ** 2
    planes[3] = np.exp(-(down**2) / spread)[:, None] * np.exp(-(across**2) / spread)[None, :]
    return planes


def stacked(crops: NDArray[np.uint8], prompts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the planes (n, 7, SIDE, SIDE) of crops (n, SIDE, SIDE, 3) and prompts (n, 4, SIDE, SIDE)."""
    planes = np.empty((len(crops), PLANES, SIDE, SIDE), np.float32)
    planes[:, :3] = (crops.transpose(0, 3, 1, 2).astype(np.float32) / 255 - 0.5) / 0.25
    planes[:, 3:] = prompts
    return planes


def mirrored(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the planes of the mirrored window: left and right swapped, x relative to the prompt negated."""
    return turned(planes, 4)


class Outline(Masker):
    """The loaded network; `masks` may be called from several threads."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, (PLANES, SIDE, SIDE), mirrored, _unusable)

    def masks(self, planes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns the chances (n, SIDE, SIDE) of each cell and the masks' estimated IoU (n,), all in 0..1.

        Both are means over the planes (n, 7, SIDE, SIDE) and their mirror image.
        """
        logits, quality = self.logits(planes)
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32), quality


def _unusable(path: Path, why: str) -> InputFault:
    return InputFault(
        "tools.pocket.outline",
        f"{path.name} is not an outline network of this version: {why}.",
        "Train it again with: deixis train pocket --part outline",
    )


@cache
def outline(path: Path | None = None) -> Outline:
    """Returns the outline network of the file, of the package if None is named; loaded once.

    Raises:
        InputFault: the file is not there, is no outline network of this version, or is not the one of the
            package's card.
    """
    return Outline(shipped(NETWORK) if path is None else path)
