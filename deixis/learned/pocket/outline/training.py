"""What a step of the outline network's training is: prompts, forward pass, loss; and how it is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.geometry import Box
from deixis.learned.masks import mask_loss
from deixis.learned.pocket.outline.samples import Batch, askable, assembled, of_box

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

BATCH = 64
LEARNING_RATE, WEIGHT_DECAY = 4e-3, 0.03
LARGEST_GRADIENT = 2.0


def loss_of(network: torch.nn.Module, batch: Batch, bfloat16: bool = True) -> torch.Tensor:
    """Returns cross-entropy + 1 - soft IoU of the masks + the cross-entropy of their estimated IoU.

    The true IoU counts what of the thing lies outside the window as missed, so that a window that cuts
    its thing off is estimated low.
    """
    import torch

    planes = torch.from_numpy(np.ascontiguousarray(batch.planes)).to(memory_format=torch.channels_last)
    truth = torch.from_numpy(np.ascontiguousarray(batch.truth))
    beyond = torch.from_numpy(batch.beyond)
    inside = torch.where(torch.from_numpy(batch.inside)[:, None, None], planes[:, 3], torch.ones(()))
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        logits, quality = network(planes)
    logits, quality = logits.float(), quality.float()
    return mask_loss(logits, quality, truth, inside, logits > 0, beyond)


def box_ious(network: torch.nn.Module, scenes: Sequence[Any]) -> NDArray[np.float64]:
    """Returns the IoU of each askable thing of the scenes with its mask, given its true box.

    Counted in cells of the window, which is slightly coarser than the pixels of the picture.
    """
    import torch

    found: list[float] = []
    for scene in scenes:
        things = [of_box(scene, int(k), Box.of(scene.boxes[k].tolist())) for k in askable(scene)]
        kept = [one for one in things if one is not None]
        if not kept:
            continue
        batch = assembled(kept)
        with torch.no_grad():
            logits, _ = network(torch.from_numpy(batch.planes))
        masks = (logits.float().numpy() > 0) & (batch.planes[:, 3] > 0.5)
        truth = batch.truth > 0.5
        common = (masks & truth).sum((1, 2))
        found += (common / np.maximum((masks | truth).sum((1, 2)), 1)).tolist()
    return np.array(found, np.float64)
