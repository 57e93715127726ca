"""The refiner's network: a small U-Net (Ronneberger et al. 2015) over the planes of a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deixis.learned.extras import require_torch
from deixis.learned.masks import convolution, joined, residual
from deixis.tools.segmentation.planes import PLANES

if TYPE_CHECKING:
    import torch

CHANNELS = (20, 32, 44)
"""At a half, a quarter and an eighth of the planes' side."""


def build_network() -> torch.nn.Module:
    """Returns a new network with random weights.

    It maps planes (n, 16, side, side) to the mask's logits (n, side, side) and to the logit of its IoU
    (n,). No map is larger than half the side; the last layer writes four pixels at a time
    (sub-pixel convolution, Shi et al. 2016).

    Raises:
        MissingExtra: PyTorch is not installed.
    """
    require_torch()
    from torch import nn

    class Refiner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            first, second, third = CHANNELS
            self.at_half = convolution(PLANES, first, stride=2)
            self.at_quarter = nn.Sequential(convolution(first, second, stride=2), residual(second))
            self.at_eighth = nn.Sequential(
                convolution(second, third, stride=2), residual(third), residual(third, dilation=2)
            )
            self.gate = nn.Sequential(
                nn.Linear(third, third // 2), nn.ReLU(), nn.Linear(third // 2, third), nn.Sigmoid()
            )
            self.quality = nn.Linear(third, 1)
            self.joined_quarter = nn.Sequential(convolution(third + second, second, 1), residual(second))
            self.joined_half = nn.Sequential(convolution(second + first, first, 1), residual(first))
            self.out = nn.Sequential(nn.Conv2d(first, 4, 3, padding=1), nn.PixelShuffle(2))

        def forward(self, planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            half = self.at_half(planes)
            quarter = self.at_quarter(half)
            eighth = self.at_eighth(quarter)
            eighth = eighth * self.gate(eighth.mean((2, 3)))[:, :, None, None]
            quality = self.quality(eighth.mean((2, 3)))[:, 0]
            at = self.joined_quarter(joined(eighth, quarter))
            at = self.joined_half(joined(at, half))
            return self.out(at)[:, 0], quality

    return Refiner()


def averaged(members: Sequence[torch.nn.Module]) -> torch.nn.Module:
    """Returns a network that gives the mean of the members' logits, of the mask and of its IoU.

    Networks trained from other random weights err differently; the mean of a few is better than any.
    """
    from torch import nn

    class Averaged(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.members = nn.ModuleList(members)

        def forward(self, planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            found = [member(planes) for member in self.members]
            masks, qualities = [logits for logits, _ in found], [quality for _, quality in found]
            return sum(masks[1:], masks[0]) / len(found), sum(qualities[1:], qualities[0]) / len(found)

    return Averaged().eval()


def parameters(network: torch.nn.Module) -> int:
    """Returns how many trained numbers the network has."""
    return sum(one.numel() for one in network.parameters())
