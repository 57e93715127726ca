"""What the two mask networks share, the refiner and the pocket outline: layers, loss, the form of the file.

Both are small U-Nets (Ronneberger et al. 2015) from planes (n, planes, side, side) to the logits of a mask
(n, side, side) and to the logit of its IoU (n,).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deixis.learned.publish import exported
from deixis.tools.segmentation.masker import INPUT, LOGITS, QUALITY

if TYPE_CHECKING:
    import torch

OUTSIDE = 0.2
"""Weight of the cells outside the box in the cross-entropy: the mask is cut to the box later."""
QUALITY_WEIGHT = 0.1


def convolution(into: int, out: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> Any:
    """Returns convolution, batch norm and ReLU; the map keeps its size but for the stride."""
    from torch import nn

    padding = dilation * ((kernel - 1) // 2)
    return nn.Sequential(
        nn.Conv2d(into, out, kernel, stride, padding, dilation, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(inplace=True),
    )


def residual(channels: int, dilation: int = 1) -> Any:
    """Returns a convolution whose outcome is added to what it was given."""
    from torch import nn

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.change = convolution(channels, channels, dilation=dilation)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            changed: torch.Tensor = x + self.change(x)
            return changed

    return Residual()


def joined(coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
    """Returns the coarse map, scaled up twice, beside the fine one."""
    import torch
    from torch.nn import functional

    larger = functional.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
    return torch.cat([larger, fine], 1)


def mask_loss(
    logits: torch.Tensor,
    quality: torch.Tensor,
    truth: torch.Tensor,
    inside: torch.Tensor,
    mask: torch.Tensor,
    beyond: torch.Tensor | float = 0.0,
) -> torch.Tensor:
    """Returns cross-entropy + 1 - soft IoU of the masks + the cross-entropy of their estimated IoU.

    Args:
        logits: of the masks, (n, side, side).
        quality: logits of their IoU, (n,).
        truth: the share of each cell that the thing covers, (n, side, side) in 0..1.
        inside: the share of each cell that lies in the box.
        mask: the cells that are taken for the thing.
        beyond: how many cells of the thing lie outside the window, (n,); they count as missed in the IoU.
    """
    import torch
    from torch.nn import functional

    weight = (inside > 0).float() * (1 - OUTSIDE) + OUTSIDE
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    entropy = (entropy * weight).sum((1, 2)) / weight.sum((1, 2))
    chances = torch.sigmoid(logits)
    both = (chances * truth).sum((1, 2))
    either = (chances + truth - chances * truth).sum((1, 2))
    overlap = 1 - (both + 1) / (either + 1)
    with torch.no_grad():
        kept = (mask & (inside > 0.5)).float()
        common = (kept * truth).sum((1, 2))
        reached = common / ((kept + truth - kept * truth).sum((1, 2)) + beyond).clamp(1)
    estimate = functional.binary_cross_entropy_with_logits(quality, reached)
    return entropy.mean() + overlap.mean() + QUALITY_WEIGHT * estimate


def mask_bytes(network: torch.nn.Module, planes: int, side: int) -> bytes:
    """Returns the network as an ONNX file for `deixis.tools.segmentation.masker`.

    Input ``planes`` (n, planes, side, side); outputs ``logits`` (n, side, side) and ``quality`` (n,) in 0..1.

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
    """
    import torch

    class Deployed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            logits, quality = self.network(planes)
            return logits, torch.sigmoid(quality)

    axes = {name: {0: "n"} for name in (INPUT, LOGITS, QUALITY)}
    return exported(Deployed(), torch.zeros(1, planes, side, side), (LOGITS, QUALITY), axes)
