"""The answer to what has been found so far, by rules: when they are done, and when a budget ends a run."""

from __future__ import annotations

from deixis.graphs.answering.answers import write
from deixis.graphs.answering.facts import absent
from deixis.graphs.planning.protocol import NextStep, PlanRequest
from deixis.graphs.planning.rules.choosing import Choice, Option, choose
from deixis.graphs.planning.rules.knowing import Known, as_step, know
from deixis.graphs.planning.rules.pointing import Sentence, say_colour, say_target
from deixis.graphs.planning.rules.targets import Target, targets
from deixis.graphs.rules.candidates import Candidate
from deixis.graphs.rules.questions import Question, parse
from deixis.graphs.rules.select import select
from deixis.graphs.turns.asked import Asked
from deixis.graphs.turns.pointed import answer_pointed, speaks_of_pins
from deixis.media.refs import MediaSource
from deixis.tools.protocol import in_thread

POINTING = frozenset({"where", "which", "attribute"})
SELECT_SIDE_PX = 640


async def conclusion(request: PlanRequest, media: MediaSource) -> NextStep:
    """Returns the step that answers with what there is; it calls nothing."""
    step: NextStep = await in_thread(_conclusion, request, media)
    return step


def _conclusion(request: PlanRequest, media: MediaSource) -> NextStep:
    question, known = parse(request.question), know(request)
    asked = Asked(text=request.question, pins=request.pins)
    if speaks_of_pins(question, asked):
        return as_step(answer_pointed(asked, known.facts, media), known)
    if question.intent in POINTING and known.facts.looked:
        step = _pointing(question, known, media)
        if step is not None:
            return step
    return as_step(write(question, known.facts), known)


def _pointing(question: Question, known: Known, media: MediaSource) -> NextStep | None:
    """Returns the answer that points; None where the pipeline's writer says it better."""
    said = Sentence()
    wanted = targets(question)
    if not wanted:
        return None
    if question.intent == "attribute":
        if question.attribute not in ("colour", "color") or len(wanted) != 1:
            return None
        return said.step() if say_colour(said, wanted[0], known, media) else None
    for target in wanted:
        choice = chosen(target, known, media)
        if target.plain and question.intent == "where" and _several(target, known):
            return None
        say_target(said, target, choice, known, media)
    return said.step()


def _several(target: Target, known: Known) -> bool:
    return any(len(g.regions) > 1 for g in known.facts.things if g.label.casefold() == target.noun.casefold())


def chosen(target: Target, known: Known, media: MediaSource) -> Choice:
    """Returns what a target means; a whole expression is matched with all boxes of the first picture."""
    if target.simple:
        return choose(target, known, media)
    facts = known.facts
    if target.expression is None or not facts.images:
        return Choice(None, why="nothing fits")
    image = facts.images[0]
    pixels = media.pixels(image, max_side=SELECT_SIDE_PX)
    scale = pixels.shape[1] / image.size.width
    offered: list[Option] = []
    candidates: list[Candidate] = []
    for group in facts.things:
        for index, region in enumerate(group.regions):
            if region.box is not None and region.media == image.digest:
                offered.append(Option(group, index, region.box, image, region.score.value))
                box = region.box.scale(scale, scale)
                candidates.append(Candidate(box=box, names=group.names, score=region.score.value))
    asked = any(option.group.asked for option in offered)
    if not asked and absent(target.expression, facts.not_found):
        return Choice(None, why="it is not there")
    for found in select(target.expression, candidates, pixels):
        if offered[found.index].group.asked or not asked:
            return Choice(offered[found.index], why=found.reason)
    return Choice(None, why="nothing fits")
