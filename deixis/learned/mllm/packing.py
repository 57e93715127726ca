"""Dialogues side by side in one sequence, and sequences side by side in a batch.

Dialogues about the same media share the media's tokens: each sees these and itself, and its positions go on
where they end. So ten questions about a picture cost the picture once, and each is as if it stood alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.learned.mllm.serial import NO_LABEL, Encoded, Slot
from deixis.trace import StepKind

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Packed:
    """A sequence: as `Encoded`, with each token's segment (0: the media, seen by all) and position."""

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    step_id: tuple[int, ...]
    step_kinds: tuple[StepKind, ...]
    slots: tuple[Slot, ...]
    segment: tuple[int, ...]
    position: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.input_ids)


@dataclass(frozen=True)
class Item:
    """A sequence with the rows of its media, float (r, f) each, in the order of its slots."""

    packed: Packed
    pictures: tuple[NDArray[Any], ...] = field(default=())
    sounds: tuple[NDArray[Any], ...] = field(default=())


def pack(dialogues: Sequence[Encoded], longest: int = 0) -> Packed:
    """Returns dialogues about the same media as one sequence; those that pass `longest` (0: none) stay out.

    Raises:
        ValueError: their media differ, or there are no dialogues.
    """
    if not dialogues:
        raise ValueError("no dialogues")
    first = dialogues[0]
    start = first.prefix
    ids, labels, steps = list(first.input_ids[:start]), [NO_LABEL] * start, [-1] * start
    segment, position = [0] * start, list(range(start))
    kinds: list[StepKind] = []
    slots = [slot for slot in first.slots if slot.kind != "object"]
    for number, one in enumerate(dialogues, 1):
        if one.input_ids[: one.prefix] != first.input_ids[:start]:
            raise ValueError("the dialogues are about different media")
        many = len(one) - one.prefix
        if longest and len(ids) + many > longest and number > 1:
            continue
        ids += one.input_ids[one.prefix :]
        labels += one.labels[one.prefix :]
        steps += [step + len(kinds) if step >= 0 else -1 for step in one.step_id[one.prefix :]]
        kinds += one.step_kinds
        segment += [number] * many
        position += range(start, start + many)
        slots += [slot for slot in one.slots if slot.kind == "object"]
    return Packed(
        tuple(ids), tuple(labels), tuple(steps), tuple(kinds), tuple(slots), tuple(segment), tuple(position)
    )


def visible(segments: torch.Tensor) -> torch.Tensor:
    """Returns which tokens each token may see, (b, 1, t, t) bool, of segments (b, t); -1 is padding."""
    import torch

    own = segments[:, :, None] == segments[:, None, :]
    shared = (segments == 0)[:, None, :]
    long = segments.shape[1]
    before = torch.ones(long, long, dtype=torch.bool, device=segments.device).tril()
    return ((own | shared) & before)[:, None]


def collate(items: Sequence[Item], pad: int = 0, multiple: int = 1) -> dict[str, torch.Tensor]:
    """Returns a batch for `PocketForConditionalGeneration`, with `labels` and `step_id` (b, t).

    Args:
        items: the sequences.
        pad: the padding token.
        multiple: the length is brought to a multiple of it.
    """
    import torch

    long = max(len(item.packed) for item in items)
    long += -long % multiple
    out: dict[str, Any] = {}
    empty = {"input_ids": pad, "labels": NO_LABEL, "step_id": -1, "segment": -1, "position": 0}
    for name, value in empty.items():
        rows = np.full((len(items), long), value, np.int64)
        for number, item in enumerate(items):
            rows[number, : len(item.packed)] = getattr(item.packed, name)
        out[name] = torch.from_numpy(rows)
    out["attention_mask"] = visible(out.pop("segment"))
    out["position_ids"] = out.pop("position")
    pictures = [rows for item in items for rows in item.pictures]
    sounds = [rows for item in items for rows in item.sounds]
    if pictures:
        out["picture_rows"] = torch.from_numpy(np.stack(pictures).astype(np.float32))
    if sounds:
        out["sound_rows"] = torch.from_numpy(np.stack(sounds).astype(np.float32))
    return out | objects(items)


def objects(items: Sequence[Item]) -> dict[str, torch.Tensor]:
    """Returns the inputs of the batch's proposals; none where there are none."""
    import torch

    found: list[Slot] = []
    before = 0
    for item in items:
        found += [
            replace(slot, medium=slot.medium + before) for slot in item.packed.slots if slot.kind == "object"
        ]
        before += len(item.pictures)
    if not found:
        return {}
    return {
        "object_boxes": torch.tensor([slot.box for slot in found], dtype=torch.float32),
        "object_pictures": torch.tensor([slot.medium for slot in found]),
        "object_numbers": torch.tensor([slot.number for slot in found]),
        "object_scores": torch.tensor([slot.score for slot in found], dtype=torch.float32),
    }
