"""Tasks about what there is: presence, count, list, caption, and their denials."""

from __future__ import annotations

import numpy as np

from deixis.learned.scout.tape import OpenStep, Tape, Words
from deixis.learned.scout.wording import QUESTIONS, counted, indefinite, joined
from deixis.learned.scout.world.known import Known
from deixis.learned.scout.world.looking import (
    Draft,
    Option,
    any_of,
    chance,
    look,
    nothing,
    plain,
    read_out,
    refuse,
)
from deixis.learned.world.questions import with_article
from deixis.tools.tagging.protocol import TagRequest, TagResult

Rng = np.random.Generator
MOST_NAMED = 6
"""Kinds of things that a description names; a longer list is none."""
WIDE = 0.2
"""The share of questions about presence that ask by a wider word: 'an animal'."""


def present(known: Known, rng: Rng | None) -> list[Option]:
    """Returns the names of what is there, or, now and then, wider words for it."""
    wide = known.wide()[0]
    if rng is not None and wide and chance(rng, WIDE):
        return [Option(word, (word, things, True)) for word, things in wide]
    own = [Option(word, (word, things, False)) for word, things in known.named]
    return own if rng is not None else [*own, *(Option(word, (word, things, True)) for word, things in wide)]


def presence(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks whether there is something that there is, by its own or by a wider word."""
    name, things, wide = option.facts
    question = any_of(rng, QUESTIONS["presence"]).format(a=with_article(name))
    found = look(tape, known, (name,), things, rng)
    read_out(found, known, dict.fromkeys(things, name), rng)
    boxes = tuple(known.boxes[thing] for thing in things)
    words = tape.step("answer").words
    if len(things) > 1 and not wide and name == known.names[things[0]]:
        words.say("Yes, there are ").add(counted(name, known.plural(things[0]), len(things), boxes)).say(".")
    else:
        article = with_article(name).removesuffix(name)
        words.say(f"Yes, there is {article}").point(name, boxes).say(".")
    return Draft("presence", question, "yes")


def missing(known: Known, rng: Rng | None) -> list[Option]:
    """Returns words for what is not there, now and then wider ones."""
    wide = known.wide()[1]
    if rng is not None and wide and chance(rng, WIDE):
        return [Option(word) for word in wide]
    return [Option(word) for word in [*known.absent(rng), *(wide if rng is None else ())]]


def presence_absent(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks whether there is something that there is not."""
    name = option.key
    question = any_of(rng, QUESTIONS["presence"]).format(a=with_article(name))
    found = look(tape, known, (name,), (), rng)
    read_out(found, known, {}, rng, denied=name)
    refuse(tape, found, name, rng)
    words = tape.step("answer").words
    words.fill(any_of(rng, ("No, there is no {it}.", "No, I see no {it}.")), it=plain_denial(name))
    return Draft("presence", question, "no", "absent")


def plain_denial(name: str) -> Words:
    """Returns a name that points nowhere."""
    return Words().point(name)


def countable(known: Known, rng: Rng | None) -> list[Option]:
    """Returns the kinds that can be counted without doubt."""
    return [Option(one[0], one) for one in known.countable()]


def count(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks how many there are of a kind whose name fits nothing else here."""
    name, plural, things = option.facts
    question = any_of(rng, QUESTIONS["count"]).format(plural=plural)
    found = look(tape, known, (name,), things, rng)
    read_out(found, known, dict.fromkeys(things, name), rng)
    if len(found.proposals) > 1 or len(found.numbers(things)) != len(things):
        _tallied(tape, known, things, found.numbers(things), name)
    boxes = tuple(known.boxes[thing] for thing in things)
    words = tape.step("answer").words.say("There is " if len(things) == 1 else "There are ")
    if len(things) == 1:
        words.say("one ").point(name, boxes).say(".")
    else:
        words.add(counted(name, plural, len(things), boxes)).say(".")
    return Draft("count", question, str(len(things)))


def _tallied(tape: Tape, known: Known, things: tuple[int, ...], numbers: list[int], name: str) -> None:
    """Adds the step that says which proposals count, and what has none."""
    words = tape.step("select").words
    left = len(things) - len(numbers)
    if numbers:
        words.say(f"{', '.join(f'#{number}' for number in numbers)} count{'' if len(numbers) > 1 else 's'}.")
    if left:
        words.say(f"{' ' if numbers else ''}{'One' if left == 1 else str(left)} more {name} without a box.")


def uncounted(known: Known, rng: Rng | None) -> list[Option]:
    """Returns the kinds of which there is none."""
    return [Option(one[0], one) for one in known.uncounted()]


def count_none(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks how many there are of a kind that there is none of."""
    name, plural = option.facts
    question = any_of(rng, QUESTIONS["count"]).format(plural=plural)
    found = look(tape, known, (name,), (), rng)
    read_out(found, known, {}, rng, denied=name)
    refuse(tape, found, name, rng)
    tape.step("answer").words.add(nothing(name, rng))
    return Draft("count", question, "0", "absent")


def something(known: Known, rng: Rng | None) -> list[Option]:
    """Returns the whole picture, where it shows anything."""
    return [Option("picture")] if known.names else []


def emptiness(known: Known, rng: Rng | None) -> list[Option]:
    """Returns the whole picture, where it shows nothing."""
    return [] if known.names else [Option("picture")]


def list_nothing(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks what there is where there is nothing."""
    question = any_of(rng, QUESTIONS["list"])
    step, _ = _tagged(tape, known)
    step.words.say("I see nothing that I can name.")
    tape.step("answer").words.say("There is nothing that I can name.")
    return Draft("list", question, "nothing", "absent")


def _tagged(tape: Tape, known: Known) -> tuple[OpenStep, TagResult | None]:
    step = tape.step("find")
    request = TagRequest(image=known.image.image)
    return step, tape.call(step, "tagging", request, TagResult)


def list_(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks what there is."""
    return _described(known, tape, rng, "list")


def caption(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks for a description, which also says how things stand to each other."""
    return _described(known, tape, rng, "caption")


def _described(known: Known, tape: Tape, rng: Rng, task: str) -> Draft:
    groups = _groups(known)[:MOST_NAMED]
    question = any_of(rng, QUESTIONS[task])
    step, given = _tagged(tape, known)
    doubtful = [tag.label for tag in given.tags if tag.label not in known.names][:2] if given else []
    step.words.say(f"I see {', '.join(name for name, _ in groups)}")
    step.words.say(f"; perhaps {', '.join(doubtful)}." if doubtful else ".")
    wanted = [thing for _, things in groups for thing in things]
    found = look(tape, known, [*(name for name, _ in groups), *doubtful], wanted, rng)
    read_out(found, known, {}, rng)
    words = tape.step("answer").words
    if task == "caption" and (said := _beside(known, groups)) is not None:
        words.add(said[0])
        groups = [one for one in groups if one[1][0] not in said[1]]
        if not groups:
            return Draft(task, question)
        words.say(" ")
    words.say("There is " if len(groups[0][1]) == 1 else "There are ")
    words.add(joined([_some(known, name, things) for name, things in groups])).say(".")
    value = ", ".join(sorted({known.names[thing] for thing in wanted})) if task == "list" else ""
    return Draft(task, question, value)


def _groups(known: Known) -> list[tuple[str, tuple[int, ...]]]:
    """Returns the kinds that show, the largest things first, each with its things."""
    groups: dict[str, list[int]] = {}
    for thing in sorted(range(len(known.boxes)), key=lambda thing: -known.boxes[thing].area):
        groups.setdefault(known.names[thing], []).append(thing)
    return [(name, tuple(things)) for name, things in groups.items()]


def _some(known: Known, name: str, things: tuple[int, ...]) -> Words:
    return counted(name, known.plural(things[0]), len(things), tuple(known.boxes[thing] for thing in things))


def _beside(known: Known, groups: list[tuple[str, tuple[int, ...]]]) -> tuple[Words, set[int]] | None:
    """Returns a sentence about two single things that stand clearly to each other, and the two."""
    single = {things[0]: name for name, things in groups if len(things) == 1}
    for (one, other), kind in known.stands.items():
        if one in single and other in single:
            first, second = single[one], single[other]
            words = Words().say(f"{indefinite(first).capitalize()} ").add(plain(first, known.boxes[one]))
            words.say(f" is {kind} {indefinite(second)} ").add(plain(second, known.boxes[other])).say(".")
            return words, {one, other}
    return None
