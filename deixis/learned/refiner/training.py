"""How the refiner is trained: cross-entropy and soft IoU, one-cycle schedule, averaged weights."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.learned.averaging import take_in
from deixis.learned.extras import require_torch
from deixis.learned.masks import mask_loss
from deixis.learned.refiner.augment import Batch, augmented, full_planes
from deixis.learned.refiner.network import build_network
from deixis.tools.segmentation.refiner import LEVEL

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from deixis.learned.refiner.samples import Samples

BATCH = 32
LEARNING_RATE, WEIGHT_DECAY, WARM_UP = 3e-3, 0.05, 0.1
AVERAGING = 0.98
"""Share of the running average of the weights that a step keeps (fewer in the first steps)."""
LARGEST_GRADIENT = 2.0


@dataclass(frozen=True)
class Fitted:
    """The averaged network in evaluation mode, and the mean loss of each epoch."""

    network: torch.nn.Module
    losses: tuple[float, ...]


def fit(
    samples: Samples,
    rows: NDArray[np.int64],
    epochs: int,
    seed: int,
    watch: Callable[[int, int, float], None] = lambda done, total, loss: None,
    bfloat16: bool = False,
) -> Fitted:
    """Returns a network trained on these rows; the same seed gives the same weights on one machine.

    An epoch shows each thing once, by one of its rows. `watch` is told the step, of how many, the loss.
    `bfloat16` computes the maps in 16 bits, which is twice as fast where the processor can.

    Raises:
        MissingExtra: PyTorch is not installed.
    """
    network = build_seeded(seed)
    import torch

    average = copy.deepcopy(network)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    batches = max(1, len(np.unique(samples.thing[rows])) // BATCH)
    total = epochs * batches
    optimizer = torch.optim.AdamW(_groups(network), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=total, pct_start=WARM_UP
    )
    losses: list[float] = []
    network.train()
    for epoch in range(epochs):
        order = one_row_a_thing(samples, rows, rng)
        seen = []
        for number, part in enumerate(np.array_split(order, batches)):
            step = epoch * batches + number + 1
            loss = loss_of(network, augmented(tensors(samples, part), generator), bfloat16)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
            optimizer.step()
            schedule.step()
            take_in(average, network, min(AVERAGING, step / (step + 10)))
            seen.append(loss.item())
            watch(step, total, seen[-1])
        losses.append(float(np.mean(seen)))
    return Fitted(average.eval(), tuple(losses))


def build_seeded(seed: int) -> torch.nn.Module:
    """Returns a new network whose random weights follow from the seed."""
    require_torch()
    import torch

    torch.manual_seed(seed)
    return build_network()


def one_row_a_thing(samples: Samples, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Returns one of the rows of each thing, in random order."""
    shuffled = rng.permutation(rows)
    _, first = np.unique(samples.thing[shuffled], return_index=True)
    return rng.permutation(shuffled[first])


def tensors(samples: Samples, rows: NDArray[np.int64]) -> Batch:
    """Returns the rows as float32 tensors."""
    import torch

    return Batch(
        torch.from_numpy(samples.planes[rows].astype(np.float32)),
        torch.from_numpy(samples.truth[rows].astype(np.float32) / 255),
        torch.from_numpy(samples.box[rows]),
    )


def loss_of(network: torch.nn.Module, batch: Batch, bfloat16: bool = False) -> torch.Tensor:
    """Returns cross-entropy + 1 - soft IoU of the masks + the cross-entropy of their estimated IoU."""
    import torch

    planes = full_planes(batch)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        found = network(planes)
    logits, quality = (one.float() for one in found)
    truth, inside = batch.truth, planes[:, -3]
    return mask_loss(logits, quality, truth, inside, torch.sigmoid(logits) > LEVEL)


def _groups(network: torch.nn.Module) -> list[dict[str, Any]]:
    """Returns the weights, which decay, and the biases and norms, which do not."""
    weights = [one for one in network.parameters() if one.ndim > 1]
    others = [one for one in network.parameters() if one.ndim <= 1]
    return [{"params": weights, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
