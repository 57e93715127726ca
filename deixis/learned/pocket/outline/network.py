"""The outline network: a small U-Net (Ronneberger et al. 2015) over the planes of a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deixis.learned.extras import require_torch
from deixis.learned.masks import convolution, joined, residual
from deixis.tools.pocket.outline import PLANES

if TYPE_CHECKING:
    import torch

CHANNELS = {"small": (24, 40, 56, 64), "large": (40, 72, 112, 144)}
"""At a half, a quarter, an eighth and a sixteenth of the planes' side, by preset."""


def build_network(preset: str = "small") -> torch.nn.Module:
    """Returns a new network with random weights.

    It maps planes (n, 7, side, side) to the mask's logits (n, side, side) and to the logit of its IoU
    (n,). No map is larger than half the side; the last layer writes four cells at a time (sub-pixel
    convolution, Shi et al. 2016).

    Raises:
        MissingExtra: PyTorch is not installed.
    """
    require_torch()
    from torch import nn

    class Outline(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            first, second, third, fourth = CHANNELS[preset]
            self.at_half = convolution(PLANES, first, kernel=4, stride=2)
            self.at_quarter = nn.Sequential(convolution(first, second, stride=2), residual(second))
            self.at_eighth = nn.Sequential(
                convolution(second, third, stride=2), residual(third), residual(third)
            )
            self.at_sixteenth = nn.Sequential(convolution(third, fourth, stride=2), residual(fourth))
            self.gate = nn.Sequential(
                nn.Linear(fourth, fourth // 2), nn.ReLU(), nn.Linear(fourth // 2, fourth), nn.Sigmoid()
            )
            self.quality = nn.Sequential(nn.Linear(fourth, 32), nn.ReLU(), nn.Linear(32, 1))
            self.joined_eighth = nn.Sequential(convolution(fourth + third, third, 1), residual(third))
            self.joined_quarter = nn.Sequential(convolution(third + second, second, 1), residual(second))
            self.joined_half = nn.Sequential(convolution(second + first, first, 1), residual(first))
            self.out = nn.Sequential(nn.Conv2d(first, 4, 3, padding=1), nn.PixelShuffle(2))

        def forward(self, planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            half = self.at_half(planes)
            quarter = self.at_quarter(half)
            eighth = self.at_eighth(quarter)
            deep = self.at_sixteenth(eighth)
            pooled = deep.mean((2, 3))
            deep = deep * self.gate(pooled)[:, :, None, None]
            quality = self.quality(deep.mean((2, 3)))[:, 0]
            at = self.joined_eighth(joined(deep, eighth))
            at = self.joined_quarter(joined(at, quarter))
            at = self.joined_half(joined(at, half))
            return self.out(at)[:, 0], quality

    return Outline()
