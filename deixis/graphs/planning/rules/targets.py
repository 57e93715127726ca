"""What a question points at: the thing, what singles it out, the other thing that it stands beside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from deixis.graphs.rules import lexicon as lex
from deixis.graphs.rules.expressions import Expression, parse_expression
from deixis.graphs.rules.questions import Question
from deixis.tools.words.phrases import strip_determiners

Side = Literal["left of", "right of", "above", "below"]
_SIDES: dict[str, Side] = {
    "left of": "left of", "right of": "right of", "above": "above", "over": "above", "below": "below",
    "under": "below", "beneath": "below", "underneath": "below",
}  # fmt: skip
_BESIDE = re.compile(
    r"^(?P<thing>.+?)(?: (?:that|which|who) (?:is|are))?(?: (?:standing|sitting|lying|located))?"
    rf" (?:(?:to|on) the )?(?P<side>{'|'.join(_SIDES)}) (?:the |a |an )?(?P<other>.+)$",
    re.IGNORECASE,
)
ENDS: dict[str, tuple[int, int]] = {
    "leftmost": (0, 1), "rightmost": (0, -1), "topmost": (1, 1), "highest": (1, 1), "uppermost": (1, 1),
    "lowest": (1, -1), "bottommost": (1, -1), "lowermost": (1, -1),
}  # fmt: skip
"""Words for the outermost of a row: the axis of the middles, and the sign that puts it first."""
SIZES = {"small": "small", "little": "small", "tiny": "small", "big": "big", "large": "big", "huge": "big"}
_MOST_SIZES = {"smallest": "small", "largest": "big", "biggest": "big"}


@dataclass(frozen=True)
class Target:
    """One thing that is pointed at.

    `noun` is what a detector is asked for. `simple` tells that the other fields say all that `phrase` does;
    else `expression` has to be matched as a whole.
    """

    phrase: str
    noun: str
    colour: str = ""
    size: str = ""
    most: bool = False
    end: str = ""
    side: Side | None = None
    other: str = ""
    simple: bool = True
    expression: Expression | None = None

    @property
    def plain(self) -> bool:
        """Returns whether only a kind of thing is named."""
        return self.simple and not (self.colour or self.size or self.end or self.side)

    @property
    def nouns(self) -> tuple[str, ...]:
        """Returns what to look for: the thing, and the other one."""
        return tuple(noun for noun in (self.noun, self.other) if noun)


def targets(question: Question) -> tuple[Target, ...]:
    """Returns what the question points at, in order; nothing where it names no thing."""
    said = [expression.text for expression in question.expressions] or list(question.phrases)
    return tuple(target(phrase) for phrase in said if phrase.strip())


def target(phrase: str) -> Target:
    """Returns a phrase taken apart."""
    words = strip_determiners(re.sub(r"^(?:one )?(?:is|are) ", "", phrase.strip()))
    beside = _BESIDE.match(words)
    if beside is not None and not re.search(r"\b(?:left|right)$", beside["thing"], re.IGNORECASE):
        first, other = _single(beside["thing"]), _single(strip_determiners(beside["other"]))
        if first.simple and other.plain:
            side = _SIDES[beside["side"].casefold()]
            return Target(words, first.noun, first.colour, first.size, side=side, other=other.noun)
    return _single(words)


def _single(words: str) -> Target:
    expression = parse_expression(words)
    parts = words.split()
    first = parts[0].casefold() if len(parts) > 1 else ""
    rest = " ".join(parts[1:])
    if first in ENDS and _is_noun(rest):
        return Target(words, rest, end=first)
    if (first in SIZES or first in _MOST_SIZES) and _is_noun(rest):
        return Target(words, rest, size=SIZES.get(first) or _MOST_SIZES[first], most=first in _MOST_SIZES)
    if first in lex.COLOURS and _is_noun(rest):
        return Target(words, rest, colour=lex.COLOURS[first])
    if _is_noun(words):
        return Target(words, words)
    noun = expression.noun or words
    return Target(words, noun, simple=False, expression=expression)


def _is_noun(words: str) -> bool:
    """Returns whether nothing but a kind of thing is said, its name in however many words."""
    said = parse_expression(words)
    tokens = words.casefold().split()
    if not tokens or set(tokens) & {
        "in",
        "on",
        "with",
        "wearing",
        "holding",
        "at",
        "near",
        "between",
        "behind",
    }:
        return False
    marked = said.colours or said.places or said.ordinal or said.cut_off or said.related or said.excluded
    # A garment alone ('t-shirt') is a thing; with a person beside it, it is what the person wears.
    worn = [one for one in said.worn if one.colour]
    return not marked and not worn
