"""Which cells answer for which thing: task-aligned assignment (Feng et al. 2021, TOOD), in one map.

A cell is as good for a thing as it names it and as its box fits, with a preference for the thing's middle
while the network knows nothing yet. The best few cells inside the box are the thing's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

MOST_CELLS = 8
NAMED, FITTED = 0.5, 3.0
"""Exponents of the category's probability and of the IoU."""
MIDDLE = 1.5
"""Sharpness of the preference for the middle: the factor is exp(-MIDDLE d²), d = 1 at the edges."""


class Assigned(NamedTuple):
    """For n pictures of k cells: the thing of each cell (-1: none), and how good it should be, in 0..1."""

    thing: torch.Tensor
    goodness: torch.Tensor


def assigned(
    at: torch.Tensor, boxes: torch.Tensor, chances: torch.Tensor, things: torch.Tensor, there: torch.Tensor
) -> Assigned:
    """Returns the things of the cells.

    Args:
        at: the cells' centres (k, 2).
        boxes: predicted boxes (n, k, 4).
        chances: probability (n, m, k) that cell k gives to the category of thing m.
        things: true boxes (n, m, 4).
        there: whether thing m of picture n exists (n, m), the rest is padding.
    """
    import torch

    middle = (things[..., :2] + things[..., 2:]) / 2
    half = ((things[..., 2:] - things[..., :2]) / 2).clamp(min=1.0)
    off = (at[None, None] - middle[:, :, None]).abs()
    inside = (off <= half[:, :, None]).all(-1)
    distance = (off / half[:, :, None]).square().sum(-1)
    nearest = torch.zeros_like(inside).scatter_(2, off.sum(-1).argmin(2, keepdim=True), True)
    inside = (inside | nearest) & there[..., None]
    overlap = iou(boxes[:, None], things[:, :, None]).clamp(min=0)
    goodness = chances.clamp(min=1e-4) ** NAMED * (overlap + 0.05) ** FITTED * torch.exp(-MIDDLE * distance)
    goodness = goodness * inside
    best = goodness.topk(min(MOST_CELLS, goodness.shape[2]), 2)
    chosen = torch.zeros_like(inside).scatter_(2, best.indices, best.values > 0)
    goodness = goodness * chosen
    of_cell, thing = goodness.max(1)
    taken = of_cell > 0
    own = torch.zeros_like(chosen).scatter_(1, thing[:, None], taken[:, None]) & chosen
    goodness, overlap = goodness * own, overlap * own
    top = goodness.amax(2, keepdim=True).clamp(min=1e-9)
    target = (goodness / top * overlap.amax(2, keepdim=True)).sum(1)
    return Assigned(torch.where(taken, thing, -1), target)


def iou(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Returns the IoU of boxes (…, 4) that fit each other's shapes."""
    import torch

    low, high = torch.maximum(first[..., :2], second[..., :2]), torch.minimum(first[..., 2:], second[..., 2:])
    both = (high - low).clamp(min=0).prod(-1)
    return both / (_area(first) + _area(second) - both).clamp(min=1e-6)


def generalised_iou(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Returns the generalised IoU (Rezatofighi et al. 2019) of boxes (…, 4)."""
    import torch

    low, high = torch.maximum(first[..., :2], second[..., :2]), torch.minimum(first[..., 2:], second[..., 2:])
    both = (high - low).clamp(min=0).prod(-1)
    either = (_area(first) + _area(second) - both).clamp(min=1e-6)
    outer = torch.maximum(first[..., 2:], second[..., 2:]) - torch.minimum(first[..., :2], second[..., :2])
    hull = outer.clamp(min=0).prod(-1).clamp(min=1e-6)
    return both / either - (hull - either) / hull


def _area(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)
