"""The running average of a network's weights, which errs less than the weights of any one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def take_in(average: torch.nn.Module, network: torch.nn.Module, keep: float) -> None:
    """Moves the weights of `average` towards those of `network`, so that a share `keep` of the old stays.

    What is counted in whole numbers is copied.
    """
    import torch

    with torch.no_grad():
        for old, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
            if old.dtype.is_floating_point:
                old.mul_(keep).add_(new, alpha=1 - keep)
            else:
                old.copy_(new)
