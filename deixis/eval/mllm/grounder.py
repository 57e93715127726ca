"""The composition without training: the frozen MLLM speaks, a grounder behind the switch points by rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from deixis.eval.mllm import wording
from deixis.eval.mllm.data import POINTED, Ask
from deixis.eval.mllm.talking import PLAIN, Reply, Way
from deixis.geometry import Box
from deixis.graphs.rules.candidates import merge
from deixis.graphs.rules.expressions import Expression
from deixis.graphs.rules.questions import parse
from deixis.graphs.rules.select import select
from deixis.learned.scout.proposals import Proposal, numbered
from deixis.tools.detection.protocol import GroundResult
from deixis.trace import Action, Span

if TYPE_CHECKING:
    from deixis.eval.mllm.media import Host
    from deixis.eval.mllm.systems import Expert


class External:
    """Answers what asks for regions.

    Expressions are read by the rules of `deixis ask`, their nouns are given to the detector, and the rules
    pick among its boxes. Everything else the frozen MLLM answers in words, and what a description names is
    boxed by the detector.
    """

    key = "external"

    def __init__(self, host: Host, frozen: Expert) -> None:
        self._host, self._frozen = host, frozen

    def replies(
        self,
        asks: Sequence[Ask],
        way: Way,
        told: Callable[[int], None] = lambda done: None,
        logits: bool = False,
    ) -> list[Reply]:
        """Returns the replies, in order."""
        pointed = {number for number, ask in enumerate(asks) if ask.group in (*POINTED, "absent")}
        spoken = [ask for number, ask in enumerate(asks) if number not in pointed]
        words = iter(self._frozen.replies(spoken, PLAIN, told, logits))
        found = []
        for number, ask in enumerate(asks):
            found.append(self.pointed(ask) if number in pointed else self._captioned(ask, next(words)))
            told(number + 1)
        return found

    def pointed(self, ask: Ask) -> Reply:
        """Returns the reply to a question for one thing."""
        expression = parse(ask.question).expression
        if expression is None:
            return Reply("I cannot tell what is meant.", whole=True)
        offer = self._boxes(ask, tuple(dict.fromkeys(_nouns(expression))))
        noun = expression.noun or expression.text
        candidates = merge([(one.box, one.phrase, one.score) for one in offer])
        fitting = any(noun in one.names for one in candidates)
        choices = select(expression, candidates, self._host.pixels(ask.media)) if fitting else []
        if not choices:
            return Reply(f"There is no {noun}.", whole=True, offered=tuple(offer))
        box = candidates[choices[0].index].box
        text = f"The {noun} is here."
        return Reply(text, (_span(text, noun, 4, (box,)),), True, offered=tuple(offer))

    def _captioned(self, ask: Ask, reply: Reply) -> Reply:
        """Returns the reply with boxes for what a description names."""
        names = wording.all_of(reply.text, "things") if ask.group == "caption" else []
        if not names:
            return reply
        offer = self._boxes(ask, tuple(names))
        spans = []
        for name in names:
            boxes = tuple(one.box for one in offer if one.phrase == name)
            if boxes:
                spans.append(Span(start=0, end=len(name), phrase=name, boxes=boxes))
        return replace(reply, spans=tuple(spans), offered=tuple(offer))

    def _boxes(self, ask: Ask, phrases: tuple[str, ...]) -> tuple[Proposal, ...]:
        """Returns the boxes of the phrases; where one has none, those of a second, fainter look."""
        action = Action(call="0.1", role="detection", tool="", input={"phrases": list(phrases)})
        offer: tuple[Proposal, ...] = ()
        for before in ((), (action,)):
            seen = self._host.run(action, ask.media, before)
            output: Any = seen.output
            if output is not None:
                offer = numbered(GroundResult.model_validate(output))
            if {one.phrase for one in offer} >= set(phrases):
                break
        return offer


def _nouns(expression: Expression) -> list[str]:
    """Returns what an expression names: the thing meant, and those that it is told apart by."""
    own = [expression.noun or expression.text]
    for one in expression.related:
        own += _nouns(one.target)
    return own


def _span(text: str, phrase: str, start: int, boxes: tuple[Box, ...]) -> Span:
    return Span(start=start, end=start + len(phrase), phrase=phrase, boxes=boxes)
