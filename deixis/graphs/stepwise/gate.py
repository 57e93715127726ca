"""Gate: which expert speaks in this run, decided once from the question."""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph.runtime import Runtime

from deixis.graphs.context import RunContext, asked_of
from deixis.graphs.planning.protocol import Gating
from deixis.graphs.stepwise.planners import planner_of
from deixis.graphs.stepwise.state import StepState


async def gate(state: StepState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the expert; where the gate cannot decide it is the frozen one, if there are two."""
    context = runtime.context
    before = context.recorder.fact("gated", None)
    decided = Gating.model_validate(before) if before is not None else await _decided(context, state)
    context.recorder.emit("gated", data=decided.model_dump(mode="json"))
    context.recorder.expert = decided.expert
    second = {} if decided.then == "none" else {"then": decided.then}
    return {"expert": decided.expert, **second}


async def _decided(context: RunContext, state: StepState) -> Gating:
    try:
        async with asyncio.timeout(context.settings.planner_timeout_s):
            return await planner_of(context).gate(asked_of(state).text)
    except Exception:  # the planner itself will fail the same way, and then the run says so
        return Gating()
