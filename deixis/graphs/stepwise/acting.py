"""The calls of a step: side by side, a repeated one served from the record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from langgraph.runtime import Runtime

from deixis.answer import Problem
from deixis.errors import DeixisError, PlannerFault, ToolFault
from deixis.geometry import Frozen
from deixis.graphs.calls import call_tool, problems_of
from deixis.graphs.context import RunContext, as_json
from deixis.graphs.planning.protocol import Call, Do
from deixis.graphs.recorder import OpenStep
from deixis.graphs.stepwise.closer import Closer
from deixis.graphs.stepwise.recalling import recalled
from deixis.graphs.stepwise.requests import Prepared, prepare
from deixis.graphs.stepwise.state import StepState
from deixis.graphs.stepwise.view import ROLE_OF, left
from deixis.tools.detection.protocol import GroundRequest, GroundResult
from deixis.tools.hearing.protocol import HearResult
from deixis.tools.matching.protocol import MatchResult
from deixis.tools.protocol import Tool, in_thread
from deixis.tools.segmentation.protocol import SegmentResult
from deixis.tools.tagging.protocol import TagResult
from deixis.trace import Action, Observation

OUTPUTS: dict[str, type[Frozen]] = {
    "tag": TagResult, "ground": GroundResult, "look": GroundResult, "segment": SegmentResult,
    "hear": HearResult, "match": MatchResult,
}  # fmt: skip
LEAST_LIMIT_S = 0.05
"""Seconds that a call is given at least, however late it is."""

Node = Callable[[StepState, Runtime[RunContext]], Awaitable[dict[str, Any]]]


def acting(do: Do) -> Node:
    """Returns the node that makes the open step's calls of one kind."""

    async def act(state: StepState, runtime: Runtime[RunContext]) -> dict[str, Any]:
        planned = [task for task in state.get("plan", []) if task["do"] == do]
        made = await asyncio.gather(*(_made(runtime.context, state, task) for task in planned))
        found = as_json([problem for problems, _ in made for problem in problems])
        again = {task["call"]: list(again) for task, (_, again) in zip(planned, made, strict=True) if again}
        return {**({"problems": found} if found else {}), **({"again": again} if again else {})}

    act.__name__ = do
    return act


async def _made(
    context: RunContext, state: StepState, task: dict[str, Any]
) -> tuple[list[Problem], tuple[str, ...]]:
    """Makes one call and returns its problems, and the phrases that were not tried again."""
    call_id = task["call"]
    call = Call.model_validate({key: value for key, value in task.items() if key != "call"})
    if call_id in context.recorder.observations:  # it was made before the process was ended
        action = context.recorder.actions[call_id]
        return problems_of(action, context.recorder.observations[call_id]), _left_out(call, action)
    index, number = (int(part) for part in call_id.split("."))
    opened = context.recorder.told.get(index) or OpenStep(index, "find", "")
    step = replace(opened, calls=number - 1)
    if context.recorder.fact("observation", call_id) is not None:
        return _again(context, step, call, call_id)
    try:
        prepared = prepare(context, state, call)
    except PlannerFault as fault:  # what it speaks of has not come about: an earlier call failed
        return [_refused(context, step, call, fault)], ()
    if call.do == "recall":
        _remembered(context, step, prepared)
        return [], ()
    role: Any = ROLE_OF[call.do]
    earlier = None if _nothing_left(prepared) else _same(context, role, prepared.request)
    if _nothing_left(prepared):
        nothing = Observation(call="", status="cached", output={"phrases": [], "everything": []})
        _serve(context, step, role, prepared.request, nothing)
        return [], prepared.again
    if earlier is not None:
        _serve(context, step, role, prepared.request, context.recorder.observations[earlier.call])
        return [], prepared.again
    limit_s = max(LEAST_LIMIT_S, left(context, state).seconds)
    try:
        instead = await _closer(context, limit_s) if call.do == "look" else None
    except DeixisError as error:
        return [_refused(context, step, call, error)], ()
    except TimeoutError:
        late = ToolFault("tool.timeout", f"{context.toolbox.name(role)} took too long to be made ready.")
        return [_refused(context, step, call, late)], ()
    output = OUTPUTS[call.do]
    _, _, problems = await call_tool(context, step, role, prepared.request, output, instead, limit_s)
    return problems, prepared.again


def _nothing_left(prepared: Prepared) -> bool:
    request = prepared.request
    return isinstance(request, GroundRequest) and not request.phrases and not request.everything


async def _closer(context: RunContext, limit_s: float) -> Tool:
    async with asyncio.timeout(min(limit_s, context.settings.tool_timeout_s)):
        return Closer(await in_thread(context.toolbox.need, "detection"))


def _same(context: RunContext, role: str, request: Frozen) -> Action | None:
    """Returns an earlier call of the same request that gave something."""
    wanted = json.dumps(request.model_dump(mode="json"), sort_keys=True)
    for action in context.recorder.actions.values():
        observation = context.recorder.observations.get(action.call)
        answered = observation is not None and observation.output is not None
        if action.role == role and answered and json.dumps(action.input, sort_keys=True) == wanted:
            return action
    return None


def _serve(context: RunContext, step: OpenStep, role: Any, request: Frozen, given: Observation) -> None:
    """Puts a call on record that is answered from the record."""
    action = context.recorder.act(step, role, context.toolbox.name(role), request.model_dump(mode="json"))
    served = given.model_copy(update={"call": action.call, "status": "cached", "seconds": 0.0})
    context.recorder.observe(step, served)


def _again(
    context: RunContext, step: OpenStep, call: Call, call_id: str
) -> tuple[list[Problem], tuple[str, ...]]:
    """Takes a call over from the record: what was asked, and what it gave."""
    told = Action.model_validate(context.recorder.fact("action", call_id))
    action = context.recorder.act(step, told.role, told.tool, told.input)
    seen = context.recorder.again(step, action)
    return (problems_of(action, seen) if seen is not None else []), _left_out(call, action)


def _left_out(call: Call, action: Action) -> tuple[str, ...]:
    """Returns the phrases of a call that were not asked for, because they had given nothing before."""
    asked: Any = action.input.get("phrases")
    if call.do not in ("ground", "look") or not isinstance(asked, list):
        return ()
    return tuple(dict.fromkeys(phrase for phrase in call.phrases if phrase.strip() and phrase not in asked))


def _remembered(context: RunContext, step: OpenStep, prepared: Prepared) -> None:
    action = context.recorder.act(step, "recall", "record", prepared.request.model_dump(mode="json"))
    output = recalled(context, prepared.request)
    context.recorder.observe(step, Observation(call=action.call, status="cached", output=output))


def _refused(context: RunContext, step: OpenStep, call: Call, fault: DeixisError) -> Problem:
    """Puts on record that a call could not be made, and returns the problem."""
    role: Any = ROLE_OF[call.do]
    name = context.toolbox.name(role) if role in context.toolbox.roles() else "record"
    asked = call.model_dump(mode="json", exclude_defaults=True)
    action = context.recorder.act(step, role, name, {"refused": asked})
    observation = Observation(call=action.call, status="fault", fault=fault.as_dict())
    context.recorder.observe(step, observation)
    return problems_of(action, observation)[0]
