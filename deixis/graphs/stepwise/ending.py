"""Other ends of a run: a budget that is used up, and a planner that keeps failing."""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph.runtime import Runtime

from deixis.answer import GroundedAnswer
from deixis.graphs.context import RunContext
from deixis.graphs.nodes.answer import answer as compose
from deixis.graphs.nodes.ground import ground
from deixis.graphs.nodes.hear import hear
from deixis.graphs.nodes.link import link
from deixis.graphs.nodes.match import match
from deixis.graphs.nodes.segment import segment
from deixis.graphs.nodes.tag import tag
from deixis.graphs.nodes.verify import _without_masks as without_masks
from deixis.graphs.nodes.verify import verify
from deixis.graphs.planning.protocol import NextStep
from deixis.graphs.planning.rules.concluding import conclusion
from deixis.graphs.state import RunState
from deixis.graphs.stepwise.planners import planner_of
from deixis.graphs.stepwise.state import StepState
from deixis.graphs.stepwise.view import view


async def conclude(state: StepState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the answer to what was found so far, which says that the budget ended the run."""
    context = runtime.context
    request = view(context, state)
    before = context.recorder.fact("planned", "end")
    step = (
        NextStep.model_validate(before["step"])
        if before is not None
        else await conclusion(request, context.media)
    )
    told = {"key": "end", "step": step.model_dump(mode="json", exclude_defaults=True)}
    context.recorder.emit("planned", state.get("step", 0) + 1, told)
    said = f"This answer is partial: the run ended after {state['ended']}, its budget."
    step = step.model_copy(update={"text": f"{step.text.strip()} {said}".strip()})
    index = state.get("step", 0) + 1
    return {"step": index, "reply": step.model_dump(mode="json", exclude_defaults=True), "complaint": ""}


async def fall_back(state: StepState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the pipeline's answer, which says that the planner failed."""
    context = runtime.context
    context.recorder.expert = "none"
    context.recorder.shift = state.get("step", 0)
    so_far: dict[str, Any] = dict(state)
    try:
        for nodes in ((tag, hear), (ground,), (match,), (compose,), (link, segment), (verify,)):
            updates = await asyncio.gather(*(node(_as_run(so_far), runtime) for node in nodes))
            for update in updates:
                _merge(so_far, update)
    finally:
        context.recorder.shift = 0
    made = context.answer
    if made is None:
        return {}
    said = f"The planner {planner_of(context).name} failed; rules answered instead."
    made = made.model_copy(update={"text": f"{made.text.strip()} {said}".strip(), "status": "degraded"})
    context.answer = GroundedAnswer.model_validate(made.model_dump())
    return {
        "answer": without_masks(made).model_dump(mode="json", exclude_none=True),
        "step": max(context.recorder.told, default=0),
        "calls": so_far.get("calls", {}),
    }


def _as_run(state: dict[str, Any]) -> RunState:
    return state  # type: ignore[return-value]


def _merge(state: dict[str, Any], update: dict[str, Any]) -> None:
    """Adds a node's update as the graph's own channels do."""
    for key, value in update.items():
        if key == "calls":
            state[key] = {**state.get(key, {}), **value}
        elif key == "problems":
            state[key] = [*state.get(key, []), *value]
        else:
            state[key] = value
