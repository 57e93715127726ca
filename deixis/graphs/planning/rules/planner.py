"""The planner by rules: the question's kind says what to look and listen for, in which order."""

from __future__ import annotations

from deixis.graphs.planning.protocol import (
    MOST_CLAIMS,
    Call,
    Gating,
    NextStep,
    PlannedKind,
    PlanReply,
    PlanRequest,
)
from deixis.graphs.planning.rules.concluding import POINTING, chosen, conclusion
from deixis.graphs.planning.rules.knowing import Known, know
from deixis.graphs.planning.rules.targets import Target, targets
from deixis.graphs.rules.questions import Question, parse
from deixis.graphs.turns.asked import Asked
from deixis.graphs.turns.pointed import speaks_of_pins, wanted
from deixis.media.refs import MediaSource
from deixis.tools.protocol import in_thread

NAMING = frozenset({"presence", "count"})
LISTENING = frozenset({"hear", "sound_presence", "sound_when"})
SURE_TAG = 0.5
"""A tag from here on that no box stands for is looked for once more, faintly."""
MOST_TAGS = 4


class RulesPlanner:
    """Solves the questions that rules can read; what they cannot is answered with observations."""

    name = "rules"
    version = "1"

    async def gate(self, question: str) -> Gating:
        """Returns that there are no experts."""
        return Gating()

    async def __call__(self, request: PlanRequest, media: MediaSource) -> PlanReply:
        """Returns the next step; the answer as soon as nothing is left to call."""
        step = await in_thread(next_step, parse(request.question), request, media)
        if step is None:
            step = await conclusion(request, media)
        return PlanReply(step=step)


def next_step(question: Question, request: PlanRequest, media: MediaSource) -> NextStep | None:
    """Returns the next step before the answer; None where all is done that the question needs."""
    asked = Asked(text=request.question, pins=request.pins)
    if speaks_of_pins(question, asked):
        return None if request.seen else _at_pins(asked, request)
    if not request.seen:
        return _first(question, request)
    known = know(request)
    for more in (_again, _named, _compared):
        step = more(question, request, known)
        if step is not None:
            return step
    return _selected(question, request, known, media)


def _first(question: Question, request: PlanRequest) -> NextStep | None:
    """Returns the first look and listen: everything that does not depend on what is found, side by side."""
    pictures, sounds = range(1, len(request.images) + 1), range(1, len(request.audios) + 1)
    calls: list[Call] = []
    if "hear" in request.can:
        calls += [Call(do="hear", medium=number) for number in sounds]
    pointed = question.intent in POINTING | NAMING
    if question.intent not in LISTENING:
        if "tag" in request.can and not pointed:
            calls += [Call(do="tag", medium=number) for number in pictures]
        if "ground" in request.can:
            phrases = sought(question)
            simple = all(target.simple for target in targets(question)) and phrases and not request.audios
            everything = not (pointed and simple)
            calls += [
                Call(do="ground", medium=number, phrases=phrases, everything=everything)
                for number in pictures
            ]
    if not calls:
        return None
    kind: PlannedKind = (
        "listen" if all(call.do == "hear" for call in calls) else "locate" if pointed else "find"
    )
    words = {
        "listen": "Listen to the sound.",
        "locate": "Look for what is asked.",
        "find": "Look and listen.",
    }
    return NextStep(kind=kind, text=words[kind], calls=tuple(calls[:8]))


def _at_pins(asked: Asked, request: PlanRequest) -> NextStep | None:
    """Returns the look for what a question points at and for all around it, and what is remembered of it."""
    if "ground" not in request.can:
        return None
    meant = {pin.media for pin in asked.pins}
    pictures = [number for number, image in enumerate(request.images, 1) if image.digest in meant]
    phrases = wanted(asked)
    calls = [Call(do="ground", medium=n, phrases=phrases, everything=True) for n in pictures]
    if any(pin.entity for pin in asked.pins):
        calls += [Call(do="recall", medium=n) for n in pictures]
    if not calls:
        return None
    return NextStep(kind="locate", text="Look at what is pointed at.", calls=tuple(calls[:8]))


