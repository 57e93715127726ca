"""A planner that says what it was told to: for tests and documents, and to see what a run survives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from deixis.errors import PlannerFault
from deixis.graphs.planning.protocol import Gating, NextStep, PlanReply, PlanRequest
from deixis.media.refs import MediaSource
from deixis.trace import Expert

Line = Any
"""A `NextStep`, a mapping of its form, an exception to raise, or a function from the request to one."""


class ScriptedPlanner:
    """Gives the lines of a script in order, one a request; the last one again when they are used up.

    It counts its requests, so one instance serves one run.
    """

    name = "scripted"
    version = "1"

    def __init__(
        self,
        steps: Sequence[Line],
        delay_s: float = 0.0,
        tokens: int = 0,
        expert: Expert = "none",
        then: Expert = "none",
    ) -> None:
        self._steps = list(steps)
        self._delay_s = delay_s
        self._tokens = tokens
        self._gating = Gating(expert=expert, then=then, reason="by the script")
        self.requests: list[PlanRequest] = []

    async def gate(self, question: str) -> Gating:
        """Returns the experts of the script."""
        return self._gating

    async def __call__(self, request: PlanRequest, media: MediaSource) -> PlanReply:
        """Returns the next line.

        Raises:
            PlannerFault: the script is empty, or says so.
        """
        self.requests.append(request)
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        if not self._steps:
            raise PlannerFault("planner.scripted", "The script is empty.")
        line = self._steps[min(len(self.requests), len(self._steps)) - 1]
        if callable(line) and not isinstance(line, type):
            line = _called(line, request)
        if isinstance(line, Exception):
            raise line
        return PlanReply(step=NextStep.model_validate(line), tokens=self._tokens)


def _called(line: Callable[[PlanRequest], Line], request: PlanRequest) -> Line:
    return line(request)


def scripted(steps: Sequence[Line] = (), **options: Any) -> ScriptedPlanner:
    """Returns a planner with this script."""
    return ScriptedPlanner(steps, **options)
