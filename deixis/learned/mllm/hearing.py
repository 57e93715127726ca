"""The sound encoder: the pocket ear as a torch module, its norms folded into the convolutions."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from deixis.learned.pocket.ear.network import DILATIONS
from deixis.tools.pocket.logmel import BANDS

STRIDES = ((2, 2), (2, 2), (1, 2), (1, 2))


class Listened(NamedTuple):
    """What is heard in n sounds, a frame every 40 ms: `activity` (n, t, kinds) in 0..1, `vectors` (n, t, d)
    in the space of words, `features` (n, t, width)."""

    activity: torch.Tensor
    vectors: torch.Tensor
    features: torch.Tensor


class Hearing(nn.Module):
    """The ear. Its convolutions stand in the order in which it computes, which is that of its ONNX file.

    `planes` is what its first layer is given: the picture alone (1), or each band's pitch beside it (2).
    """

    def __init__(self, channels: list[int], width: int, kinds: int, vector: int, planes: int = 1) -> None:
        super().__init__()
        self.planes = planes
        into = [planes, *channels[:-1]]
        self.picture = nn.ModuleList(
            nn.Conv2d(one, other, 3, stride, 1)
            for one, other, stride in zip(into, channels, STRIDES, strict=True)
        )
        self.joined = nn.Conv1d(channels[-1] * (BANDS // 16), width, 1)
        self.far = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation) for dilation in DILATIONS
        )
        self.change = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in DILATIONS)
        self.activity = nn.Linear(width, kinds)
        self.vectors = nn.Linear(width, vector)

    def forward(self, log_mel: torch.Tensor) -> Listened:
        """Returns what is heard in log-mel pictures (n, t, 64), t a multiple of 4."""
        maps = log_mel[:, None]
        if self.planes > 1:
            pitch = torch.linspace(-1, 1, BANDS, device=log_mel.device).to(log_mel.dtype)
            maps = torch.cat([maps, pitch.expand_as(maps)], 1)
        for convolution in self.picture:
            maps = torch.relu(convolution(maps))
        x = torch.relu(self.joined(maps.permute(0, 1, 3, 2).flatten(1, 2)))
        for far, change in zip(self.far, self.change, strict=True):
            x = x + change(torch.relu(far(x)))
        features = torch.relu(x).transpose(1, 2)
        activity = torch.sigmoid(self.activity(features).float())
        return Listened(activity, self.vectors(features).float(), features)
