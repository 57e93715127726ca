"""The step that answers: the planner's, in the words that a person gave it, if one did."""

from __future__ import annotations

from deixis.graphs.context import RunContext
from deixis.graphs.planning.protocol import NextStep
from deixis.graphs.stepwise.state import StepState


def answering(context: RunContext, state: StepState, index: int) -> NextStep:
    """Returns the step that answers; claims about words that a person took out of it are left out."""
    step = NextStep.model_validate(state["reply"])
    text = context.recorder.said(index)
    if text is None or text == step.text:
        return step
    low = text.casefold()
    return step.model_copy(
        update={
            "text": text,
            "claims": tuple(claim for claim in step.claims if claim.phrase.casefold() in low),
            "denials": tuple(denial for denial in step.denials if denial.phrase.casefold() in low),
        }
    )
