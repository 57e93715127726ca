"""Tasks that point at one thing: where, find, which, relation, attribute, outline."""

from __future__ import annotations

import numpy as np

from deixis.learned.scout.tape import Tape, Words
from deixis.learned.scout.wording import QUESTIONS, SIDES, joined, placed
from deixis.learned.scout.world.known import Known
from deixis.learned.scout.world.looking import (
    Draft,
    Look,
    any_of,
    choose,
    look,
    nothing,
    plain,
    read_out,
    refuse,
)
from deixis.learned.world.colours import COLOURS, colour_shares
from deixis.learned.world.relations import OPPOSITES
from deixis.tools.segmentation.protocol import SegmentRequest, SegmentResult

Rng = np.random.Generator
APART = 0.1  # of the side, by which the outermost of a kind lies beyond the next
FOREIGN = 0.04  # most of a thing's pixels that may have a colour which it is asked by and does not have
ENDS = (("leftmost", 0, 1), ("rightmost", 0, -1), ("topmost", 1, 1), ("lowest", 1, -1))


def where(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks where the only thing of a name is."""
    return _single(known, tape, rng, "where")


def find(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks for the only thing of a name."""
    return _single(known, tape, rng, "find")


def outline(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks for the mask of the only thing of a name."""
    return _single(known, tape, rng, "outline")


def attribute(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks for the colour of a thing that has one."""
    return _single(known, tape, rng, "attribute")


def _single(known: Known, tape: Tape, rng: Rng, task: str) -> Draft | None:
    several = [one for one in known.single if task != "attribute" or known.drawn.colours[one[1]]]
    if not several:
        return None
    name, thing = several[int(rng.integers(len(several)))]
    question = any_of(rng, QUESTIONS[task]).format(name=name)
    found = look(tape, known, (name,), (thing,), rng)
    read_out(found, known, {thing: name}, rng)
    if task == "find" or len(found.proposals) != 1 or found.number(thing) is None:
        choose(tape, found, thing, name, known.boxes[thing], rng)
    if task == "outline":
        _outlined(tape, known, found, thing)
    value = {"where": known.place(thing), "attribute": known.drawn.colours[thing]}.get(task, "")
    _answer(tape, task, plain(name, known.boxes[thing]), value or known.place(thing), rng)
    return Draft(task, question, value)


def _answer(tape: Tape, task: str, it: Words, value: str, rng: Rng) -> None:
    ways = {
        "where": ("The {it} is {where}.", "{where}: the {it}."),
        "attribute": ("The {it} is {value}.", "{value}: the colour of the {it}."),
        "outline": ("The {it} is outlined.", "Here is the mask of the {it}."),
    }
    template = any_of(
        rng, ways.get(task, ("The {it} is here.", "Here is the {it}.", "It is the {it}, {where}."))
    )
    words = tape.step("answer").words.fill(template, it=it, where=placed(value), value=value)
    words.capital()


def _outlined(tape: Tape, known: Known, found: Look, thing: int) -> None:
    number = found.number(thing)
    box = known.boxes[thing] if number is None else found.proposals[number - 1].box
    step = tape.step("outline")
    request = SegmentRequest(image=known.image.ref, boxes=(box,))  # type: ignore[arg-type]
    made = tape.call(step, "segmentation", request, SegmentResult)
    step.words.say(
        "There is no mask." if made is None else "Outlined." if number is None else f"Outlined #{number}."
    )


def absent(task: str) -> object:
    """Returns the maker that asks `task` of something that is not there."""

    def made(known: Known, tape: Tape, rng: Rng) -> Draft | None:
        name = known.absent(rng)
        question = any_of(rng, QUESTIONS[task]).format(name=name)
        found = look(tape, known, (name,), (), rng)
        read_out(found, known, {}, rng, denied=name)
        refuse(tape, found, name, rng)
        tape.step("answer").words.add(nothing(name, rng))
        return Draft(task, question, absence="false_premise" if task == "attribute" else "absent")

    return made


def which(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks for one of several of a kind, by colour, size or place in the row."""
    several = []
    for name, things in known.named:
        if len(things) > 1:
            several += [(name, things, *one) for one in _told_apart(known, things)]
    if not several:
        return None
    name, things, thing, quality, kinds = several[int(rng.integers(len(several)))]
    phrase = f"{quality} {name}"
    question = any_of(rng, QUESTIONS["which"]).format(name=phrase)
    found = look(tape, known, (name,), (thing,), rng)
    read_out(found, known, dict.fromkeys(things, name), rng)
    numbers = found.numbers(things)
    if numbers:
        _compared(tape, known, found, things, kinds, quality)
    choose(tape, found, thing, phrase, known.boxes[thing], rng)
    _answer(tape, "which", plain(phrase, known.boxes[thing]), known.place(thing), rng)
    return Draft("which", question)


def _told_apart(known: Known, things: tuple[int, ...]) -> list[tuple[int, str, tuple[str, ...]]]:
    """Returns (thing, quality, each thing's own) for what only one of `things` is."""
    scene, found = known.drawn, []
    for values in (scene.colours, scene.sizes):
        for thing in things:
            others = [values[other] for other in things if other != thing]
            if values[thing] and "" not in others and values[thing] not in others:
                found.append((thing, values[thing], tuple(values)))
    middles = (scene.boxes[:, :2] + scene.boxes[:, 2:]) / 2 / scene.pixels.shape[0]
    for end, axis, sign in ENDS:
        row = sorted(things, key=lambda thing: float(sign * middles[thing, axis]))
        if sign * (middles[row[1], axis] - middles[row[0], axis]) > APART:
            found.append(
                (row[0], end, tuple(end if thing == row[0] else "" for thing in range(len(middles))))
            )
    return found


def _compared(
    tape: Tape, known: Known, found: Look, things: tuple[int, ...], kinds: tuple[str, ...], quality: str
) -> None:
    """Adds the step that says of each candidate what it is."""
    parts = []
    for number in found.numbers(things):
        thing = found.things[number - 1]
        if thing is not None:
            said = kinds[thing] or f"not {quality}"
            parts.append(Words().point(f"#{number}", (known.boxes[thing],)).say(f" is {said}"))
    tape.step("relate").words.add(joined(parts)).say(".")


def which_false(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks for a thing by a colour that none of its kind has."""
    several = [(name, things) for name, things in known.named if all(known.drawn.colours[k] for k in things)]
    if not several:
        return None
    name, things = several[int(rng.integers(len(several)))]
    shares = [colour_shares(known.drawn.pixels[known.drawn.mask(thing)]) for thing in things]
    foreign = [word for word in COLOURS if all(one[word] <= FOREIGN for one in shares)]
    if not foreign:
        return None
    phrase = f"{any_of(rng, foreign)} {name}"
    question = any_of(rng, QUESTIONS["which"]).format(name=phrase)
    found = look(tape, known, (name,), (), rng)
    read_out(found, known, dict.fromkeys(things, name), rng)
    if found.numbers(things):
        _compared(tape, known, found, things, tuple(known.drawn.colours), phrase)
    thing = things[0]
    other = Words().say(f"the {known.drawn.colours[thing]} ").point(name, (known.boxes[thing],))
    words = tape.step("answer").words.add(nothing(phrase, rng))
    if len(things) == 1:
        words.say(" There is ").add(other).say(".")
    return Draft("which", question, absence="false_premise")


def relation(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks for the thing beside, above or below another; no second thing of the kind stands there."""
    single, by_thing = {thing: word for word, thing in known.single}, known.relations
    for place in rng.permutation(len(by_thing)).tolist():
        link = by_thing[place]
        mine = [(word, things) for word, things in known.named if link.first in things]
        if link.second not in single or not mine or link.second in mine[0][1]:
            continue
        name, things = mine[int(rng.integers(len(mine)))]
        rivals = {one.first for one in by_thing if (one.kind, one.second) == (link.kind, link.second)}
        if len(rivals & set(things)) == 1 and all(_told(known, thing, link.second) for thing in things):
            return _related(
                known, tape, rng, (name, things, link.kind, single[link.second], link.second), link.first
            )
    return None


def _told(known: Known, first: int, second: int) -> str:
    """Returns how `first` clearly stands to `second`; empty where it cannot be said."""
    return next((one.kind for one in known.relations if (one.first, one.second) == (first, second)), "")


def relation_false(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks for a thing beside another where all things of its kind stand elsewhere, clearly."""
    single = {thing: word for word, thing in known.single}
    for place in rng.permutation(len(known.relations)).tolist():
        link = known.relations[place]
        mine = [(word, things) for word, things in known.named if link.first in things]
        if link.second not in single or not mine or link.second in mine[0][1]:
            continue
        name, things = mine[int(rng.integers(len(mine)))]
        kinds = {_told(known, thing, link.second) for thing in things}
        wrong = [kind for kind in OPPOSITES if kind not in kinds]
        if "" not in kinds and wrong:
            asked = (
                OPPOSITES[link.kind]
                if OPPOSITES[link.kind] in wrong and rng.random() < 0.6
                else any_of(rng, wrong)
            )
            return _related(known, tape, rng, (name, things, asked, single[link.second], link.second), None)
    return None


def _related(
    known: Known, tape: Tape, rng: Rng, asked: tuple[str, tuple[int, ...], str, str, int], meant: int | None
) -> Draft:
    name, things, kind, other, anchor = asked
    side = SIDES[kind]
    question = any_of(rng, QUESTIONS["relation"]).format(name=name, side=side, other=other)
    wanted = (anchor,) if meant is None else (meant, anchor)
    found = look(tape, known, (name, other), wanted, rng)
    read_out(found, known, {**dict.fromkeys(things, name), anchor: other}, rng)
    parts = []
    for number in found.numbers(things):
        thing = found.things[number - 1]
        if thing is not None:
            it = Words().point(other, (known.boxes[anchor],)) if not parts else Words().say(other)
            told = SIDES[_told(known, thing, anchor)]
            parts.append(Words().point(f"#{number}", (known.boxes[thing],)).say(f" is {told} the ").add(it))
    if parts:
        tape.step("relate").words.add(joined(parts)).say(".")
    phrase = f"{name} {side} the {other}"
    if meant is not None:
        choose(tape, found, meant, phrase, known.boxes[meant], rng)
        it = plain(name, known.boxes[meant]).say(f" {side} the ").point(other, (known.boxes[anchor],))
        template = any_of(rng, ("The {it} is {where}.", "It is the {it}, {where}."))
        tape.step("answer").words.fill(template, it=it, where=placed(known.place(meant)))
        return Draft("relation", question)
    words = tape.step("answer").words.fill("There is no {it}.", it=Words().point(phrase))
    if len(things) == 1 and rng.random() < 0.7:
        told = SIDES[_told(known, things[0], anchor)]
        words.say(" The ").point(name, (known.boxes[things[0]],)).say(f" is {told} it.")
    return Draft("relation", question, absence="false_premise")
