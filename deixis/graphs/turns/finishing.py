"""The last touch to an answer: the ids of its conversation, and how the question was read."""

from __future__ import annotations

from deixis.answer import GroundedAnswer, Problem
from deixis.graphs.context import RunContext, asked_of
from deixis.graphs.state import RunState
from deixis.graphs.turns.naming import steady


def finished(context: RunContext, state: RunState, answer: GroundedAnswer) -> GroundedAnswer:
    """Returns the answer as a turn of its conversation; outside of one, almost as it is."""
    asked, record = asked_of(state), context.recorder.record
    read = asked.text if asked.text.strip() != answer.question.strip() else ""
    named = steady(answer, context.earlier)
    return named.model_copy(update={"read": read, "conversation": record.conversation, "turn": record.turn})


def told_by_ingest(problems: tuple[Problem, ...]) -> list[dict[str, object]]:
    """Returns problems of the reading in the form the state keeps, with the step that tells of them."""
    return [problem.model_copy(update={"step": 0}).model_dump(mode="json") for problem in problems]
