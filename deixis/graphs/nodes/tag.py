"""Tag: what is in the picture, in words."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from deixis.answer import Problem
from deixis.graphs.calls import call_tool
from deixis.graphs.context import RunContext, as_json, image_refs
from deixis.graphs.state import RunState
from deixis.tools.tagging.protocol import TagRequest, TagResult


async def tag(state: RunState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the tagging calls, one a picture."""
    context, images = runtime.context, image_refs(state)
    if not images or "tagging" not in context.toolbox.roles():
        return {}
    calls: dict[str, str] = {}
    problems: list[Problem] = []
    with context.recorder.step(1, "find", "Name what the picture shows.") as step:
        words: list[str] = []
        for index, image in enumerate(images):
            request = TagRequest(image=image)
            call, result, failed = await call_tool(context, step, "tagging", request, TagResult)
            calls[f"tag:{index}"] = call
            problems += failed
            words += [tag.label for tag in result.tags[:5]] if result else []
        step.text = f"The picture shows {', '.join(words)}." if words else "No tag is sure enough."
    return {"calls": calls, "problems": as_json(problems)}
