"""A trained eye as an ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deixis.learned.publish import exported
from deixis.tools.pocket.eye import INPUT, OUTPUTS, SIDE

if TYPE_CHECKING:
    import torch


def onnx_bytes(network: torch.nn.Module) -> bytes:
    """Returns the network as an ONNX file for `deixis.tools.pocket.eye`.

    Input ``pictures`` (n, 3, h, w) float32 in -1..1, h and w multiples of 32.

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
    """
    import torch

    axes = {INPUT: {0: "n", 2: "h", 3: "w"}, **{name: {0: "n"} for name in OUTPUTS}}
    return exported(network, torch.zeros(1, 3, SIDE, SIDE), OUTPUTS, axes)
