"""What a step of the eye's training is: the loss of a batch, and the parameter groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deixis.learned.pocket.eye.assignment import assigned, generalised_iou
from deixis.learned.pocket.eye.network import Seen, centres
from deixis.learned.pocket.eye.samples import Batch
from deixis.tools.pocket.eye import STRIDE

if TYPE_CHECKING:
    import torch

BATCH = 48
LEARNING_RATE, WEIGHT_DECAY = 3e-3, 0.05
LARGEST_GRADIENT = 5.0
SURE_WEIGHT, BOX_WEIGHT, KIND_WEIGHT, TAG_WEIGHT = 1.0, 2.0, 1.5, 0.3
SMOOTHING = 0.02


def loss_of(network: torch.nn.Module, batch: Batch, bfloat16: bool = True) -> torch.Tensor:
    """Returns the loss of a batch: is there a thing, where, which, and which are in the picture at all."""
    import torch

    pictures = torch.from_numpy(batch.pictures).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        seen = network(pictures.float().div_(127.5).sub_(1.0))
    return loss_of_seen(seen, batch)


def loss_of_seen(seen: Seen, batch: Batch) -> torch.Tensor:
    """Returns the loss of what the network says of a batch."""
    import torch
    from torch.nn import functional

    side = batch.pictures.shape[-1] // STRIDE
    at = centres(side, side)
    boxes, classes = torch.from_numpy(batch.boxes), torch.from_numpy(batch.classes)
    there = classes >= 0
    logs = functional.log_softmax(seen.kinds, 2)
    with torch.no_grad():
        cells = seen.kinds.shape[1]
        index = classes.clamp(min=0)[:, None].expand(-1, cells, -1)
        chances = logs.gather(2, index).exp().transpose(1, 2)
        found = assigned(at, seen.boxes, chances, boxes, there)
        taken = found.thing >= 0
        total = found.goodness.sum().clamp(min=1.0)
    entropy = functional.binary_cross_entropy_with_logits(seen.sure, found.goodness, reduction="none")
    off = (torch.sigmoid(seen.sure) - found.goodness).abs().square().detach()
    sure = (entropy * (off * 2 + 0.02 * taken)).sum() / total
    row, cell = taken.nonzero(as_tuple=True)
    thing = found.thing[row, cell]
    weight = found.goodness[row, cell] / total
    place = ((1 - generalised_iou(seen.boxes[row, cell], boxes[row, thing])) * weight).sum()
    kind = functional.cross_entropy(
        seen.kinds[row, cell], classes[row, thing], reduction="none", label_smoothing=SMOOTHING
    )
    truth = torch.zeros_like(seen.tags)
    truth[there.nonzero(as_tuple=True)[0], classes[there]] = 1.0
    tags = functional.binary_cross_entropy_with_logits(seen.tags, truth, reduction="sum") / len(truth)
    return (
        SURE_WEIGHT * sure
        + BOX_WEIGHT * place
        + KIND_WEIGHT * (kind * weight).sum()
        + TAG_WEIGHT * tags / max(1.0, float(there.sum()) / len(truth))
    )
