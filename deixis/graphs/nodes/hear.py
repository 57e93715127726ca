"""Hear: which sounds, from when to when."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from deixis.answer import Problem
from deixis.graphs.calls import call_tool
from deixis.graphs.context import RunContext, as_json, audio_refs
from deixis.graphs.state import RunState
from deixis.tools.hearing.protocol import HearRequest, HearResult


async def hear(state: RunState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the hearing calls, one a sound."""
    context, audios = runtime.context, audio_refs(state)
    if not audios or "hearing" not in context.toolbox.roles():
        return {}
    calls: dict[str, str] = {}
    problems: list[Problem] = []
    with context.recorder.step(2, "listen", "Listen to the sound.") as step:
        words: list[str] = []
        for index, audio in enumerate(audios):
            request = HearRequest(audio=audio)
            call, result, failed = await call_tool(context, step, "hearing", request, HearResult)
            calls[f"hear:{index}"] = call
            problems += failed
            if result:
                words += [f"{e.label} ({e.span.start_s:.1f}–{e.span.end_s:.1f} s)" for e in result.events]
        step.text = f"Heard: {', '.join(words)}." if words else "No sound is sure enough."
    return {"calls": calls, "problems": as_json(problems)}
