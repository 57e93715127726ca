"""The planner of a run: the one in its context, or the rules."""

from __future__ import annotations

from deixis import registry
from deixis.graphs.context import RunContext
from deixis.graphs.planning.protocol import Planner


def planner_of(context: RunContext) -> Planner:
    """Returns the planner that decides the steps of this run."""
    if context.planner is None:
        context.planner = registry.planners.create("rules")
    return context.planner
