"""Which cells answer for which thing: task-aligned assignment (Feng et al. 2021, arXiv:2108.07755).

The cells of a thing are those in its box whose present box and class fit it best; so the head learns to
call good what is good in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

CELLS = 7
"""Most cells a thing."""
CLASS_POWER, IOU_POWER = 0.5, 3.0
PRIOR = 1e-3
"""What nearness to the middle counts for beside fit, which is nothing at first."""
REACHED = 8.0
"""Pixels from the middle of a box within which a cell may answer for it even if it lies outside."""


class Assigned(NamedTuple):
    """thing (n, cells) int64: the number of the cell's thing, -1 for none; iou (n, cells) with its box."""

    thing: torch.Tensor
    iou: torch.Tensor


def ious(boxes: torch.Tensor, things: torch.Tensor) -> torch.Tensor:
    """Returns the IoU of things (n, g, 4) with boxes (n, cells, 4), shape (n, g, cells)."""
    import torch

    a, b = things[:, :, None], boxes[:, None]
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    common = (high - low).clamp(0).prod(-1)
    return common / (_area(a) + _area(b) - common).clamp(1e-6)


def _area(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp(0).prod(-1)


def assigned(
    boxes: torch.Tensor,
    chances: torch.Tensor,
    things: torch.Tensor,
    there: torch.Tensor,
    at: torch.Tensor,
) -> Assigned:
    """Returns the thing of every cell.

    Args:
        boxes: present boxes (n, cells, 4) in pixels.
        chances: present probability of each thing's class in each cell (n, g, cells).
        things: true boxes (n, g, 4), padded; there: (n, g) bool, which of them are real.
        at: centres of the cells (cells, 2).
    """
    import torch

    overlap = ious(boxes, things)
    middle = (things[..., :2] + things[..., 2:]) / 2
    size = (things[..., 2:] - things[..., :2]).clamp(1)
    off = (at[None, None] - middle[:, :, None]).abs()
    inside = (off * 2 < size[:, :, None]).all(-1) | (off < REACHED).all(-1)
    near = torch.exp(-2 * ((off / size[:, :, None]) ** 2).sum(-1))
    fit = (chances**CLASS_POWER * overlap**IOU_POWER + PRIOR * near) * near
    fit = torch.where(inside & there[:, :, None], fit, torch.zeros(()))
    best = fit.topk(min(CELLS, fit.shape[2]), dim=2)
    chosen = torch.zeros_like(fit).scatter_(2, best.indices, best.values)
    value, thing = chosen.max(1)
    taken = torch.where(value > 0, thing, torch.full_like(thing, -1))
    return Assigned(taken, overlap.gather(1, thing[:, None])[:, 0])
