"""Pictures, boxes and points in the frame that a Segment Anything network looks at, and masks back out of it.

SAM and SAM-HQ: the longer side becomes the network's side, the rest of the square is padding at the right and
below. SAM 2: the picture is squeezed into the square.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

MEAN, SPREAD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""Of ImageNet's pixels in 0..255, as in the authors' code."""


@dataclass(frozen=True)
class Frame:
    """The part of a square of `side` pixels that the picture fills, from its upper left corner."""

    side: int
    height: int
    width: int

    def scaled(self, shares: NDArray[np.float64]) -> NDArray[np.float32]:
        """Returns coordinates (..., 2k) of x and y in pixels of the square, from shares of the picture."""
        factor = np.resize(np.array([self.width, self.height], np.float64), shares.shape[-1])
        return (shares * factor).astype(np.float32)


def fitted(height: int, width: int, side: int) -> Frame:
    """Returns the frame of a picture whose longer side becomes `side`, its other side rounded half up."""
    scale = side / max(height, width)
    return Frame(side, int(height * scale + 0.5), int(width * scale + 0.5))


def padded(pixels: NDArray[np.uint8], side: int) -> tuple[torch.Tensor, Frame]:
    """Returns the picture (1, 3, side, side), normalised, then padded with zeros, and its frame."""
    import torch
    from PIL import Image

    height, width = pixels.shape[:2]
    frame = fitted(height, width, side)
    size = (frame.width, frame.height)
    resized = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR), np.float32)
    values = np.zeros((1, 3, side, side), np.float32)
    made = (resized - np.array(MEAN, np.float32)) / np.array(SPREAD, np.float32)
    values[0, :, : frame.height, : frame.width] = made.transpose(2, 0, 1)
    return torch.from_numpy(values), frame


def squeezed(pixels: NDArray[np.uint8], side: int) -> tuple[torch.Tensor, Frame]:
    """Returns the picture (1, 3, side, side), squeezed with antialias and normalised, and its frame."""
    import torch

    whole = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
    resized = torch.nn.functional.interpolate(
        whole, size=(side, side), mode="bilinear", align_corners=False, antialias=True
    )
    mean, spread = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, SPREAD))
    return (resized.float() - mean) / spread, Frame(side, side, side)


def enlarged(logits: torch.Tensor, frame: Frame, height: int, width: int) -> NDArray[np.bool_]:
    """Returns one mask of the network, (h, w) logits, as (height, width) of the picture.

    It is enlarged to the square first and then cut and resized, as the authors do.
    """
    import torch

    def resized(values: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        return torch.nn.functional.interpolate(values, size=size, mode="bilinear", align_corners=False)

    values = logits.float()[None, None]
    if (frame.height, frame.width) != (frame.side, frame.side):
        values = resized(values, (frame.side, frame.side))[..., : frame.height, : frame.width]
    mask: NDArray[np.bool_] = (resized(values, (height, width))[0, 0] > 0).cpu().numpy()
    return mask
