"""The answer to what has been found so far, by rules: when they are done, and when a budget ends a run."""

from __future__ import annotations

from deixis.graphs.answering.answers import write
from deixis.graphs.planning.protocol import NextStep, PlanRequest
from deixis.graphs.planning.rules.knowing import as_step, know
from deixis.graphs.rules.questions import parse
from deixis.media.refs import MediaSource


async def conclusion(request: PlanRequest, media: MediaSource) -> NextStep:
    """Returns the step that answers with what there is; it calls nothing."""
    known = know(request)
    return as_step(write(parse(request.question), known.facts), known)
