"""What a stepwise run keeps between its nodes: small values; words and observations stay in the record."""

from __future__ import annotations

from typing import Annotated, Any

from deixis.graphs.state import RunState, merged


class StepState(RunState, total=False):
    """The state of one stepwise run; every value is plain JSON of a few hundred bytes."""

    expert: str
    """Which expert speaks, as the gate decided: frozen, learn or none."""
    then: str
    """Who speaks next where that expert's answer rests on nothing; empty if nobody does."""
    step: int
    """Index of the latest step; 0 is the taking in of the media."""
    reads: bool
    """The latest step is open: its words come with the planner's next reply."""
    plan: list[dict[str, Any]]
    """The calls of the open step, as `planning.protocol.Call`, each with its id."""
    again: Annotated[dict[str, list[str]], merged]
    """By call: phrases that gave nothing before and were left out."""
    asked: int
    """How often the planner was to decide, the failures included."""
    taken: int
    """Steps that the planner has taken."""
    tokens: int
    """Tokens that the planner has read and written."""
    failures: int
    """Replies in a row that could not be used."""
    complaint: str
    """What the planner is told about its last reply."""
    sent_back: bool
    """The answer has been sent back once."""
    reply: dict[str, Any]
    """The step that answers, as `planning.protocol.NextStep`."""
    ended: str
    """Why the planner was not asked on: the budget that was used up, or that the planner failed."""
