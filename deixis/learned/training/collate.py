"""Examples become batches: padded rows, or several examples in a row that do not see each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from deixis.errors import InputFault
from deixis.learned.training.example import IGNORED, Batch, Example, kind_number

POINTERS = {"object_pictures": ("picture_rows", "pixel_values")}
"""Inputs that are places in another input, whose places move when examples are put together."""
MULTIPLE = 32
"""Of what the stages pad rows to: with few different lengths, memory that was given back fits again."""


@dataclass(frozen=True)
class Collator:
    """Puts examples together.

    Attributes:
        pad: the number of the padding token.
        pack: tokens that a row may hold; 0 gives every example a row.
        turns: every step becomes a row of its own behind its true history (``separate_turns``).
        multiple: rows are padded to a multiple of so many tokens.
        thing: the number of the token that stands for a thing of the media inputs ``object_...``.
        pointers: as `POINTERS`.
    """

    pad: int = 0
    pack: int = 0
    turns: bool = False
    multiple: int = 1
    thing: int = -1
    pointers: Mapping[str, Sequence[str]] = field(default_factory=lambda: POINTERS)

    def __call__(self, examples: Sequence[Example]) -> Batch:
        """Returns the batch of the examples, in their order.

        Raises:
            InputFault: there is none.
        """
        if not examples:
            raise InputFault("train.batch.empty", "A batch has no examples.", "Give at least one.")
        pieces, sample = [], 0
        for example in examples:
            cut = turns_of(example, self.thing) if self.turns else [(None, example)]
            pieces += [(sample, step, piece) for step, piece in cut]
            sample += 1 + max(example.step_turns or (0,))
        rows = self._rows(pieces)
        length = max(sum(len(piece) for _, _, piece in row) for row in rows)
        length = -(-length // self.multiple) * self.multiple
        steps = max(1, *(sum(len(piece.step_kinds) for _, _, piece in row) for row in rows))
        table = _Table(len(rows), length, steps, self.pad)
        for place, row in enumerate(rows):
            table.fill(place, row)
        split = any(piece.segment is not None for _, _, piece in pieces)
        inputs = table.inputs(self.pack > 0 or split)
        inputs |= self._media([piece for row in rows for _, _, piece in row])
        return table.batch(inputs)

    def _rows(self, pieces: list[tuple[int, int | None, Example]]) -> list[list[Any]]:
        """Returns the pieces in rows, in their order: the next one joins the row while there is room."""
        rows: list[list[Any]] = []
        room = 0
        for piece in pieces:
            long = len(piece[2])
            if self.pack and rows and long <= room:
                rows[-1].append(piece)
                room -= long
            else:
                rows.append([piece])
                room = self.pack - long
        return rows

    def _media(self, examples: list[Example]) -> dict[str, torch.Tensor]:
        kept: dict[str, list[Any]] = {}
        seen: dict[str, int] = {}
        for example in examples:
            for name, value in example.media.items():
                moved = np.asarray(value)
                if name in self.pointers:
                    moved = moved + next((seen[one] for one in self.pointers[name] if one in seen), 0)
                kept.setdefault(name, []).append(moved)
            for name, value in example.media.items():
                seen[name] = seen.get(name, 0) + len(value)
        return {name: torch.from_numpy(np.concatenate(values)) for name, values in kept.items()}


class _Table:
    """The rows of a batch while they are filled."""

    def __init__(self, rows: int, length: int, steps: int, pad: int) -> None:
        shape = (rows, length)
        self.ids = np.full(shape, pad, np.int64)
        self.labels = np.full(shape, IGNORED, np.int64)
        self.step_id = np.full(shape, -1, np.int64)
        self.positions = np.zeros(shape, np.int64)
        self.owner = np.full(shape, -1, np.int64)
        self.segment = np.zeros(shape, np.int64)
        self.step_w = np.zeros((rows, steps), np.float32)
        self.step_kind = np.zeros((rows, steps), np.int64)
        self.step_sample = np.full((rows, steps), -1, np.int64)
        self.step_place = np.zeros((rows, steps), np.int64)

    def fill(self, row: int, pieces: list[tuple[int, int | None, Example]]) -> None:
        at = step = 0
        for member, (sample, place, piece) in enumerate(pieces):
            here, count = slice(at, at + len(piece)), len(piece.step_kinds)
            steps = slice(step, step + count)
            self.ids[row, here] = piece.input_ids
            labels = piece.labels.copy()
            if len(labels):
                labels[0] = IGNORED  # what comes before it is another example
            if piece.segment is not None:
                labels[1:][np.diff(piece.segment) != 0] = IGNORED
                self.segment[row, here] = piece.segment
            self.labels[row, here] = labels
            self.step_id[row, here] = np.where(labels != IGNORED, piece.step_id + step, -1)
            usual = np.arange(len(piece))
            self.positions[row, here] = usual if piece.position_ids is None else piece.position_ids
            self.owner[row, here] = member
            self.step_w[row, steps] = piece.step_weights or 1.0
            self.step_kind[row, steps] = [kind_number(kind) for kind in piece.step_kinds]
            turns = np.array(piece.step_turns or (0,) * count, np.int64)
            self.step_sample[row, steps] = sample + turns
            # A step's number is its place among those of its turn.
            usual = np.array([(turns[:number] == turn).sum() for number, turn in enumerate(turns)], np.int64)
            self.step_place[row, steps] = usual if place is None else place
            at, step = at + len(piece), step + count

    def inputs(self, apart: bool) -> dict[str, torch.Tensor]:
        there = self.owner >= 0
        if not apart:
            return {
                "input_ids": torch.from_numpy(self.ids),
                "attention_mask": torch.from_numpy(there.astype(np.int64)),
            }
        length = there.shape[1]
        owner, segment = torch.from_numpy(self.owner), torch.from_numpy(self.segment)
        own = (segment[:, None, :] == 0) | (segment[:, None, :] == segment[:, :, None])
        seen = (owner[:, None, :] == owner[:, :, None]) & own & torch.ones(length, length).tril().bool()
        # A padded position sees itself alone: a row of nothing would be no number.
        padded = torch.from_numpy(~there)
        mask = torch.where(padded[:, :, None], torch.eye(length).bool(), seen)
        return {
            "input_ids": torch.from_numpy(self.ids),
            "attention_mask": mask[:, None],
            "position_ids": torch.from_numpy(self.positions),
        }

    def batch(self, inputs: dict[str, torch.Tensor]) -> Batch:
        rest = (self.labels, self.step_id, self.step_w, self.step_kind, self.step_sample, self.step_place)
        return Batch(inputs, *(torch.from_numpy(value) for value in rest))


def turns_of(example: Example, thing: int = -1) -> list[tuple[int, Example]]:
    """Returns each step as an example of its own, cut after its last token, with its number.

    Args:
        example: of one turn.
        thing: the number of the token that stands for a thing; things behind the cut are left out.

    Raises:
        InputFault: the example has several turns behind one prefix.
    """
    if example.segment is not None or max(example.step_turns or (0,)):
        raise InputFault(
            "train.turns.uncut",
            "An example of several questions cannot be cut into its steps.",
            "Give one question an example, or use the loss step_mean, which is equal in value.",
        )
    found = []
    for step, kind in enumerate(example.step_kinds):
        own = (example.step_id == step) & (example.labels != IGNORED)
        if not own.any():
            continue
        cut = slice(0, int(np.flatnonzero(own)[-1]) + 1)
        things = int((example.input_ids[cut] == thing).sum())
        media = {
            name: value[:things] if name.startswith("object_") else value
            for name, value in example.media.items()
        }
        piece = replace(
            example,
            input_ids=example.input_ids[cut],
            labels=np.where(own, example.labels, IGNORED)[cut],
            step_id=np.where(own, 0, -1)[cut],
            step_kinds=(kind,),
            step_weights=None if example.step_weights is None else (example.step_weights[step],),
            step_turns=None,
            media=media,
            position_ids=None if example.position_ids is None else example.position_ids[cut],
        )
        found.append((step, piece))
    return found
