"""Tasks that point at one thing: where, find, which, relation, attribute, outline."""

from __future__ import annotations

import numpy as np

from deixis.learned.scout.tape import Tape, Words
from deixis.learned.scout.wording import QUESTIONS, SIDES, joined, placed
from deixis.learned.scout.world.known import Known
from deixis.learned.scout.world.looking import (
    Draft,
    Look,
    Option,
    Write,
    any_of,
    choose,
    look,
    nothing,
    plain,
    read_out,
    refuse,
)
from deixis.learned.world.colours import COLOURS
from deixis.learned.world.relations import OPPOSITES
from deixis.tools.segmentation.protocol import SegmentRequest, SegmentResult

Rng = np.random.Generator
APART = 0.1  # of the side, by which the outermost of a kind lies beyond the next
FOREIGN = 0.04  # most of a thing's pixels that may have a colour which it is asked by and does not have
ENDS = (("leftmost", 0, 1), ("rightmost", 0, -1), ("topmost", 1, 1), ("lowest", 1, -1))


def singles(known: Known, rng: Rng | None) -> list[Option]:
    """Returns the names of which there is exactly one thing, with it."""
    return [Option(name, (name, thing)) for name, thing in known.single]


def coloured(known: Known, rng: Rng | None) -> list[Option]:
    """Returns the names of which there is exactly one thing, where that has a colour."""
    return [one for one in singles(known, rng) if known.colours[one.facts[1]] and not _coloured(one.key)]


def _coloured(name: str) -> bool:
    """Returns whether a name has a colour of its own ('brown bear'), which a picture may belie."""
    return bool(set(name.split()) & set(COLOURS))


