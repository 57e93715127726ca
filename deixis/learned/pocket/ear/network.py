"""The ear's network: convolutions over time and pitch, then dilated ones over time.

Residual temporal convolutions as in WaveNet-like sound event detection (van den Oord et al. 2016; Li et
al. 2020): at frames of 40 ms the last layer hears 2.6 s to either side. Beside the picture's values the first
layer is given each band's pitch: what a pattern means depends on how high it is (Liu et al. 2018, CoordConv;
Nam et al. 2022 on frequency in sound event detection).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deixis.learned.extras import require_torch
from deixis.tools.pocket.logmel import BANDS

if TYPE_CHECKING:
    import torch

CHANNELS = {"small": (32, 56, 80, 112), "large": (48, 80, 112, 160)}
WIDTH = {"small": 224, "large": 320}
DILATIONS = (1, 2, 4, 8, 16, 32)
LARGEST_DROP = 0.1


def build_network(kinds: int, preset: str = "small") -> torch.nn.Module:
    """Returns a new network with random weights.

    It maps pictures (n, t, 64) to the logits of each kind's activity (n, t // 4, kinds) and to features
    (n, t // 4, width), of which both the logits and the vectors are linear functions.

    Raises:
        MissingExtra: PyTorch is not installed.
    """
    require_torch()
    import torch
    from torch import nn

    first, second, third, fourth = CHANNELS[preset]
    width = WIDTH[preset]

    class Temporal(nn.Module):
        def __init__(self, dilation: int) -> None:
            super().__init__()
            self.change = nn.Sequential(
                nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False),
                nn.BatchNorm1d(width),
                nn.ReLU(inplace=True),
                nn.Conv1d(width, width, 1),
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            changed: torch.Tensor = x + self.change(x)
            return changed

    class Ear(nn.Module):
        pitch: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("pitch", torch.linspace(-1, 1, BANDS), persistent=False)
            self.picture = nn.Sequential(
                _convolution(2, first, (2, 2)),
                _convolution(first, second, (2, 2)),
                _convolution(second, third, (1, 2)),
                _convolution(third, fourth, (1, 2)),
            )
            self.joined = nn.Sequential(
                nn.Conv1d(fourth * (BANDS // 16), width, 1, bias=False), nn.BatchNorm1d(width), nn.ReLU()
            )
            self.temporal = nn.Sequential(*(Temporal(dilation) for dilation in DILATIONS), nn.ReLU())
            self.drop = nn.Dropout(LARGEST_DROP)
            self.activity = nn.Linear(width, kinds)
            nn.init.constant_(self.activity.bias, -3.0)

        def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            maps = self.picture(torch.stack([pictures, self.pitch.expand_as(pictures)], 1))
            joined = self.joined(maps.permute(0, 1, 3, 2).flatten(1, 2))
            features = self.temporal(joined).transpose(1, 2)
            return self.activity(self.drop(features)), features

    return Ear()


def _convolution(into: int, out: int, stride: tuple[int, int]) -> Any:
    from torch import nn

    convolution = nn.Conv2d(into, out, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU(inplace=True))
