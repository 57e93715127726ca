"""Two runs side by side: which steps differ, and in what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deixis.answer import GroundedAnswer
from deixis.errors import InputFault
from deixis.graphs.planning.seen import seen
from deixis.trace import Action, Observation, Step, Trace

_DO = {
    "tagging": "tag",
    "detection": "ground",
    "segmentation": "segment",
    "hearing": "hear",
    "matching": "match",
}


@dataclass(frozen=True)
class Row:
    """A difference: where, and what each run has there ('' for nothing)."""

    place: str
    first: str
    second: str


def differences(
    first: Trace, second: Trace, answers: tuple[GroundedAnswer | None, GroundedAnswer | None] = (None, None)
) -> list[Row]:
    """Returns where two runs differ, step by step; times and ids are left out."""
    rows = list(_pairs("run", _header(first), _header(second)))
    steps = ({step.index: step for step in first.steps}, {step.index: step for step in second.steps})
    for index in sorted({*steps[0], *steps[1]}):
        one, other = steps[0].get(index), steps[1].get(index)
        rows += _pairs(f"step {index}", _step(one), _step(other))
    rows += _pairs("answer", _answer(answers[0]), _answer(answers[1]))
    return rows


def _pairs(place: str, first: dict[str, str], second: dict[str, str]) -> Iterator[Row]:
    for key in dict.fromkeys((*first, *second)):
        if first.get(key, "") != second.get(key, ""):
            yield Row(f"{place} {key}".strip(), first.get(key, ""), second.get(key, ""))


def _header(trace: Trace) -> dict[str, str]:
    record = trace.record
    return {
        "question": record.question,
        "media": ", ".join(digest[7:15] for digest in record.media),
        "profile": record.profile,
        "graph": record.graph,
        "status": record.status,
    }


def _step(step: Step | None) -> dict[str, str]:
    if step is None:
        return {}
    told = {"kind": step.kind, "words": step.text, "expert": step.expert}
    told["points"] = "; ".join(
        f"{span.phrase}: {', '.join(map(_place, (*span.boxes, *span.times))) or 'nowhere'}"
        for span in step.spans
    )
    given = {one.call: one for one in step.observations}
    for action in step.actions:
        told[f"call {action.call}"] = asked(action)
        if action.call in given:
            told[f"call {action.call} gave"] = gave(action, given[action.call])
    return told


def _place(where: Any) -> str:
    if hasattr(where, "xyxy_px"):
        return f"[{', '.join(f'{value:.0f}' for value in where.xyxy_px)}]"
    return f"{where.start_s:.2f}–{where.end_s:.2f} s"


def asked(action: Action) -> str:
    """Returns a call in words."""
    told: dict[str, Any] = action.input
    parts = [action.tool, *map(str, told.get("phrases") or ())]
    parts += ["everything"] if told.get("everything") else []
    parts += [f"{len(told['boxes'])} boxes"] if told.get("boxes") else []
    return " ".join(parts)


def gave(action: Action, observation: Observation) -> str:
    """Returns what a call gave in words."""
    by_person = ["corrected by a person"] if observation.corrected else []
    try:
        short = seen(_DO.get(action.role, "recall"), 1, action, observation)
    except ValueError:
        return "not readable"
    if short.fault:
        return short.fault
    parts = [f"#{one.number} {one.phrase} {list(one.box)}" for one in short.boxes]
    parts += [f"~{one.number} {one.label} {one.start_s:.2f}–{one.end_s:.2f} s" for one in short.sounds]
    parts += [f"^{one.number} {one.label}" for one in short.tags]
    parts += [f"no {phrase}" for phrase in (*short.absent, *short.not_covered)]
    parts += [f"{pair.sound} → {pair.thing or 'nothing'}: {pair.verdict}" for pair in short.pairs]
    parts += [f"{short.masks} masks"] if short.masks else []
    return "; ".join([*parts, *by_person]) or "nothing"


def _answer(answer: GroundedAnswer | None) -> dict[str, str]:
    if answer is None:
        return {}
    told = {"text": answer.text, "status": answer.status, "relation": answer.relation or ""}
    for entity in answer.entities:
        places = [_place(region.box or region.span) for region in entity.regions if region.box or region.span]
        marks = "" if entity.supported else " (unsupported)"
        told[entity.id] = f"{entity.label}: {', '.join(places) or 'nowhere'}{marks}"
    told["not there"] = ", ".join(gone.phrase for gone in answer.not_found)
    return told


def readable(store: Any, run: str) -> tuple[Trace, GroundedAnswer | None]:
    """Returns trace and answer of a run; an answer that is damaged counts as none.

    Raises:
        InputFault: there is no such run, or its events are damaged.
    """
    trace: Trace = store.runs.trace(run)
    try:
        return trace, store.runs.answer(trace.record.run)
    except InputFault:
        return trace, None
