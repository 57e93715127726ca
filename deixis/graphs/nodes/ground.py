"""Ground: boxes for the phrases of the question, the tags, and all else the detector knows."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from deixis.answer import Problem
from deixis.graphs.calls import call_tool
from deixis.graphs.context import RunContext, as_json, asked_of, image_refs
from deixis.graphs.rules.questions import parse
from deixis.graphs.state import RunState
from deixis.graphs.turns.pointed import speaks_of_pins, wanted
from deixis.tools.detection.protocol import GroundRequest, GroundResult
from deixis.tools.tagging.protocol import TagResult

VISUAL = frozenset({"describe", "list", "where", "presence", "count", "which", "attribute", "open"})
"""Questions whose phrases are things to look for; the others name sounds."""

FAINT = 0.2
"""Threshold for referring expressions, which take it that the thing is there: at .2 some box covers .86 of
the things that RefCOCO's expressions mean (docs/numbers/rec-light.json, ceiling)."""


MOST_NAMES = 60
"""Tags that a detector is told."""


async def ground(state: RunState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the detection calls: all phrases of one picture in one call."""
    context, images = runtime.context, image_refs(state)
    if not images or "detection" not in context.toolbox.roles():
        return {}
    asked = asked_of(state)
    question = parse(asked.text)
    phrases = tuple(dict.fromkeys(question.phrases)) if question.intent in VISUAL else ()
    if speaks_of_pins(question, asked):
        phrases = wanted(asked)
    calls: dict[str, str] = {}
    problems: list[Problem] = []
    with context.recorder.step(3, "locate", "Find where things are.") as step:
        words: list[str] = []
        for index, image in enumerate(images):
            request = GroundRequest(
                image=image,
                phrases=phrases,
                everything=True,
                names=_tagged(state, context, index),
                threshold=FAINT if question.intent == "which" else None,
                iou=context.settings.iou,
                top=context.settings.top,
            )
            call, result, failed = await call_tool(context, step, "detection", request, GroundResult)
            calls[f"ground:{index}"] = call
            problems += failed
            if result:
                words += [f"{len(p.detections)} × {p.phrase} ({p.status})" for p in result.phrases]
                words.append(f"{len(result.everything)} boxes in all")
        step.text = f"Looked: {', '.join(words)}." if words else "Nothing could be looked for."
    return {"calls": calls, "problems": as_json(problems)}


def _tagged(state: RunState, context: RunContext, index: int) -> tuple[str, ...]:
    """Returns a picture's tags: an open vocabulary looks for these (BuboGPT, arXiv:2307.08581, 3.1)."""
    seen = context.recorder.observations.get(state.get("calls", {}).get(f"tag:{index}", ""))
    if seen is None or seen.output is None:
        return ()
    tags = TagResult.model_validate(seen.output).tags
    return tuple(dict.fromkeys(tag.label for tag in tags))[:MOST_NAMES]
