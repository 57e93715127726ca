"""What a question asks for, and the phrases it names, by rules."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deixis.geometry import Frozen
from deixis.graphs.rules.expressions import Expression, Ordinal, parse_expression

Intent = Literal[
    "describe", "list", "where", "presence", "count", "which", "hear", "sound_presence", "sound_when",
    "source", "related", "attribute", "open",
]  # fmt: skip


class Question(Frozen):
    """A question as rules read it.

    `phrases` are exact substrings of the question, without articles; `expressions` has one reading
    per phrase, or a single one where only a place is said ("what is on the left?").
    """

    text: str
    intent: Intent
    phrases: tuple[str, ...] = ()
    expressions: tuple[Expression, ...] = ()
    negated: bool = Field(default=False, description="'is there no dog', 'isn't there a dog'")
    joined: Literal["and", "or"] = Field(default="and", description="how several phrases are joined")
    attribute: str = Field(default="", description="colour, size, kind …, for the intent attribute")
    value: str = Field(default="", description="the value asked about: 'is the car red' → red")
    verb: str = Field(default="", description="stem of what is heard: 'when does the dog bark' → bark")
    false_premise: bool = Field(
        default=False, description="'could this be …', 'could this sound come from …'"
    )
    language: Literal["en", "other", "none"] = "en"

    @property
    def expression(self) -> Expression | None:
        """Returns the reading of the first phrase, or None where nothing is named."""
        return self.expressions[0] if self.expressions else None

    @property
    def ordinal(self) -> Ordinal | None:
        """Returns the asked place in a row ("second from left"), or None."""
        return self.expression.ordinal if self.expression else None

    @property
    def superlative(self) -> str:
        """Returns the asked extreme (large, small, left, front …), or an empty string."""
        said = self.expression
        if said is None:
            return ""
        if said.size and said.superlative:
            return said.size
        return next((place.side for place in said.places if place.most), "")


def parse(question: str) -> Question:
    """Returns what `question` asks for. Never raises; time is linear in its length.

    An empty question asks for a description; one that rules cannot answer has the intent ``open``.
    """
    from deixis.graphs.rules.grammar import Reading, read_question

    reading: Reading = read_question(question)
    expressions = tuple(parse_expression(text) for text in reading.expressions or reading.phrases)
    return Question(
        text=question,
        intent=reading.intent,
        phrases=tuple(reading.phrases),
        expressions=expressions,
        negated=reading.negated,
        joined=reading.joined,
        attribute=reading.attribute,
        value=reading.value,
        verb=reading.verb,
        false_premise=reading.false_premise,
        language=reading.language,
    )