def sought(question: Question) -> tuple[str, ...]:
    """Returns what a detector is asked for: the things that the question names, in the question's words."""
    if question.intent in POINTING:
        return tuple(dict.fromkeys(noun for target in targets(question) for noun in target.nouns))
    return tuple(dict.fromkeys(question.phrases)) if question.intent in NAMING else ()


def _again(question: Question, request: PlanRequest, known: Known) -> NextStep | None:
    """Returns a fainter look for what is taken to be there and has no box yet."""
    if question.intent not in POINTING or "ground" not in request.can:
        return None
    if any(one.faint for one in request.seen):
        return None
    missing = [noun for noun in sought(question) if not _has(known, noun)]
    missing = [noun for noun in missing if _absent(known, noun)]
    if not missing:
        return None
    calls = [
        Call(do="ground", medium=number, phrases=tuple(missing), faint=True)
        for number in range(1, len(request.images) + 1)
    ]
    return NextStep(kind="locate", text="Not all has a box. I look again.", calls=tuple(calls[:8]))


def _has(known: Known, noun: str) -> bool:
    return any(group.label.casefold() == noun.casefold() for group in known.facts.things)


def _absent(known: Known, noun: str) -> bool:
    return any(g.phrase.casefold() == noun.casefold() and g.reason == "absent" for g in known.facts.not_found)


def _named(question: Question, request: PlanRequest, known: Known) -> NextStep | None:
    """Returns a call of the tagger for what no detector knows, or a look for tags that have no box."""
    calls: list[Call] = []
    tagged = any(one.do == "tag" for one in request.seen)
    pictures = range(1, len(request.images) + 1)
    if question.intent in NAMING | POINTING:
        unknown = any(gone.reason == "not_covered" for gone in known.facts.not_found)
        if unknown and not tagged and "tag" in request.can:
            calls = [Call(do="tag", medium=number) for number in pictures]
            return NextStep(kind="find", text="Ask the tagger as well.", calls=tuple(calls[:8]))
        return None
    if question.intent in LISTENING or any(one.faint for one in request.seen) or "ground" not in request.can:
        return None
    sure = [
        group.label for group in known.facts.whole if group.best.value >= SURE_TAG and len(group.names) == 1
    ]
    if not sure:
        return None
    calls = [
        Call(do="ground", medium=number, phrases=tuple(sure[:MOST_TAGS]), faint=True) for number in pictures
    ]
    return NextStep(kind="locate", text="Some names have no box. I look for them.", calls=tuple(calls[:8]))


def _compared(question: Question, request: PlanRequest, known: Known) -> NextStep | None:
    """Returns the comparison of picture and sound, where both gave something."""
    done = any(one.do == "match" for one in request.seen)
    audible = any(one.sounds for one in request.seen)
    if done or not audible or "match" not in request.can or question.intent in LISTENING:
        return None
    text = "Compare what is seen with what is heard."
    # All looks count: by itself a match is of what the last one gave.
    refs = dict.fromkeys(ref for several in known.refs.values() for ref in several)
    first = sorted(refs, key=lambda ref: "~" not in ref)[:MOST_CLAIMS]
    return NextStep(kind="relate", text=text, calls=(Call(do="match", refs=tuple(first)),))


def _selected(question: Question, request: PlanRequest, known: Known, media: MediaSource) -> NextStep | None:
    """Returns the step that says which box is meant, where there is something to tell apart."""
    if question.intent not in POINTING or any(step.kind == "select" for step in request.steps):
        return None
    said: list[str] = []
    for target in targets(question):
        if target.plain or not known.facts.things:
            continue
        said.append(_why(target, known, media))
    text = " ".join(part for part in said if part)
    return NextStep(kind="select", text=text) if text else None


def _why(target: Target, known: Known, media: MediaSource) -> str:
    choice = chosen(target, known, media)
    if choice.option is None:
        return f"None of the boxes is the {target.phrase}: {choice.why}."
    ref = known.ref(choice.option.group.id, choice.option.index)
    return f"{ref} is the {target.phrase}: {choice.why}."


def rules() -> RulesPlanner:
    """Returns the planner."""
    return RulesPlanner()
