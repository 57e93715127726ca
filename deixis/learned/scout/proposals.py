"""Numbered proposals: the boxes of a detection, as they are offered for choosing.

The numbers follow the observation's own order (phrases as asked, each phrase's boxes best first, then
`everything`), from 1 to at most `MOST`. A step chooses by writing ``#3``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from deixis.geometry import Box
from deixis.tools.detection.protocol import GroundResult
from deixis.trace import Step

MOST = 10
"""Proposals offered at once; a grounder's best ten hold nearly all that is meant."""
_NUMBER = re.compile(r"#(\d{1,3})(?!\w)")


@dataclass(frozen=True)
class Proposal:
    """A box on offer: its number from 1, the phrase it answers (or the detector's name), its score."""

    number: int
    phrase: str
    box: Box
    score: float


def numbered(result: GroundResult, most: int = MOST) -> tuple[Proposal, ...]:
    """Returns the proposals of one detection, at most `most`."""
    rows = [
        (found.phrase, detection.box, detection.score.value)
        for found in result.phrases
        for detection in found.detections
    ]
    rows += [(one.name, one.box, one.score.value) for one in result.everything]
    return tuple(Proposal(number, *row) for number, row in enumerate(rows[:most], 1))


def proposals_of(
    steps: Sequence[Step], before: int | None = None, everything: bool = False
) -> tuple[Proposal, ...]:
    """Returns the proposals on offer at step `before` (the end if None): those of the last detection.

    With `everything` only detections that looked at everything count.

    Raises:
        ValueError: an observation of a detection is not of its form.
    """
    offered: tuple[Proposal, ...] = ()
    for step in steps[: len(steps) if before is None else before + 1]:
        calls = {
            action.call
            for action in step.actions
            if action.role == "detection" and (action.input.get("everything") or not everything)
        }
        for seen in step.observations:
            if seen.call in calls and seen.output is not None:
                offered = numbered(GroundResult.model_validate(seen.output))
    return offered


def chosen(text: str) -> tuple[int, ...]:
    """Returns the numbers that a step's text names, in order, each once: ``#2`` is 2."""
    return tuple(dict.fromkeys(int(number) for number in _NUMBER.findall(text)))
