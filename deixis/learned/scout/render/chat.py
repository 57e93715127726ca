"""Samples as chat turns, in the form that chat templates of `transformers` take.

The first turn holds the media and the question. Then each step is a turn of the assistant: its calls (as
``tool_calls``), a turn of the tool for each observation, and the step's words. With ``calls=False`` the
steps follow each other in one turn, without tools; with ``steps=False`` only the answer is left.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from deixis.learned.scout.proposals import numbered
from deixis.learned.scout.render.places import Places, PlainPlaces
from deixis.learned.scout.sample import Sample
from deixis.tools.detection.protocol import GroundResult
from deixis.tools.hearing.protocol import HearResult
from deixis.tools.matching.protocol import MatchResult
from deixis.tools.tagging.protocol import TagResult
from deixis.trace import Action, Observation, Step

Turn = dict[str, Any]


def chat(
    sample: Sample, places: Places | None = None, *, calls: bool = True, steps: bool = True
) -> list[Turn]:
    """Returns the turns of a sample.

    Raises:
        InputFault: `places` cannot write the places of a step.
        pydantic.ValidationError: an observation is not of its role's form.
    """
    write = places or PlainPlaces()
    content: list[Turn] = [{"type": medium.kind} for medium in sample.media]
    turns: list[Turn] = [{"role": "user", "content": [*content, {"type": "text", "text": sample.question}]}]
    if not steps:
        return [*turns, _said(write.write(sample, sample.steps[-1]))]
    if not calls:
        said = "\n".join(f"{step.kind}: {write.write(sample, step)}" for step in sample.steps)
        return [*turns, _said(said)]
    for step in sample.steps:
        if step.actions:
            turns += _called(step)
        turns.append(_said(f"{step.kind}: {write.write(sample, step)}"))
    return turns


def _said(text: str) -> Turn:
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def _called(step: Step) -> list[Turn]:
    roles = {action.call: action.role for action in step.actions}
    called = [
        {
            "type": "function",
            "id": action.call,
            "function": {"name": action.role, "arguments": short_input(action)},
        }
        for action in step.actions
    ]
    turns: list[Turn] = [{"role": "assistant", "content": [], "tool_calls": called}]
    for seen in step.observations:
        name = roles.get(seen.call, "")
        text = short_output(name, seen)
        turns.append({"role": "tool", "tool_call_id": seen.call, "name": name, "content": text})
    return turns


def short_input(action: Action) -> dict[str, Any]:
    """Returns what a planner has to say for a call: its input without references to the media."""
    left_out = {"image", "audio", "visible", "heard", "clip", "iou", "top"}
    return {key: value for key, value in action.input.items() if key not in left_out}


def short_output(role: str, seen: Observation) -> str:
    """Returns an observation in few words: numbered boxes, labels with times, verdicts.

    Raises:
        pydantic.ValidationError: it is not of the role's form.
    """
    if seen.output is None:
        return f"failed: {(seen.fault or {}).get('message', seen.status)}"
    if role == "detection":
        return _boxes(GroundResult.model_validate(seen.output))
    if role == "tagging":
        tags = TagResult.model_validate(seen.output).tags
        return _listed([f"{tag.label} {tag.score.value:.2f}" for tag in tags])
    if role == "hearing":
        result = HearResult.model_validate(seen.output)
        return (
            "silence"
            if result.silent
            else _listed(
                [
                    f"{e.label} {e.span.start_s:.1f}-{e.span.end_s:.1f} {e.score.value:.2f}"
                    for e in result.events
                ]
            )
        )
    if role == "matching":
        pairs = MatchResult.model_validate(seen.output).pairs
        return _listed([f"{p.sound} {p.verdict}{f' {p.thing}' if p.thing else ''}" for p in pairs])
    if role == "segmentation":
        return f"{len(list(seen.output.get('masks') or ()))} masks"  # type: ignore[arg-type]
    return json.dumps(seen.output, ensure_ascii=False)


def _boxes(result: GroundResult) -> str:
    """Returns the numbered proposals with their boxes (whole pixels of the original), and what is absent."""
    rows = []
    for one in numbered(result):
        corners = ",".join(f"{value:.0f}" for value in one.box.xyxy_px)
        rows.append(f"#{one.number} {one.phrase} {one.score:.2f} ({corners})")
    rows += [f"{one.phrase}: {one.status.replace('_', ' ')}" for one in result.phrases if not one.detections]
    return _listed(rows)


def _listed(parts: Sequence[str]) -> str:
    return "; ".join(parts) or "nothing"
