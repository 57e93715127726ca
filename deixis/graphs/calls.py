"""One place where tools are called: timed, checked, recorded; a failure becomes a `Problem`."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any, TypeVar

from pydantic import ValidationError

from deixis.answer import Problem
from deixis.errors import DeixisError, ToolFault
from deixis.geometry import Frozen
from deixis.graphs.checks import check_output
from deixis.graphs.context import RunContext
from deixis.graphs.recorder import OpenStep
from deixis.tools.protocol import Role, Tool, in_thread
from deixis.trace import Action, Observation

Out = TypeVar("Out", bound=Frozen)


async def call_tool(
    context: RunContext,
    step: OpenStep,
    role: Role,
    request: Frozen,
    output: type[Out],
    instead: Tool | None = None,
    timeout_s: float | None = None,
) -> tuple[str, Out | None, list[Problem]]:
    """Returns the call's id, what the tool gave (None where it failed), and what went wrong.

    A tool that raises, hangs, or returns something else than `output` never ends the run. `instead`
    is called in place of the profile's tool, as a fall-back. `timeout_s` is a shorter limit than that of
    the settings.
    """
    limit_s = min(context.settings.tool_timeout_s, timeout_s or math.inf)
    name = instead.name if instead is not None else context.toolbox.name(role)
    action = context.recorder.act(step, role, name, request.model_dump(mode="json"))
    before = context.recorder.again(step, action)
    if before is not None:
        result = output.model_validate(before.output) if before.output is not None else None
        return action.call, result, problems_of(action, before)
    begun = time.monotonic()
    fault: DeixisError | None = None
    result = None
    facts: dict[str, Any] = {}
    try:
        async with asyncio.timeout(limit_s):
            tool: Tool = instead or await in_thread(context.toolbox.need, role)
            facts = {"version": tool.version, "weights_digest": tool.weights_digest}
            result = _validated(name, output, await tool(request, context.media))
        check_output(role, name, request, result)
    except TimeoutError:
        fault = ToolFault("tool.timeout", f"{name} gave no answer within {limit_s:g} s.", tool=name)
    except DeixisError as error:
        fault = error
    except Exception as error:  # a stranger's tool may raise anything; the run goes on and says so
        fault = ToolFault("tool.raised", f"{name} raised {type(error).__name__}: {error}", tool=name)
    seconds = round(time.monotonic() - begun, 4)
    if fault is not None:
        status: Any = "timeout" if fault.code == "tool.timeout" else "fault"
        observation = Observation(call=action.call, status=status, fault=fault.as_dict(), seconds=seconds)
        context.recorder.observe(step, observation)
        return action.call, None, problems_of(action, observation)
    if result is None:
        raise RuntimeError("a call ended without result and without fault")
    given = result.model_dump(mode="json")
    context.recorder.observe(
        step, Observation(call=action.call, status="ok", output=given, seconds=seconds, **facts)
    )
    return action.call, result, []


def problems_of(action: Action, observation: Observation) -> list[Problem]:
    """Returns the problem that a call ended in, as its observation tells it; none where it gave something."""
    fault: dict[str, Any] | None = observation.fault
    if fault is None:
        return []
    step = int(action.call.split(".")[0])
    code, message, cure = (str(fault.get(key, "")) for key in ("code", "message", "cure"))
    return [Problem(code=code, message=message, tool=action.tool, step=step, cure=cure)]


def _validated(name: str, output: type[Out], value: Any) -> Out:
    """Returns `value` as `output`: the object itself, or read from a mapping of the same form."""
    if isinstance(value, output):
        return value
    try:
        return output.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ToolFault(
            "tool.output.nonsense",
            f"{name} did not return a {output.__name__}: {first['msg']} at {first['loc']}.",
            tool=name,
        ) from error
