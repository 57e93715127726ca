"""What the refiner sees of one box: a stack of planes over the window around it.

Per box the window (the box grown by `MARGIN` of its sides) is squeezed to a square and shown to two
networks: U2-Net-p says what stands out, DeepLab (Chen et al. 2017) which of the VOC classes each place
is. Their maps, the colours, the box and the position relative to it are the refiner's planes:

====== ==========================================================================
0-2    red, green, blue: (value / 255 - 0.45) / 0.25
3-9    U2-Net-p's fused map and six side maps: logits / 5, clipped to -2..2
10-12  DeepLab's probability of the background, of the likeliest class in the box, of the next
13     the share of each cell that lies in the box
14-15  x and y relative to the box: -1 and 1 at its edges, clipped to -1.5..1.5
====== ==========================================================================

The recipe that trains the refiner makes its planes with this file, so both see the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deixis.geometry import Box, Size
from deixis.tools.litert import interpreter
from deixis.tools.segmentation.u2netp import u2netp
from deixis.tools.segmentation.window import Window, window_around
from deixis.tools.weights import locate

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEEPLAB = "segment/deeplabv3_257_float.tflite"
MARGIN = 0.2
"""As U2-Net-p was measured on box crops; context beyond it tells what is not the thing."""
SIDE = 96
SALIENCY_SIDE = 160
"""Side of U2-Net-p's input: 320, its training size, takes five times as long."""
SEMANTIC_SIDE = 257
PICTURE_PLANES = 13
PLANES = 16


@dataclass(frozen=True)
class Looked:
    """One window: `picture_planes` (13, SIDE, SIDE) float32 as above; `box` in fractions of the window.

    `saliency` is U2-Net-p's fused map in 0..1, shape (SALIENCY_SIDE, SALIENCY_SIDE); `semantic` the
    class probabilities, shape (SEMANTIC_SIDE, SEMANTIC_SIDE, 21), class 0 is the background.
    """

    window: Window
    box: tuple[float, float, float, float]
    picture_planes: NDArray[np.float32]
    saliency: NDArray[np.float32]
    semantic: NDArray[np.float32]

    def planes(self) -> NDArray[np.float32]:
        """Returns all planes, shape (16, SIDE, SIDE), float32."""
        return np.concatenate([self.picture_planes, box_planes(self.box)])


def look(
    pixels: NDArray[np.uint8], size: Size, boxes: list[Box], saliency_side: int = SALIENCY_SIDE
) -> list[Looked | None]:
    """Returns what is seen of each box; None for a box that shows no pixel of the picture.

    Args:
        pixels: the RGB picture (h, w, 3) uint8, of the original size or smaller.
        size: of the original picture, which the boxes are in.
        boxes: in pixels of the original picture; parts outside it are not looked at.
        saliency_side: side of U2-Net-p's input in pixels; a smaller one is faster and coarser.
    """
    from PIL import Image

    image = Image.fromarray(pixels)
    clipped = [box.clip(size) for box in boxes]
    windows = [window_around(box, size, MARGIN) if box.area > 0 else None for box in clipped]
    seen = [(box, window) for box, window in zip(clipped, windows, strict=True) if window is not None]
    shrink = (image.width / size.width, image.height / size.height) * 2

    def crop(window: Window, side: int) -> NDArray[np.uint8]:
        x1, y1, x2, y2 = (value * by for value, by in zip(window, shrink, strict=True))
        return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR, box=(x1, y1, x2, y2)))

    if not seen:
        return [None] * len(boxes)
    maps = u2netp().logits(np.stack([crop(window, saliency_side) for _, window in seen]))
    found = []
    for (box, window), logits in zip(seen, maps, strict=True):
        corners = window.unit(box)
        semantic = _semantic(crop(window, SEMANTIC_SIDE))
        colours = (crop(window, SIDE).astype(np.float32).transpose(2, 0, 1) / 255 - 0.45) / 0.25
        salient = np.clip(np.stack([_resized(one) for one in logits]) / 5, -2, 2)
        classes = np.stack([_resized(one) for one in _likeliest(semantic, corners)])
        stack = np.concatenate([colours, salient, classes]).astype(np.float32)
        found.append(Looked(window, corners, stack, _sigmoid(logits[0]), semantic))
    left = iter(found)
    return [None if window is None else next(left) for window in windows]


def box_planes(box: tuple[float, float, float, float], side: int = SIDE) -> NDArray[np.float32]:
    """Returns planes 13 to 15, shape (3, side, side), of a box in fractions of the window."""
    x1, y1, x2, y2 = box
    cells = (np.arange(side, dtype=np.float32) + 0.5) / side

    def inside(low: float, high: float) -> NDArray[np.float32]:
        covered = np.clip((cells - low) * side + 0.5, 0, 1) * np.clip((high - cells) * side + 0.5, 0, 1)
        return np.asarray(covered, dtype=np.float32)

    def relative(low: float, high: float) -> NDArray[np.float32]:
        return np.clip((2 * cells - low - high) / max(high - low, 1e-3), -1.5, 1.5)

    planes = np.empty((3, side, side), dtype=np.float32)
    planes[0] = inside(y1, y2)[:, None] * inside(x1, x2)[None, :]
    planes[1] = relative(x1, x2)[None, :]
    planes[2] = relative(y1, y2)[:, None]
    return planes


def weights_digests() -> tuple[str, str]:
    """Returns the digests of U2-Net-p's and DeepLab's files."""
    return (u2netp().weights_digest, locate(DEEPLAB).digest)


def _semantic(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns DeepLab's class probabilities, shape (257, 257, 21); its input is RGB in -1..1."""
    values = crop.astype(np.float32)[None] / 127.5 - 1
    logits = interpreter(DEEPLAB).run({0: values})[0][0]
    powers = np.exp(logits - logits.max(axis=2, keepdims=True))
    shares: NDArray[np.float32] = powers / powers.sum(axis=2, keepdims=True)
    return shares


def _likeliest(
    semantic: NDArray[np.float32], box: tuple[float, float, float, float]
) -> list[NDArray[np.float32]]:
    """Returns the maps of the background and of the two classes with the most mass in the box."""
    x1, y1, x2, y2 = (min(SEMANTIC_SIDE - 1, max(0, int(value * SEMANTIC_SIDE))) for value in box)
    mass = semantic[y1 : y2 + 1, x1 : x2 + 1].mean(axis=(0, 1))
    first, second = (np.argsort(-mass[1:], kind="stable") + 1)[:2]
    return [semantic[..., 0], semantic[..., first], semantic[..., second]]


def _resized(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shares: NDArray[np.float32] = np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)
    return shares
