"""Think: the planner is asked for the next step, which is checked before anything of it happens."""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph.runtime import Runtime

from deixis.answer import Problem
from deixis.errors import DeixisError, PlannerFault
from deixis.graphs.context import RunContext, as_json
from deixis.graphs.planning.protocol import Claim, NextStep, PlanReply, PlanRequest
from deixis.graphs.recorder import OpenStep
from deixis.graphs.stepwise.findings import Findings
from deixis.graphs.stepwise.planners import planner_of
from deixis.graphs.stepwise.pointing import spans
from deixis.graphs.stepwise.requests import prepare
from deixis.graphs.stepwise.state import StepState
from deixis.graphs.stepwise.telling import told
from deixis.graphs.stepwise.view import exhausted, view


async def think(state: StepState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the next step's calls, or the step that answers, or why there is none."""
    context = runtime.context
    context.recorder.expert = state.get("expert", "none")  # type: ignore[assignment]
    request = view(context, state)
    key = str(state.get("asked", 0))
    decided = context.recorder.fact("planned", key) or {"key": key, **await _decided(context, state, request)}
    context.recorder.emit("planned", state.get("step", 0) + 1, decided)
    return changed(state, {**_done(context, state, request, decided), "asked": int(key) + 1})


async def _decided(context: RunContext, state: StepState, request: PlanRequest) -> dict[str, Any]:
    """Returns what comes next, as it is put on record: a reply, a fault, or the budget that has run out."""
    if out := exhausted(context, state):
        return {"ended": out}
    try:
        reply = await _asked(context, request)
        _check(context, state, request, reply.step)
    except DeixisError as fault:
        tokens = fault.details.get("tokens", 0)
        final = bool(fault.details.get("final")) or not isinstance(fault, PlannerFault)
        told = {"code": fault.code, "message": fault.message, "cure": fault.cure, "final": final}
        return {"fault": {**told, "tokens": tokens if isinstance(tokens, int) else 0}}
    return {"reply": reply.model_dump(mode="json", exclude_defaults=True)}


def _done(
    context: RunContext, state: StepState, request: PlanRequest, decided: dict[str, Any]
) -> dict[str, Any]:
    """Returns the update of the state that follows from what was decided."""
    if "ended" in decided:
        _close(context, state, request, "", ())
        return {"ended": decided["ended"], "reads": False, "plan": []}
    if "fault" in decided:
        return _failed(context, state, request, decided["fault"])
    reply = PlanReply.model_validate(decided["reply"])
    step = reply.step
    _close(context, state, request, step.reading, step.reading_claims)
    if reply.expert is not None:
        context.recorder.expert = reply.expert
    index = state.get("step", 0) + 1
    update: dict[str, Any] = {
        "step": index, "taken": state.get("taken", 0) + 1, "tokens": state.get("tokens", 0) + reply.tokens,
        "failures": 0, "complaint": "", "expert": context.recorder.expert,
    }  # fmt: skip
    if step.kind == "answer":
        bare = step.model_copy(update={"reading": "", "reading_claims": ()})
        return {
            **update,
            "reads": False,
            "plan": [],
            "reply": bare.model_dump(mode="json", exclude_defaults=True),
        }
    if step.calls and request.left.calls <= 0:
        return {"ended": f"{context.settings.budget.calls} tool calls", "reads": False, "plan": []}
    opened = context.recorder.open(index, step.kind, step.text)
    opened.spans = spans(state, step.text, step.claims, Findings(context), _numbers(context))
    calls = step.calls[: request.left.calls]
    if not calls:
        context.recorder.close(opened)
    plan = [
        {"call": f"{index}.{number}", **call.model_dump(mode="json", exclude_defaults=True), "do": call.do}
        for number, call in enumerate(calls, 1)
    ]
    return {**update, "reads": bool(calls), "plan": plan}


async def _asked(context: RunContext, request: PlanRequest) -> PlanReply:
    """Returns the planner's reply.

    Raises:
        PlannerFault: there is none that is one, or it took too long.
    """
    planner = planner_of(context)
    limit_s = max(0.05, min(context.settings.planner_timeout_s, request.left.seconds))
    try:
        async with asyncio.timeout(limit_s):
            reply = await planner(request, context.media)
        return reply if isinstance(reply, PlanReply) else PlanReply.model_validate(reply)
    except TimeoutError as error:
        raise PlannerFault("planner.timeout", f"{planner.name} gave no step within {limit_s:g} s.") from error
    except DeixisError:
        raise
    except Exception as error:  # a stranger's planner may raise anything; the run goes on and says so
        message = f"{planner.name} raised {type(error).__name__}: {error}"
        raise PlannerFault("planner.raised", message[:500]) from error


def _check(context: RunContext, state: StepState, request: PlanRequest, step: NextStep) -> None:
    """Passes where every call of a step can be made.

    Raises:
        PlannerFault: one cannot, and why.
    """
    possible = request.can
    for call in step.calls:
        if call.do not in possible:
            raise PlannerFault(
                "planner.call.impossible",
                f"{call.do} cannot be called in this run; these can: {', '.join(possible) or 'none'}.",
            )
        prepare(context, state, call)


def _failed(
    context: RunContext, state: StepState, request: PlanRequest, fault: dict[str, Any]
) -> dict[str, Any]:
    failures = state.get("failures", 0) + 1
    update: dict[str, Any] = {"failures": failures, "complaint": fault["message"][:500], "plan": []}
    update["tokens"] = state.get("tokens", 0) + fault["tokens"]
    if failures < context.settings.patience and not fault["final"]:
        return update
    _close(context, state, request, "", ())
    name = planner_of(context).name
    problem = Problem(code=fault["code"], message=fault["message"], tool=name, cure=fault["cure"])
    return {**update, "reads": False, "ended": "planner", "problems": as_json([problem])}


def _numbers(context: RunContext) -> bool:
    """Returns whether a number in the words (``#2``) points; not where the planner marks all that does."""
    return not getattr(planner_of(context), "marks_all", False)


def _close(
    context: RunContext, state: StepState, request: PlanRequest, reading: str, claims: tuple[Claim, ...]
) -> None:
    """Ends the open step, if there is one, with the planner's words on what its calls gave."""
    if not state.get("reads"):
        return
    index = state.get("step", 0)
    opened = context.recorder.told.get(index) or OpenStep(index, "find", "")
    if reading.strip():
        opened.text = reading.strip()
        opened.spans = spans(state, opened.text, claims, Findings(context), _numbers(context))
    elif request.steps:
        summary = told(request.steps[-1].seen)
        opened.text = " ".join(part for part in (opened.text.strip(), summary) if part)
    context.recorder.close(opened)


def changed(state: StepState, update: dict[str, Any]) -> dict[str, Any]:
    """Returns what of an update is new: every value written costs a row of the checkpoints."""
    return {
        key: value
        for key, value in update.items()
        if key == "problems" or (value != state[key] if key in state else bool(value))  # type: ignore[literal-required]
    }