def single(task: str) -> Write:
    """Returns the writer that asks `task` of the only thing of a name."""

    def write(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
        name, thing = option.facts
        question = any_of(rng, QUESTIONS[task]).format(name=name)
        found = look(tape, known, (name,), (thing,), rng, offer=True)
        read_out(found, known, {thing: name}, rng)
        if task == "find" or len(found.proposals) != 1 or found.number(thing) is None:
            choose(tape, found, thing, name, known.boxes[thing], rng)
        if task == "outline":
            _outlined(tape, known, found, thing)
        value = {"where": known.place(thing), "attribute": known.colours[thing]}.get(task, "")
        _answer(tape, task, plain(name, known.boxes[thing]), value or known.place(thing), rng)
        return Draft(task, question, value)

    return write


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
    request = SegmentRequest(image=known.image.image, boxes=(box,))
    made = tape.call(step, "segmentation", request, SegmentResult)
    step.words.say(
        "There is no mask." if made is None else "Outlined." if number is None else f"Outlined #{number}."
    )


def absents(known: Known, rng: Rng | None) -> list[Option]:
    """Returns words that name nothing here."""
    return [Option(name, (name,)) for name in known.absent(rng)]


def absent(task: str) -> Write:
    """Returns the writer that asks `task` of something that is not there."""

    def write(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
        name = option.key
        question = any_of(rng, QUESTIONS[task]).format(name=name)
        found = look(tape, known, (name,), (), rng, offer=True)
        read_out(found, known, {}, rng, denied=name)
        refuse(tape, found, name, rng)
        tape.step("answer").words.add(nothing(name, rng))
        return Draft(task, question, absence="false_premise" if task == "attribute" else "absent")

    return write


def several(known: Known, rng: Rng | None) -> list[Option]:
    """Returns what singles one of several of a kind out: its colour, its size, its place in the row."""
    return [
        Option(f"{quality} {name}", (name, things, thing, quality, kinds))
        for name, things in known.named
        if len(things) > 1
        for thing, quality, kinds in _told_apart(known, name, things)
    ]


def which(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks for one of several of a kind, by colour, size or place in the row."""
    name, things, thing, quality, kinds = option.facts
    phrase = option.key
    question = any_of(rng, QUESTIONS["which"]).format(name=phrase)
    found = look(tape, known, (name,), (thing,), rng, offer=True)
    read_out(found, known, dict.fromkeys(things, name), rng)
    if found.numbers(things):
        _compared(tape, known, found, things, kinds, quality)
    choose(tape, found, thing, phrase, known.boxes[thing], rng)
    _answer(tape, "which", plain(phrase, known.boxes[thing]), known.place(thing), rng)
    return Draft("which", question)


def _told_apart(known: Known, name: str, things: tuple[int, ...]) -> list[tuple[int, str, tuple[str, ...]]]:
    """Returns (thing, quality, each thing's own) for what only one of `things` is."""
    found: list[tuple[int, str, tuple[str, ...]]] = []
    for values in (known.sizes,) if _coloured(name) else (known.colours, known.sizes):
        for thing in things:
            others = [values[other] for other in things if other != thing]
            if values[thing] and "" not in others and values[thing] not in others:
                found.append((thing, values[thing], tuple(values)))
    middles = known.middles
    for end, axis, sign in ENDS:
        row = sorted(things, key=lambda thing: sign * middles[thing][axis])
        if sign * (middles[row[1]][axis] - middles[row[0]][axis]) > APART:
            found.append((row[0], end, tuple(end if k == row[0] else "" for k in range(len(middles)))))
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


def foreign(known: Known, rng: Rng | None) -> list[Option]:
    """Returns a colour that no thing of a name has, for every name whose things all have one."""
    found = []
    for name, things in known.named:
        if all(known.colours[thing] for thing in things) and not _coloured(name):
            shares = [known.shares(thing) for thing in things]
            if words := [word for word in COLOURS if all(one.get(word, 1.0) <= FOREIGN for one in shares)]:
                word = words[0] if rng is None else any_of(rng, words)
                found.append(Option(f"{word} {name}", (name, things)))
    return found


def which_false(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks for a thing by a colour that none of its kind has."""
    name, things = option.facts
    phrase = option.key
    question = any_of(rng, QUESTIONS["which"]).format(name=phrase)
    found = look(tape, known, (name,), (), rng, offer=True)
    read_out(found, known, dict.fromkeys(things, name), rng)
    if found.numbers(things):
        _compared(tape, known, found, things, known.colours, phrase)
    words = tape.step("answer").words.add(nothing(phrase, rng))
    if len(things) == 1:
        words.say(f" There is the {known.colours[things[0]]} ").point(name, (known.boxes[things[0]],)).say(
            "."
        )
    return Draft("which", question, absence="false_premise")


def _told(known: Known, first: int, second: int) -> str:
    """Returns how `first` clearly stands to `second`; empty where it cannot be said."""
    return known.stands.get((first, second), "")


def related(known: Known, rng: Rng | None) -> list[Option]:
    """Returns what stands beside, above or below another thing, alone of its name, as is clear of all."""
    return [one for one in _links(known) if one.facts[5] is not None]


def unrelated(known: Known, rng: Rng | None) -> list[Option]:
    """Returns relations in which no thing of a name stands to another, as is clear of all of them."""
    every = [one for one in _links(known) if one.facts[5] is None]
    kept = [one for one in every if one.facts[2] in {OPPOSITES[k] for k in one.facts[6]}]
    return kept if kept and (rng is None or rng.random() < 0.6) else every


def _links(known: Known) -> list[Option]:
    """Returns (name, things, kind, other's name, other, thing that is meant or None, kinds that hold)."""
    found = []
    for other, anchor in known.single:
        for name, things in known.named:
            if anchor in things:
                continue
            kinds = [_told(known, thing, anchor) for thing in things]
            if "" in kinds:
                continue
            for kind in OPPOSITES:
                if kinds.count(kind) <= 1:
                    meant = things[kinds.index(kind)] if kind in kinds else None
                    key = f"{name} {SIDES[kind]} the {other}"
                    found.append(Option(key, (name, things, kind, other, anchor, meant, frozenset(kinds))))
    return found


def relation(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks for a thing by how it stands to another; the answer points at it, or says that there is none."""
    name, things, kind, other, anchor, meant, _ = option.facts
    side = SIDES[kind]
    question = any_of(rng, QUESTIONS["relation"]).format(name=name, side=side, other=other)
    wanted = (anchor,) if meant is None else (meant, anchor)
    found = look(tape, known, (name, other), wanted, rng, offer=True)
    read_out(found, known, {**dict.fromkeys(things, name), anchor: other}, rng)
    parts: list[Words] = []
    for number in found.numbers(things):
        thing = found.things[number - 1]
        if thing is not None:
            it = Words().point(other, (known.boxes[anchor],)) if not parts else Words().say(other)
            told = SIDES[_told(known, thing, anchor)]
            parts.append(Words().point(f"#{number}", (known.boxes[thing],)).say(f" is {told} the ").add(it))
    if parts:
        tape.step("relate").words.add(joined(parts)).say(".")
    phrase = option.key
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
