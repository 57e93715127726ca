"""Match: which visible thing makes which sound."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from deixis.graphs.answering.facts import Facts, gather, sound_event
from deixis.graphs.calls import call_tool
from deixis.graphs.context import RunContext, as_json, audio_refs, image_refs
from deixis.graphs.state import RunState
from deixis.tools.matching.protocol import Heard, MatchRequest, MatchResult, Visible


async def match(state: RunState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the matching call, where there are both a picture and a sound."""
    context, images, audios = runtime.context, image_refs(state), audio_refs(state)
    if not images or not audios or "matching" not in context.toolbox.roles():
        return {}
    facts = gather(context, state)
    if not facts.heard:
        return {}
    with context.recorder.step(4, "relate", "Compare what is seen with what is heard.") as step:
        request = MatchRequest(
            visible=_visible(facts),
            heard=tuple(
                Heard(id=group.id, event=sound_event(context, state, group)) for group in facts.sounds
            ),
            clip=tuple(facts.clip),
            silent=facts.silent,
            image=images[0],
            audio=audios[0],
        )
        call, result, problems = await call_tool(context, step, "matching", request, MatchResult)
        if result is not None:
            step.text = f"Picture and sound: {result.overall}. {result.reason}".strip()
    return {"calls": {"match": call}, "problems": as_json(problems)}


def _visible(facts: Facts) -> tuple[Visible, ...]:
    """Returns the groups of boxes, and then the tags, which speak of the picture as a whole."""
    boxed = [
        Visible(
            id=group.id,
            names=tuple(dict.fromkeys((group.label, *group.names))),
            score=group.best,
            box=max(group.regions, key=lambda region: region.score.value).box,
        )
        for group in facts.things
    ]
    tagged = [
        Visible(id=f"tag-{number}", names=(tag.label, *tag.kinds), score=tag.score, source="tagger")
        for number, tag in enumerate(facts.tags, 1)
    ]
    return (*boxed, *tagged)
