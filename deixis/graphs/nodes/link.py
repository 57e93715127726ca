"""Link: which words of the answer mean which entity."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from deixis import registry
from deixis.graphs.answering.draft import Draft
from deixis.graphs.answering.facts import gather
from deixis.graphs.calls import call_tool
from deixis.graphs.context import RunContext, as_json
from deixis.graphs.state import RunState
from deixis.tools.linking.protocol import Linkable, LinkRequest, LinkResult


async def link(state: RunState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the linking call; none where the answer speaks of nothing seen (BuboGPT row B02)."""
    context = runtime.context
    draft = Draft.model_validate(state["draft"])
    facts = gather(context, state)
    groups = [group for group in map(facts.group, draft.groups) if group is not None]
    seen = [group for group in groups if group.kind == "thing"]
    if not seen or "linking" not in context.toolbox.roles():
        return {}
    with context.recorder.step(6, "link", "Tie the words to what was seen.") as step:
        request = LinkRequest(
            text=draft.text,
            labels=tuple(Linkable(id=group.id, label=group.label, kind=group.kind) for group in groups),
        )
        call, result, problems = await call_tool(context, step, "linking", request, LinkResult)
        if result is None and context.toolbox.name("linking") != "linking/rules":
            # A linker that asks somebody else may be out of reach (BuboGPT row B18); rules always work.
            rules = registry.tools.create("linking/rules")
            call, result, more = await call_tool(context, step, "linking", request, LinkResult, rules)
            problems += more
        if result is not None:
            words = [f"{link.phrase} → {link.id}" for link in result.links]
            step.text = f"Linked: {', '.join(words)}." if words else "No phrase names what was seen."
    return {"calls": {"link": call}, "problems": as_json(problems)}
