"""The refiner's network: a small U-Net (Ronneberger et al. 2015) over the planes of a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from deixis.errors import MissingExtra
from deixis.tools.segmentation.planes import PLANES

if TYPE_CHECKING:
    import torch

CHANNELS = (20, 32, 44)
"""At a half, a quarter and an eighth of the planes' side."""


def require_torch() -> None:
    """Says nothing where PyTorch is installed.

    Raises:
        MissingExtra: it is not.
    """
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtra("learned", "torch", "Training the refiner") from error


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
            self.at_half = _convolution(PLANES, first, stride=2)
            self.at_quarter = nn.Sequential(_convolution(first, second, stride=2), _residual(second))
            self.at_eighth = nn.Sequential(
                _convolution(second, third, stride=2), _residual(third), _residual(third, dilation=2)
            )
            self.gate = nn.Sequential(
                nn.Linear(third, third // 2), nn.ReLU(), nn.Linear(third // 2, third), nn.Sigmoid()
            )
            self.quality = nn.Linear(third, 1)
            self.joined_quarter = nn.Sequential(_convolution(third + second, second, 1), _residual(second))
            self.joined_half = nn.Sequential(_convolution(second + first, first, 1), _residual(first))
            self.out = nn.Sequential(nn.Conv2d(first, 4, 3, padding=1), nn.PixelShuffle(2))

        def forward(self, planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            half = self.at_half(planes)
            quarter = self.at_quarter(half)
            eighth = self.at_eighth(quarter)
            eighth = eighth * self.gate(eighth.mean((2, 3)))[:, :, None, None]
            quality = self.quality(eighth.mean((2, 3)))[:, 0]
            at = self.joined_quarter(_joined(eighth, quarter))
            at = self.joined_half(_joined(at, half))
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


def _convolution(into: int, out: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> Any:
    from torch import nn

    convolution = nn.Conv2d(into, out, kernel, stride, dilation * (kernel // 2), dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU(inplace=True))


def _residual(channels: int, dilation: int = 1) -> Any:
    from torch import nn

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.change = _convolution(channels, channels, dilation=dilation)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            changed: torch.Tensor = x + self.change(x)
            return changed

    return Residual()


def _joined(coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
    """Returns the coarse map, scaled up twice, beside the fine one."""
    import torch
    from torch.nn import functional

    larger = functional.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
    return torch.cat([larger, fine], 1)


def parameters(network: torch.nn.Module) -> int:
    """Returns how many trained numbers the network has."""
    return sum(one.numel() for one in network.parameters())
