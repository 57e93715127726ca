"""What is trained on: an example is one sample as tokens, a batch is several as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import torch

from deixis.errors import InputFault
from deixis.trace import StepKind

IGNORED = -100
"""The label of a token that is context: what the user or a tool said."""
OTHER = "turn"
"""The kind of a step that has none in the grammar of traces, such as the only turn of a chat."""
KINDS: tuple[str, ...] = (*get_args(StepKind), OTHER)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Example:
    """A sample as tokens.

    Attributes:
        input_ids: (t,).
        labels: (t,), `IGNORED` where nothing is to be learned; a label is predicted one token earlier.
        step_id: (t,), 0 to s - 1 where there is a label, -1 elsewhere.
        step_kinds: the kind of each step.
        step_weights: the weight of each step in the mode ``step_weighted``; all one if None.
        step_turns: which turn, from 0, each step is of; each turn counts as a sample of its own. None: one.
        media: further inputs of the model, whose first axis counts pictures, sounds or things.
        segment: (t,), for several turns behind one prefix: a token sees the earlier ones of segment 0 and
            of its own. None where all see all before them.
        position_ids: (t,); 0, 1, 2 ... if None.
    """

    input_ids: Ints
    labels: Ints
    step_id: Ints
    step_kinds: tuple[str, ...]
    step_weights: tuple[float, ...] | None = None
    step_turns: tuple[int, ...] | None = None
    media: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    segment: Ints | None = None
    position_ids: Ints | None = None

    def __post_init__(self) -> None:
        """Checks that the parts fit.

        Raises:
            InputFault: lengths differ, or a label belongs to no step.
        """
        length, steps = len(self.input_ids), len(self.step_kinds)
        along = (self.labels, self.step_id, self.segment, self.position_ids)
        wrong = any(one is not None and len(one) != length for one in along)
        owner = self.step_id[self.labels != IGNORED]
        outside = bool(len(owner)) and (owner.min() < 0 or owner.max() >= steps)
        each = (self.step_weights, self.step_turns)
        uneven = any(one is not None and len(one) != steps for one in each)
        if wrong or outside or uneven:
            raise InputFault(
                "train.example.shape",
                f"An example of {length} tokens and {steps} steps has parts that do not fit.",
                "Give one label and step number for every token, one weight and turn for every step.",
            )

    def __len__(self) -> int:
        return len(self.input_ids)


@dataclass(frozen=True)
class Batch:
    """Examples as tensors.

    Attributes:
        inputs: of the model: ``input_ids`` (b, t), ``attention_mask`` (b, t), or (b, 1, t, t) where True may
            be seen, ``position_ids`` (b, t) where they are not the usual ones, and media.
        labels: (b, t).
        step_id: (b, t), -1 where there is no label.
        step_w: (b, s), the given weights of the steps; 0 where a row has fewer steps.
        step_kind: (b, s), places in `KINDS`.
        step_sample: (b, s), which sample of the batch the step is of; -1 where a row has fewer steps.
        step_place: (b, s), the number of the step in its sample.
    """

    inputs: dict[str, torch.Tensor]
    labels: torch.Tensor
    step_id: torch.Tensor
    step_w: torch.Tensor
    step_kind: torch.Tensor
    step_sample: torch.Tensor
    step_place: torch.Tensor

    def to(self, device: torch.device | str) -> Batch:
        """Returns the batch on a device."""
        moved = {name: value.to(device, non_blocking=True) for name, value in self.inputs.items()}
        rest = (self.labels, self.step_id, self.step_w, self.step_kind, self.step_sample, self.step_place)
        return Batch(moved, *(value.to(device, non_blocking=True) for value in rest))

    @property
    def tokens(self) -> int:
        """Returns how many tokens there are, padding left out."""
        mask = self.inputs["attention_mask"]
        return int(mask.sum() if mask.ndim == 2 else mask[:, 0].diagonal(dim1=1, dim2=2).sum())


def kind_number(kind: str) -> int:
    """Returns the place of a step kind in `KINDS`; unknown ones are `OTHER`."""
    return KINDS.index(kind) if kind in KINDS else KINDS.index(OTHER)


def plain_example(input_ids: Ints, prompt: int, kind: str = OTHER, **more: Any) -> Example:
    """Returns an example of one step: everything from the token number `prompt` on is learned."""
    ids = np.asarray(input_ids, np.int64)
    learned = np.arange(len(ids)) >= prompt
    return Example(ids, np.where(learned, ids, IGNORED), np.where(learned, 0, -1), (kind,), **more)
