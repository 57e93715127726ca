"""The planner by rules: the question's kind says what to look and listen for, in which order."""

from __future__ import annotations

from deixis.graphs.planning.protocol import Call, Gating, NextStep, PlanReply, PlanRequest
from deixis.graphs.planning.rules.concluding import conclusion
from deixis.graphs.rules.questions import Question, parse
from deixis.media.refs import MediaSource

LOOKING = frozenset({"where", "presence", "count", "which", "attribute"})
LISTENING = frozenset({"hear", "sound_presence", "sound_when"})
COMPARING = frozenset({"source", "related"})


class RulesPlanner:
    """Solves the questions that rules can read; what they cannot is answered with observations."""

    name = "rules"
    version = "1"

    async def gate(self, question: str) -> Gating:
        """Returns that there are no experts."""
        return Gating()

    async def __call__(self, request: PlanRequest, media: MediaSource) -> PlanReply:
        """Returns the next step; the answer as soon as nothing is left to call."""
        question = parse(request.question)
        step = next_call(question, request)
        if step is None:
            step = await conclusion(request, media)
        return PlanReply(step=step)


def next_call(question: Question, request: PlanRequest) -> NextStep | None:
    """Returns the next step that calls something; None where all is done that the question needs."""
    first = _first(question, request)
    if first and not request.seen:
        return first
    done = {one.do for one in request.seen}
    audible = any(one.sounds for one in request.seen)
    if "match" in request.can and "match" not in done and audible and question.intent not in LISTENING:
        return NextStep(
            kind="relate", text="Compare what is seen with what is heard.", calls=(Call(do="match"),)
        )
    return None


def _first(question: Question, request: PlanRequest) -> NextStep | None:
    pictures, sounds = len(request.images), len(request.audios)
    calls: list[Call] = []
    if sounds and "hear" in request.can:
        calls += [Call(do="hear", medium=number) for number in range(1, sounds + 1)]
    if question.intent not in LISTENING:
        if "tag" in request.can:
            calls += [Call(do="tag", medium=number) for number in range(1, pictures + 1)]
        phrases = tuple(dict.fromkeys(question.phrases)) if question.intent in LOOKING else ()
        if "ground" in request.can:
            calls += [
                Call(do="ground", medium=n, phrases=phrases, everything=True) for n in range(1, pictures + 1)
            ]
    if not calls:
        return None
    return NextStep(kind="find", text="Look and listen.", calls=tuple(calls[:8]))


def rules() -> RulesPlanner:
    """Returns the planner."""
    return RulesPlanner()
