"""Losses by step: cross-entropy whose weights say how much each step of a trace counts.

``L = sum over steps of W * (mean over the step's tokens of -log p) / sum of W``; the modes differ in W alone.
A sample keeps in every mode the share of a batch that its tokens give it (or that `LossPlan.samples` says),
so the modes are equal for samples of one step, and ``step_mean`` is ``token_mean`` where the steps of each
sample are equally long. TWIST & SCOUT (arXiv 2410.10491) speaks of a loss for each step and leaves weights
and reduction open.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch.nn import functional

from deixis.errors import RunStopped
from deixis.learned.training.example import IGNORED, KINDS, Batch

Mode = Literal["token_mean", "step_mean", "step_weighted", "separate_turns", "curriculum"]
MODES: tuple[Mode, ...] = get_args(Mode)
Weighting = Literal["by_tokens", "by_root", "alike"]
POWERS: dict[Weighting, float] = {"by_tokens": 1.0, "by_root": 0.5, "alike": 0.0}
"""Of a sample's number of tokens, in what it counts."""


class LossPlan(BaseModel):
    """How steps are weighed.

    Attributes:
        mode: ``token_mean`` every token alike, the model's own loss; ``step_mean`` every step of a sample
            alike; ``step_weighted`` by `kind_weights` and the weights that the example brings;
            ``separate_turns`` as step_mean, but each step is a row of its own behind its true history;
            ``curriculum`` as step_mean, but later steps join one after the other.
        samples: ``by_tokens``: a sample counts as much as it has tokens, as in the model's own loss;
            ``alike``: all samples of a batch count the same, a yes as much as a long description;
            ``by_root``: between the two, by the root of the number of tokens.
        coordinate_weight: of tokens that are coordinates, against 1 of others; 1 is off.
        kind_weights: by step kind, 1 where none is given; 0 leaves a kind out.
        unlocked_by: ``curriculum``: the share of the training after which all steps count.
        most_steps: ``curriculum``: how many unlocking takes; longer samples wait for the end of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = "step_mean"
    samples: Weighting = "by_tokens"
    coordinate_weight: float = Field(1.0, gt=0)
    kind_weights: dict[str, float] = Field(default_factory=dict)
    unlocked_by: float = Field(0.5, gt=0, le=1)
    most_steps: int = Field(6, ge=1)

    def unlocked(self, progress: float) -> int:
        """Returns how many of a sample's first steps count, at this share of the training."""
        if progress >= self.unlocked_by:
            return 1 << 30
        return 1 + int(progress / self.unlocked_by * self.most_steps)


@dataclass(frozen=True)
class Targets:
    """What a batch is to say.

    `where` (b, t) bool says at which positions something is predicted. Of these n there are the `labels`
    (n,), the `weights` (n,) and the `kinds` (n,), places in `KINDS`; `mass` is the sum of the weights.
    """

    where: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor
    kinds: torch.Tensor
    mass: torch.Tensor


class Objective:
    """The loss of a plan.

    Args:
        plan: how steps are weighed.
        coordinates: the numbers of the tokens that are coordinates.
    """

    def __init__(self, plan: LossPlan | None = None, coordinates: Iterable[int] = ()) -> None:
        self.plan = plan or LossPlan()
        self._coordinates = torch.tensor(sorted(set(coordinates)), dtype=torch.long)
        weights = [self.plan.kind_weights.get(kind, 1.0) for kind in KINDS]
        self._kind_weights = torch.tensor(weights)

    def targets(self, batch: Batch, progress: float = 1.0) -> Targets:
        """Returns what a batch is to say, and how much each token of it counts.

        Args:
            batch: of a collator.
            progress: the share of the training that is done.
        """
        labels, step_id = batch.labels, batch.step_id
        learned = labels != IGNORED
        learned[:, 0] = False  # nothing comes before it
        where = torch.zeros_like(learned)
        where[:, :-1] = learned[:, 1:]
        rows, steps = step_id.shape[0], batch.step_w.shape[1]
        flat = (torch.arange(rows, device=labels.device)[:, None] * steps + step_id)[learned]
        said = labels[learned]
        each = torch.ones(len(said), device=labels.device)
        if self.plan.coordinate_weight != 1 and len(self._coordinates):
            chosen = torch.isin(said, self._coordinates.to(said.device))
            each = torch.where(chosen, self.plan.coordinate_weight, each)
        mass = each.new_zeros(rows * steps).index_add_(0, flat, each)
        weight = self.step_weights(batch, mass.view(rows, steps), progress).flatten()
        per_token = each * (weight / mass.clamp(min=1e-9))[flat]
        return Targets(where, said, per_token, batch.step_kind.flatten()[flat], per_token.sum())

    def step_weights(self, batch: Batch, mass: torch.Tensor, progress: float = 1.0) -> torch.Tensor:
        """Returns how much each step counts (b, s), given the weight of its tokens (b, s)."""
        power = POWERS[self.plan.samples]
        if self.plan.mode == "token_mean" and power == 1:
            return mass
        value = mass if self.plan.mode == "token_mean" else (mass > 0).float()
        if self.plan.mode == "step_weighted":
            own = self._kind_weights.to(mass.device)[batch.step_kind.clamp(min=0)]
            value = value * own * batch.step_w
        elif self.plan.mode == "curriculum":
            value = value * (batch.step_place < self.plan.unlocked(progress))
        sample = batch.step_sample.clamp(min=0).flatten()
        count = int(sample.max()) + 1 if len(sample) else 0
        counted = (mass * (value > 0)).flatten()
        both = torch.stack([value.flatten(), counted], 1)
        sums = both.new_zeros(count, 2).index_add_(0, sample, both)[sample]
        share = value.flatten() / sums[:, 0].clamp(min=1e-9)
        return (share * sums[:, 1] ** power).view_as(mass)

    def summed(self, logits: torch.Tensor, targets: Targets) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns the weighted sum of the cross-entropies, and by kind (kinds, 2) their plain sum and count.

        Args:
            logits: (n, vocabulary), at the positions `targets.where`.
            targets: of the same batch.
        """
        found = functional.cross_entropy(logits.float(), targets.labels, reduction="none")
        table = found.new_zeros(len(KINDS), 2)
        table.index_add_(0, targets.kinds, torch.stack([found.detach(), torch.ones_like(found)], 1))
        return (found * targets.weights).sum(), table

    def mean(self, logits: torch.Tensor, batch: Batch, progress: float = 1.0) -> torch.Tensor:
        """Returns the loss of one batch, given all its logits (b, t, vocabulary)."""
        targets = self.targets(batch, progress)
        return self.summed(logits[targets.where], targets)[0] / targets.mass.clamp(min=1e-9)


def by_kind(table: torch.Tensor) -> dict[str, float]:
    """Returns the mean loss of a token for each step kind that came up, from sums and counts (kinds, 2)."""
    rows = zip(KINDS, table.tolist(), strict=True)
    return {kind: total / count for kind, (total, count) in rows if count}


def check_finite(loss: float, step: int) -> None:
    """Says nothing where the loss is a number.

    Raises:
        RunStopped: it is not; the latest checkpoint is from before.
    """
    if not math.isfinite(loss):
        raise RunStopped(
            "train.loss.infinite",
            f"The loss of step {step} is not a finite number.",
            "Go on from the latest checkpoint with --resume and a lower --rate, or without --bfloat16.",
        )
