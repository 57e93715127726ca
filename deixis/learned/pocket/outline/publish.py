"""A trained outline network as an ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deixis.learned.masks import mask_bytes
from deixis.tools.pocket.outline import PLANES, SIDE

if TYPE_CHECKING:
    import torch


def onnx_bytes(network: torch.nn.Module) -> bytes:
    """Returns the network as an ONNX file for `deixis.tools.pocket.outline`.

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
    """
    return mask_bytes(network, PLANES, SIDE)
