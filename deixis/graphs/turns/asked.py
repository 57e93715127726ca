"""A question as a run reads it: places instead of coordinates, things instead of pronouns."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from deixis.answer import Problem
from deixis.geometry import Box, Frozen
from deixis.media.refs import Digest


class Pin(Frozen):
    """Words of a question that mean one place: ``text[start:end] == phrase``.

    Attributes:
        phrase: the thing in the question's words, without article; ``this`` where only a place is given.
        media: the picture.
        box: in pixels of the original upright picture; a point is a box without area.
        entity: id of the entity of an earlier turn that is meant; empty for a place that the question gives.
        turn: the earlier turn, counted from 1.
    """

    phrase: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    media: Digest
    box: Box
    entity: str = ""
    turn: int = 0

    @property
    def bare(self) -> bool:
        """Returns whether the words name no thing, only the place."""
        return self.phrase.casefold() in BARE


BARE = frozenset("this that it here there thing object region area place part box spot rectangle".split())


class Asked(Frozen):
    """A question that can be read by itself.

    Attributes:
        text: the question, without coordinates and without words that point back.
        pins: places that words of `text` mean, in order.
        notes: what was read into it, in words, for the trace: ``'it' is the dog of turn 1``.
        problems: coordinates that cannot be used.
        pictures: which pictures it is about, counted from 1; empty for all.
        talk: what a turn that needs no media is: see `deixis.graphs.turns.talk`; empty for a question.
    """

    text: str
    pins: tuple[Pin, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    pictures: tuple[int, ...] = ()
    talk: str = ""


class Draft:
    """A question that is being rewritten; pins keep their places while words before them change."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pins: list[Pin] = []
        self.notes: list[str] = []

    def put(self, start: int, end: int, words: str, pin: dict[str, Any] | None = None) -> None:
        """Replaces ``text[start:end]`` by words; `pin` says which of them mean which place.

        Its ``phrase`` is what the last words of `words` are; its other fields are those of `Pin`.
        """
        shift = len(words) - (end - start)
        self.text = f"{self.text[:start]}{words}{self.text[end:]}"
        self.pins = [
            one
            if one.end <= start
            else one.model_copy(update={"start": one.start + shift, "end": one.end + shift})
            for one in self.pins
            if one.end <= start or one.start >= end
        ]
        if pin is not None:
            at = start + words.casefold().rfind(str(pin["phrase"]).casefold())
            phrase = self.text[at : at + len(pin["phrase"])]
            self.pins.append(Pin(**{**pin, "phrase": phrase}, start=at, end=at + len(phrase)))
            self.pins.sort(key=lambda one: one.start)

    def pinned(self, start: int, end: int) -> bool:
        """Returns whether a pin stands between two places of the text."""
        return any(one.start < end and one.end > start for one in self.pins)
