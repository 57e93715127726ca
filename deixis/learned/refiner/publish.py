"""A trained refiner as an ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deixis.learned.masks import mask_bytes
from deixis.learned.publish import halved
from deixis.tools.segmentation.planes import PLANES, SIDE

if TYPE_CHECKING:
    import torch


def onnx_bytes(network: torch.nn.Module) -> bytes:
    """Returns the network as an ONNX file for `deixis.tools.segmentation.refiner`, weights in 16 bits.

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
    """
    return halved(mask_bytes(network, PLANES, SIDE))
