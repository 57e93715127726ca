"""The looking that tasks share: boxes for phrases, a second and fainter look, proposals read and chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from deixis.geometry import Box
from deixis.learned.scout.proposals import MOST, Proposal, numbered
from deixis.learned.scout.sample import Absence
from deixis.learned.scout.tape import OpenStep, Tape, Words
from deixis.learned.scout.wording import indefinite, joined
from deixis.learned.scout.world.imagined import FAINT
from deixis.learned.scout.world.known import Known
from deixis.tools.detection.protocol import GroundRequest, GroundResult

Rng = np.random.Generator
OFFERED = 0.05
"""Score from which boxes of everything are offered for choosing. On scenes of validation seeds (from 960000
on) the ten best hold the thing meant no more often from a lower score, and less often from .1."""


@dataclass(frozen=True)
class Draft:
    """What a task came to, beside its steps."""

    task: str
    question: str
    value: str = ""
    absence: Absence = ""


class Option(NamedTuple):
    """Something that a task may ask about: what it is asked by, and what its writer needs to know."""

    key: str
    facts: tuple[Any, ...] = ()


Write = Callable[[Known, Tape, Rng, Option], Draft]
Options = Callable[[Known, "Rng | None"], list[Option]]


@dataclass(frozen=True)
class Task:
    """A kind of question: what it may ask about (everything, or a choice by `rng`), and how it is written."""

    options: Options
    write: Write


@dataclass
class Look:
    """What the last look gave: the proposals and the thing that each is, or None."""

    step: OpenStep
    proposals: tuple[Proposal, ...]
    things: list[int | None]

    def number(self, thing: int) -> int | None:
        """Returns the number of the proposal that is `thing`; None where it has none."""
        return self.things.index(thing) + 1 if thing in self.things else None

    def numbers(self, things: Iterable[int]) -> list[int]:
        """Returns the numbers of the proposals of `things`, rising."""
        return sorted(number for thing in things if (number := self.number(thing)) is not None)


def any_of(rng: Rng, several: Sequence[str]) -> str:
    """Returns one of several texts."""
    return several[int(rng.integers(len(several)))]


def chance(rng: Rng, share: float) -> bool:
    """Returns True with this probability."""
    return bool(rng.random() < share)


def look(
    tape: Tape,
    known: Known,
    phrases: Sequence[str],
    wanted: Sequence[int],
    rng: Rng,
    *,
    everything: bool = False,
    offer: bool = False,
) -> Look:
    """Returns what a grounder proposes for the phrases.

    Where something wanted is not among the proposals a second step looks more faintly. The last step's words
    are still to be written. With `offer` some ask for everything at once instead, as faint as `OFFERED`.
    """
    offered = offer and known.offered > 0 and chance(rng, known.offered)
    if offered:
        phrases, everything = (), True
    step, result = _looked(tape, known, phrases, everything, OFFERED if offered else None)
    found = _look(step, result, known)
    if not offered and result is not None and set(wanted) - set(found.things):
        step.words.say(
            any_of(rng, ("Something has no box. I look again.", "Not all is boxed. I look closer."))
        )
        again, second = _looked(tape, known, phrases, everything, FAINT)
        found = (
            _look(again, second, known) if second is not None else Look(again, found.proposals, found.things)
        )
    return found


def _looked(
    tape: Tape, known: Known, phrases: Sequence[str], everything: bool, threshold: float | None
) -> tuple[OpenStep, GroundResult | None]:
    step = tape.step("locate")
    request = GroundRequest(
        image=known.image.image,
        phrases=tuple(dict.fromkeys(phrases)),
        everything=everything,
        threshold=threshold,
        top=MOST,
    )
    return step, tape.call(step, "detection", request, GroundResult)


def _look(step: OpenStep, result: GroundResult | None, known: Known) -> Look:
    proposals = numbered(result) if result is not None else ()
    return Look(step, proposals, known.fitting(proposals))


def read_out(found: Look, known: Known, names: dict[int, str], rng: Rng, denied: str = "") -> None:
    """Writes what each proposal is: '#1 is a dog, #2 is nothing.' `names` are the words in use, by thing."""
    words = found.step.words
    if not found.proposals:
        words.add(nothing(denied, rng) if denied else Words().say("There is no box."))
        return
    short = chance(rng, 0.5)
    parts = []
    for number, thing in enumerate(found.things, 1):
        part = Words().say(f"#{number}: " if short else f"#{number} is ")
        if thing is None:
            parts.append(part.say("nothing"))
            continue
        name = names.get(thing, known.names[thing])
        if not short:
            part.say(f"{indefinite(name)} ")
        parts.append(part.point(name, (known.boxes[thing],)))
    words.add(joined(parts) if not short else _semicolons(parts)).say(".")


def _semicolons(parts: Sequence[Words]) -> Words:
    words = Words()
    for place, part in enumerate(parts):
        words.say("; " if place else "").add(part)
    return words


def nothing(phrase: str, rng: Rng) -> Words:
    """Returns a denial of `phrase`, which it points at nowhere."""
    template = any_of(rng, ("There is no {it}.", "No {it} is there.", "I see no {it}."))
    return Words().fill(template, it=Words().point(phrase))


def choose(tape: Tape, found: Look, thing: int, phrase: str, box: Box, rng: Rng) -> None:
    """Adds the step that chooses the proposal of `thing`, or says that none fits and points by itself."""
    step, number = tape.step("select"), found.number(thing)
    it = Words().point(phrase, (box,))
    if number is None:
        step.words.fill(
            any_of(rng, ("None of the boxes: I point at the {it} myself.", "None. The {it} is here.")), it=it
        )
        return
    template = any_of(rng, ("#{n} is the {it}.", "I choose #{n}, the {it}.", "#{n}: the {it}."))
    step.words.fill(template, n=str(number), it=it)


def refuse(tape: Tape, found: Look, phrase: str, rng: Rng) -> None:
    """Adds the step that says that none of the proposals is meant; no step where there are none."""
    if found.proposals:
        template = any_of(
            rng, ("None of the boxes is {a} {it}.", "None is {a} {it}.", "No box fits: no {it}.")
        )
        tape.step("select").words.fill(template, a=indefinite(phrase), it=Words().point(phrase))


def plain(name: str, box: Box) -> Words:
    """Returns a name that points at one box."""
    return Words().point(name, (box,))
