"""What a word that points back can mean: the things and sounds of earlier answers, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from deixis.answer import Entity, GroundedAnswer
from deixis.graphs.rules import lexicon as lex
from deixis.tools.words.morphology import is_plural, plural, singular
from deixis.tools.words.phrases import head_noun, strip_determiners

RELATION = re.compile(
    r"\b(?:next to|beside|near|close to|by|left of|right of|left side of|right side of|above|over|below|under"
    r"|beneath|underneath|behind|in front of|on top of|on|in|inside|around)\s+(?:the |a |an )?$",
    re.IGNORECASE,
)
"""Words behind which a question names the thing that another one stands beside."""
MOST_TURNS = 20
"""Turns back that a word can reach."""


@dataclass(frozen=True)
class Meant:
    """An entity of an earlier turn (counted from 1), and which of its regions are meant."""

    entity: Entity
    turn: int
    regions: tuple[int, ...]

    @property
    def noun(self) -> str:
        """Returns what the thing is called: one word or a few, without article."""
        if self.entity.kind == "sound":
            return spoken(self.entity.label.partition(",")[0]).casefold()
        return spoken(self.entity.label, len(self.regions))

    def one(self, index: int) -> Meant:
        """Returns the same with one of its regions."""
        return Meant(self.entity, self.turn, (index,))


class Memory:
    """The answers of earlier turns, and what of them can still be pointed at.

    Args:
        earlier: in order.
        media: digests of the media of this turn; what lies in none of them cannot be meant.
    """

    def __init__(self, earlier: Sequence[GroundedAnswer], media: Sequence[str]) -> None:
        self.earlier = earlier
        self._media = frozenset(media)

    def things(self, turn: int) -> list[Meant]:
        """Returns what an answer names, in the order of its text, those with places in this turn's media."""
        answer = self.earlier[turn - 1]
        order = list(dict.fromkeys(one for mention in answer.mentions for one in mention.entities))
        found = [
            Meant(entity, turn, here)
            for entity in sorted(
                answer.entities, key=lambda e: order.index(e.id) if e.id in order else len(order)
            )
            if (here := tuple(i for i, region in enumerate(entity.regions) if region.media in self._media))
        ]
        return [one for one in found if not one.entity.id.startswith("tag-")] or found

    def numbered(self, number: int) -> Meant | None:
        """Returns the entity with this number, as it was shown last."""
        for turn in range(len(self.earlier), 0, -1):
            for one in self.things(turn):
                if one.entity.number == number:
                    return one
        return None

    def ranked(self, kind: str = "thing") -> list[Meant]:
        """Returns the entities of a kind, the likeliest that 'it' means first.

        Those of the latest answer that has any: what a question asked for before what it named beside it.
        """
        for turn in self._back():
            found = [one for one in self.things(turn) if one.entity.kind == kind]
            if found:
                answer = self.earlier[turn - 1]
                question = answer.read or answer.question

                def rank(one: Meant, question: str = question) -> int:
                    return 2 if named_beside(question, one) else 0 if named(question, one) else 1

                return sorted(found, key=rank)
        return []

    def several(self) -> list[Meant]:
        """Returns things of one kind of the latest answer that has several, in the order it showed them."""
        for turn in self._back():
            found = [one for one in self.things(turn) if one.entity.kind == "thing"]
            for one in found:
                if len(one.regions) > 1:
                    return [one.one(index) for index in one.regions]
            for one in found:
                alike = [other for other in found if head(other.noun) == head(one.noun)]
                if len(alike) > 1:
                    return alike
        return []

    def together(self) -> list[Meant]:
        """Returns the things of the latest answer that names two or more, in the order of its text."""
        for turn in self._back():
            found = [one for one in self.things(turn) if one.entity.kind == "thing"]
            if len(found) > 1:
                return found
        return []

    def called(self, noun: str) -> Meant | None:
        """Returns the thing that the latest answer with such a noun shows, where it is a single one."""
        wanted = head(noun)
        if is_plural(noun.rpartition(" ")[2]):
            return None
        for turn in self._back():
            found = [
                one
                for one in self.things(turn)
                if one.entity.kind == "thing" and head(one.noun) == wanted and _fits(noun, one.noun)
            ]
            if found:
                return found[0] if len(found) == 1 and len(found[0].regions) == 1 else None
        return None

    def _back(self) -> range:
        last = len(self.earlier)
        return range(last, max(0, last - MOST_TURNS), -1)


def spoken(label: str, count: int = 1) -> str:
    """Returns a label as it is said of `count` things, without article: 'dog', 'dogs', 'man with a hat'."""
    bare = strip_determiners(label) or label
    first, _, last = bare.rpartition(" ")
    if last.casefold() != head_noun(bare).casefold():
        return bare
    word = plural(singular(last)) if count > 1 else singular(last)
    return f"{first} {word}".strip()


def head(phrase: str) -> str:
    """Returns the head noun in the singular and in lower case, for comparing."""
    return singular(head_noun(phrase).casefold())


def _fits(said: str, noun: str) -> bool:
    """Returns whether everything that is said of a thing is part of what it was called: 'red car', 'car'."""
    have = {singular(word) for word in noun.casefold().split()}
    return all(singular(word) in have for word in strip_determiners(said).casefold().split())


def named(question: str, one: Meant) -> bool:
    """Returns whether a question names the thing."""
    return head(one.noun) in {singular(word) for word in re.findall(r"\w+", question.casefold())}


def named_beside(question: str, one: Meant) -> bool:
    """Returns whether a question asks what or who stands beside the thing."""
    if not re.match(r"\W*(?:what|who|which)\b", question, re.IGNORECASE):
        return False
    for hit in re.finditer(r"\w+", question):
        if singular(hit[0].casefold()) == head(one.noun) and RELATION.search(question[: hit.start()]):
            return True
    return False


def person(one: Meant) -> bool:
    """Returns whether 'he' or 'she' can mean it."""
    return head(one.noun) in lex.PERSONS
