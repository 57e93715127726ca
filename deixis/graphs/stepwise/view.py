"""What the planner sees of a run: made anew from the record each time, so nothing of it is stored twice."""

from __future__ import annotations

from typing import Any, cast

from deixis.graphs.context import RunContext, asked_of, audio_refs, image_refs
from deixis.graphs.planning.protocol import Budget, Do, Medium, PastStep, PastTurn, PlanRequest
from deixis.graphs.planning.seen import Seen, clean, seen
from deixis.graphs.stepwise.state import StepState
from deixis.trace import Action, Expert, Step

ROLE_OF: dict[str, str] = {
    "tag": "tagging", "ground": "detection", "segment": "segmentation", "hear": "hearing",
    "look": "detection", "match": "matching", "recall": "recall",
}  # fmt: skip
_DO_OF = {"tagging": "tag", "segmentation": "segment", "hearing": "hear", "matching": "match"}
MOST_TURNS, MOST_THINGS = 6, 12
"""Turns, and entities of each, that a planner is told of; `recall` remembers all."""
_SHOWN = frozenset({"find", "locate", "outline", "listen", "relate", "select", "answer", "verify"})


def view(context: RunContext, state: StepState) -> PlanRequest:
    """Returns the planner's request."""
    images, audios = image_refs(state), audio_refs(state)
    asked, said = asked_of(state), state.get("question", "")
    media = [Medium(number=number, ref=ref) for number, ref in enumerate(images, 1)]
    media += [Medium(number=number, ref=ref) for number, ref in enumerate(audios, 1)]
    trace = tuple(step for step in context.recorder.trace(state.get("step", 0) + 1) if step.index > 0)
    reads = bool(state.get("reads"))
    if reads and trace:  # words that are still to be written are no words yet
        trace = (*trace[:-1], trace[-1].model_copy(update={"text": ""}))
    return PlanRequest(
        question=asked.text,
        said=said if said.strip() != asked.text.strip() else "",
        pins=asked.pins,
        turns=past_turns(context),
        media=tuple(media),
        steps=tuple(_past(context, state, step) for step in trace if step.kind in _SHOWN),
        reads=reads,
        left=left(context, state),
        can=can(context, bool(images), bool(audios)),
        complaint=state.get("complaint", ""),
        expert=cast("Expert", state.get("expert", "none")),
        trace=trace,
    )


def past_turns(context: RunContext) -> tuple[PastTurn, ...]:
    """Returns the latest turns of the conversation in the short form that planners see."""
    rows = list(enumerate(context.earlier, 1))[-MOST_TURNS:]
    return tuple(
        PastTurn(
            turn=number,
            question=clean(answer.question, 300),
            answer=clean(answer.text, 400),
            things=tuple(f"#{e.number} {clean(e.label)}" for e in answer.entities[:MOST_THINGS]),
        )
        for number, answer in rows
    )


def can(context: RunContext, images: bool, audios: bool) -> tuple[Do, ...]:
    """Returns what can be called with the tools and the media of the run."""
    roles = context.toolbox.roles()
    wanted: list[tuple[Do, bool]] = [
        ("tag", images and "tagging" in roles),
        ("ground", images and "detection" in roles),
        ("segment", images and "segmentation" in roles),
        ("hear", audios and "hearing" in roles),
        ("look", images and "detection" in roles),
        ("match", images and audios and "matching" in roles),
        ("recall", True),
    ]
    return tuple(do for do, possible in wanted if possible)


def left(context: RunContext, state: StepState) -> Budget:
    """Returns what is left of the budget; numbers that may be 0 there are, `exhausted` tells of the rest."""
    budget = context.settings.budget
    return budget.model_copy(
        update={
            "steps": budget.steps - state.get("taken", 0),
            "calls": max(0, budget.calls - calls_made(context)),
            "seconds": round(budget.seconds - context.recorder.seconds, 3),
            "tokens": budget.tokens - state.get("tokens", 0),
        }
    )


def calls_made(context: RunContext) -> int:
    """Returns how many tools have been called; what was served from the record costs nothing."""
    observations = context.recorder.observations.values()
    return sum(observation.status != "cached" for observation in observations)


def exhausted(context: RunContext, state: StepState) -> str:
    """Returns what has run out: '12 steps', '180 s' …; empty while there is something of all."""
    budget, rest = context.settings.budget, left(context, state)
    if rest.steps <= 0:
        return f"{budget.steps} {'step' if budget.steps == 1 else 'steps'}"
    if rest.seconds <= 0:
        return f"{budget.seconds:g} s"
    if rest.tokens < 0:
        return f"{budget.tokens} tokens"
    return ""


def _past(context: RunContext, state: StepState, step: Step) -> PastStep:
    again = state.get("again", {})
    given = {one.call: one for one in step.observations}
    shown = tuple(
        _seen(state, action, given[action.call], tuple(again.get(action.call, ())))
        for action in step.actions
        if action.call in given
    )
    return PastStep(index=step.index, kind=step.kind, text=clean(step.text, 2000), seen=shown)


def _seen(state: StepState, action: Action, observation: Any, again: tuple[str, ...]) -> Seen:
    do = _DO_OF.get(action.role, "recall")
    if action.role == "detection":
        do = "look" if action.input.get("part") else "ground"
    medium: Any = action.input.get("image") or action.input.get("audio") or {}
    refs = [*state.get("images", [])] if "image" in action.input else [*state.get("audios", [])]
    number = next((n for n, ref in enumerate(refs, 1) if ref["digest"] == medium.get("digest")), 1)
    return seen(do, number, action, observation, again)
