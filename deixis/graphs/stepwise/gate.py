"""Gate: which expert speaks in this run, decided once from the question."""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph.runtime import Runtime

from deixis.graphs.context import RunContext
from deixis.graphs.planning.protocol import Gating
from deixis.graphs.stepwise.planners import planner_of
from deixis.graphs.stepwise.state import StepState


async def gate(state: StepState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the expert; where the gate cannot decide it is the frozen one, if there are two."""
    context = runtime.context
    try:
        async with asyncio.timeout(context.settings.planner_timeout_s):
            decided = await planner_of(context).gate(state.get("question", ""))
    except Exception:  # the planner itself will fail the same way, and then the run says so
        decided = Gating()
    context.recorder.expert = decided.expert
    return {"expert": decided.expert}
