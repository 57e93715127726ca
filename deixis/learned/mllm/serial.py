"""The serial form of a dialogue: how it is written down as tokens, with what belongs to each token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from deixis.geometry import Box, Size
from deixis.trace import StepKind

Pointing = Literal["coordinates", "proposals"]
"""How regions are written: as coordinates, or as numbers of the proposals on offer where one fits."""
NO_LABEL = -100


@dataclass(frozen=True)
class Slot:
    """A picture, a sound or a proposal that fills places of the text.

    `medium` is its number among the pictures, or the sounds, of the dialogue, from 0. For a proposal `box`
    are shares of the picture's width and height, `number` its number from 1, `score` in 0..1.
    """

    kind: Literal["picture", "sound", "object"]
    medium: int
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    number: int = 0
    score: float = 1.0


@dataclass(frozen=True)
class Encoded:
    """A dialogue as tokens.

    All sequences are as long as `input_ids`: `labels` is -100 where the token is context (media, questions,
    what tools said), `step_id` numbers the steps from 0 and is -1 outside. `step_kinds` has one entry a step.
    The first `prefix` tokens are the media's; `turns` is where each turn starts.
    """

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    step_id: tuple[int, ...]
    step_kinds: tuple[StepKind, ...]
    slots: tuple[Slot, ...]
    prefix: int
    turns: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.input_ids)


@dataclass
class Writer:
    """A dialogue that is being written."""

    tokenizer: Any
    ids: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    step_id: list[int] = field(default_factory=list)
    kinds: list[StepKind] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)
    prefix: int = 0
    in_step: bool = False

    def begin(self, kind: StepKind) -> None:
        """Starts a step."""
        self.kinds.append(kind)
        self.in_step = True

    def end(self) -> None:
        """Ends it."""
        self.in_step = False

    def put(self, ids: Sequence[int], said: bool) -> None:
        """Adds tokens; `said` where the model is to say them."""
        self.ids += ids
        self.labels += ids if said else [NO_LABEL] * len(ids)
        self.step_id += [len(self.kinds) - 1 if self.in_step else -1] * len(ids)

    def token(self, *tokens: str, said: bool) -> None:
        """Adds tokens by name."""
        self.put([self.tokenizer.convert_tokens_to_ids(token) for token in tokens], said)

    def text(self, text: str, said: bool) -> None:
        """Adds words."""
        if text.strip():
            self.put(self.tokenizer(text, add_special_tokens=False).input_ids, said)

    def done(self) -> Encoded:
        """Returns what was written."""
        return Encoded(
            tuple(self.ids),
            tuple(self.labels),
            tuple(self.step_id),
            tuple(self.kinds),
            tuple(self.slots),
            self.prefix,
            tuple(self.turns),
        )


def shares(box: Box, size: Size) -> tuple[float, float, float, float]:
    """Returns the box as shares of width and height, inside the picture."""
    x1, y1, x2, y2 = (min(1.0, max(0.0, share)) for share in box.unit(size))
    return (x1, y1, x2, y2)
