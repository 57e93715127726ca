"""The settings of a training."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MEASURED_FROM, MEASURED_TO = 3, 15
"""Steps by which the speed is measured where only minutes are given; the first ones warm up."""


class Plan(BaseModel):
    """How long and how a network is trained. Where TWIST & SCOUT is silent: its base's, MoE-LLaVA's.

    Attributes:
        steps: of the optimizer; 0 takes as many as fit in `minutes`.
        minutes: see there.
        rate: the highest learning rate.
        warm_up: share of the steps in which the rate rises.
        lowest: share of the highest rate at the end of the half cosine.
        decay: weight decay of weight matrices.
        clip: the largest norm of the gradients; 0 is off.
        optimizer: ``adamw``, or ``muon``: Muon for the decoder's inner matrices and AdamW for the rest, which
            learns much faster in small networks from nothing.
        meanings: share of the rate at which the embeddings of words and kinds move in the pocket MLLM.
        bfloat16: compute in 16 bits; weights and optimizer keep 32.
        checkpointing: layers are computed again on the way back, for less memory.
        accumulate: parts in which each process takes its share of a step.
        average: share that a running average of the weights keeps at each step; 0 is off.
        save_every: steps between checkpoints; 0 goes by `save_every_s`.
        save_every_s: seconds between checkpoints.
        log_every: steps between lines of the log.
        measure_every: steps between measures of the held-out loss; 0 measures at the end.
        seed: of what is random in the network, such as dropout.
        cpu: leave accelerators alone.
        trackers: besides the log: ``tensorboard``, ``trackio``, where installed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(0, ge=0)
    minutes: float = Field(20.0, gt=0)
    rate: float = Field(1e-3, gt=0)
    warm_up: float = Field(0.03, ge=0, lt=1)
    lowest: float = Field(0.01, ge=0, le=1)
    decay: float = Field(0.0, ge=0)
    clip: float = Field(1.0, ge=0)
    optimizer: Literal["adamw", "muon"] = "adamw"
    meanings: float = Field(1.0, gt=0, le=1)
    bfloat16: bool = False
    checkpointing: bool = False
    accumulate: int = Field(1, ge=1)
    average: float = Field(0.0, ge=0, lt=1)
    save_every: int = Field(0, ge=0)
    save_every_s: float = Field(120.0, gt=0)
    log_every: int = Field(20, ge=1)
    measure_every: int = Field(0, ge=0)
    seed: int = 0
    cpu: bool = False
    trackers: tuple[Literal["tensorboard", "trackio"], ...] = ()

    def share(self, step: int, total: int) -> float:
        """Returns the share of the highest rate at a step, from 0: a linear rise, then a half cosine.

        While `total` is not known yet (0) it is the smallest share that a rise begins with.
        """
        if not total:
            return (step + 1) / (10 * MEASURED_TO)
        rise = max(1.0, self.warm_up * total)
        if step < rise:
            return (step + 1) / (rise + 1)
        done = min(1.0, (step - rise) / max(1.0, total - rise))
        return self.lowest + (1 - self.lowest) * 0.5 * (1 + math.cos(math.pi * done))
