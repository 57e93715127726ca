"""Answer: the facts put into words by rules."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from deixis.graphs.answering.answers import write
from deixis.graphs.answering.draft import Draft
from deixis.graphs.answering.facts import Facts, Group, absent, gather
from deixis.graphs.context import RunContext, asked_of
from deixis.graphs.rules.candidates import Candidate
from deixis.graphs.rules.questions import Question, parse
from deixis.graphs.rules.select import select
from deixis.graphs.state import RunState
from deixis.graphs.turns.asked import Asked
from deixis.graphs.turns.pointed import answer_pointed, speaks_of_pins
from deixis.tools.protocol import in_thread

SELECT_SIDE_PX = 640
"""Colours of clothes and fruit are told well at this size."""


async def answer(state: RunState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the draft of the answer."""
    context = runtime.context
    asked = asked_of(state)
    with context.recorder.step(5, "answer", "Put it into words.") as step:
        before = context.recorder.fact("planned", "draft")
        if before is not None:
            draft = Draft.model_validate(before["draft"])
        else:
            draft = await _written(asked, gather(context, state), context)
        told = {"key": "draft", "draft": draft.model_dump(mode="json")}
        context.recorder.emit("planned", step.index, told)
        step.text = draft.text
    return {"draft": draft.model_dump(mode="json")}


async def _written(asked: Asked, facts: Facts, context: RunContext) -> Draft:
    question = parse(asked.text)
    if speaks_of_pins(question, asked):
        draft: Draft = await in_thread(answer_pointed, asked, facts, context.media)
        return draft
    if question.intent == "which" or (question.intent == "where" and _singles_out(question)):
        facts.choice = await in_thread(choose, question, facts, context)
    return write(question, facts)


def _singles_out(question: Question) -> bool:
    """Returns whether the words single one thing out by its place, order or size: 'the dog on the left'."""
    said = question.expression
    return said is not None and bool(said.places or said.ordinal or said.superlative) and not said.plural


def choose(question: Question, facts: Facts, context: RunContext) -> tuple[Group, int] | None:
    """Returns the region that the question's expression picks; None where nothing fits.

    Candidates are the boxes of the phrases that were asked for; the relations of the expression are
    told with all other boxes of the picture.
    """
    if question.expression is None or not facts.images:
        return None
    image = facts.images[0]
    pixels = context.media.pixels(image, max_side=SELECT_SIDE_PX)
    scale = pixels.shape[1] / image.size.width
    owners: list[tuple[Group, int]] = []
    candidates: list[Candidate] = []
    for group in facts.things:
        for index, region in enumerate(group.regions):
            if region.box is not None and region.media == image.digest:
                owners.append((group, index))
                box = region.box.scale(scale, scale)
                candidates.append(Candidate(box=box, names=group.names, score=region.score.value))
    asked = any(group.asked for group, _ in owners)
    if not asked and absent(question.expression, facts.not_found):
        return None
    for choice in select(question.expression, candidates, pixels):
        group, index = owners[choice.index]
        if group.asked or not asked:
            return group, index
    return None
