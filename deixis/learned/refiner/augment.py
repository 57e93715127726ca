"""Samples changed at random while training: mirrored, zoomed, shifted, recoloured."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

ZOOM = 0.15
"""Largest zoom of each axis, as the logarithm of the factor."""
SHIFT = 0.08
"""Largest shift of each axis, as a share of half the window."""
BRIGHTNESS, CONTRAST, TINT = 0.4, 0.3, 0.15


class Batch(NamedTuple):
    """Picture planes (n, 13, side, side), truth (n, side, side) in 0..1, boxes (n, 4) in window fractions."""

    planes: torch.Tensor
    truth: torch.Tensor
    box: torch.Tensor


def augmented(batch: Batch, generator: torch.Generator) -> Batch:
    """Returns the batch, every sample changed in its own way; the box moves with its picture."""
    return _recoloured(_moved(_mirrored(batch, generator), generator), generator)


def full_planes(batch: Batch) -> torch.Tensor:
    """Returns the network's input (n, 16, side, side): the picture planes and those of the box."""
    import torch

    side = batch.planes.shape[-1]
    cells = (torch.arange(side) + 0.5) / side
    x1, y1, x2, y2 = (batch.box[:, index, None] for index in range(4))

    def inside(low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
        return ((cells - low) * side + 0.5).clamp(0, 1) * ((high - cells) * side + 0.5).clamp(0, 1)

    def relative(low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
        return ((2 * cells - low - high) / (high - low).clamp(1e-3)).clamp(-1.5, 1.5)

    planes = torch.stack(
        [
            inside(y1, y2)[:, :, None] * inside(x1, x2)[:, None, :],
            relative(x1, x2)[:, None, :].expand(-1, side, -1),
            relative(y1, y2)[:, :, None].expand(-1, -1, side),
        ],
        1,
    )
    return torch.cat([batch.planes, planes], 1)


def _uniform(shape: tuple[int, ...], generator: torch.Generator, limit: float) -> torch.Tensor:
    import torch

    return (torch.rand(shape, generator=generator) * 2 - 1) * limit


def _mirrored(batch: Batch, generator: torch.Generator) -> Batch:
    import torch

    planes, truth, box = batch
    chosen = torch.rand(len(planes), generator=generator) < 0.5
    turned = torch.stack([1 - box[:, 2], box[:, 1], 1 - box[:, 0], box[:, 3]], 1)
    return Batch(
        torch.where(chosen[:, None, None, None], planes.flip(3), planes),
        torch.where(chosen[:, None, None], truth.flip(2), truth),
        torch.where(chosen[:, None], turned, box),
    )


def _moved(batch: Batch, generator: torch.Generator) -> Batch:
    import torch
    from torch.nn import functional

    planes, truth, box = batch
    n, side = len(planes), planes.shape[-1]
    zoom = torch.exp(_uniform((n, 2), generator, ZOOM))
    shift = _uniform((n, 2), generator, SHIFT)
    maps = torch.zeros(n, 2, 3)
    maps[:, 0, 0], maps[:, 1, 1], maps[:, :, 2] = zoom[:, 0], zoom[:, 1], shift
    grid = functional.affine_grid(maps, [n, 1, side, side], align_corners=False)
    both = functional.grid_sample(
        torch.cat([planes, truth[:, None]], 1), grid, padding_mode="border", align_corners=False
    )
    # The grid says where each new place is taken from; a box goes the other way.
    corners = ((box * 2 - 1 - shift.repeat(1, 2)) / zoom.repeat(1, 2) + 1) / 2
    return Batch(both[:, :-1], both[:, -1], corners)


def _recoloured(batch: Batch, generator: torch.Generator) -> Batch:
    import torch

    colours = batch.planes[:, :3]
    n = len(colours)
    grey = colours.mean(1, keepdim=True)
    colours = grey + (colours - grey) * torch.rand(n, 1, 1, 1, generator=generator) * 1.4
    mean = colours.mean((1, 2, 3), keepdim=True)
    contrast = 1 + _uniform((n, 1, 1, 1), generator, CONTRAST)
    light = _uniform((n, 1, 1, 1), generator, BRIGHTNESS) + _uniform((n, 3, 1, 1), generator, TINT)
    colours = (colours - mean) * contrast + mean + light
    return batch._replace(planes=torch.cat([colours, batch.planes[:, 3:]], 1))
