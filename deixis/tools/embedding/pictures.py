"""Parts of pictures as the squares that picture encoders of CLIP's kind look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.tools.crops import part_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.media.refs import MediaSource
    from deixis.tools.embedding.protocol import ImageRegion

Norm = tuple[tuple[float, float, float], tuple[float, float, float]]
CLIP: Norm = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
"""Mean and deviation of OpenAI's CLIP, which ImageBind keeps."""
GREY = 124
"""What hides the picture outside of a mask: about the mean of CLIP, so zero once it is normalised."""


def region_pixels(region: ImageRegion, media: MediaSource) -> NDArray[np.uint8] | None:
    """Returns the region as RGB pixels (h, w, 3); outside of its mask it is grey. None where it is empty."""
    pixels, box = media.pixels(region.image), region.box
    if region.mask is not None:
        if region.mask.area == 0:
            return None
        pixels = _masked(pixels, region.mask.to_array())
        box = box or region.mask.box
    return part_of(pixels, region.image.size, box)


def _masked(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    from PIL import Image

    height, width = pixels.shape[:2]
    if mask.shape != (height, width):  # the store's working copy is smaller than the original
        mask = np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))
    return np.where(mask[..., None], pixels, np.uint8(GREY))


def squared(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the picture in the middle of a grey square, so that a long part is not cut."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), GREY, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = pixels
    return square


def centred(pixels: NDArray[np.uint8], side: int, norm: Norm) -> NDArray[np.float32]:
    """Returns the middle (3, side, side), normalised: the shorter side is shrunk to `side`, the rest cut."""
    from PIL import Image

    height, width = pixels.shape[:2]
    short = min(height, width)
    size = (int(side * width / short), int(side * height / short))
    image = Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BICUBIC)
    left, top = round((size[0] - side) / 2), round((size[1] - side) / 2)
    values = np.asarray(image.crop((left, top, left + side, top + side)), np.float32) / np.float32(255)
    normal = (values - np.array(norm[0], np.float32)) / np.array(norm[1], np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))
