"""Tasks about what there is: presence, count, list, caption, and their denials."""

from __future__ import annotations

import numpy as np

from deixis.learned.scout.tape import Tape, Words
from deixis.learned.scout.wording import QUESTIONS, counted, indefinite, joined
from deixis.learned.scout.world.known import Known
from deixis.learned.scout.world.looking import Draft, any_of, chance, look, nothing, plain, read_out, refuse
from deixis.learned.world.categories import categories, fits, wide_words
from deixis.learned.world.questions import with_article
from deixis.tools.tagging.protocol import TagRequest, TagResult

Rng = np.random.Generator
MOST_NAMED = 6
"""Kinds of things that a description names; a longer list is none."""
WIDE = 0.2
"""The share of questions about presence that ask by a wider word: 'an animal'."""


def presence(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks whether there is something that there is, by its own or by a wider word."""
    several = known.named
    if chance(rng, WIDE):
        wide = [(word, _named(known, word)) for word in wide_words()]
        several = [row for row in wide if row[1]]
    if not several:
        return None
    name, things = several[int(rng.integers(len(several)))]
    question = any_of(rng, QUESTIONS["presence"]).format(a=with_article(name))
    found = look(tape, known, (name,), things, rng)
    read_out(found, known, dict.fromkeys(things, name), rng)
    boxes = tuple(known.boxes[thing] for thing in things)
    words = tape.step("answer").words
    if len(things) == 1 or name in wide_words():
        a = with_article(name).removesuffix(name)
        words.say(f"Yes, there is {a}").point(name, boxes).say(".")
    else:
        kind = categories()[int(known.drawn.classes[things[0]])]
        plural = kind.plural if name == kind.name else name
        words.say("Yes, there are " if name == kind.name else "Yes: ")
        words.add(
            counted(name, plural, len(things), boxes) if name == kind.name else Words().point(name, boxes)
        )
        words.say(".")
    return Draft("presence", question, "yes")


def _named(known: Known, word: str) -> tuple[int, ...]:
    return tuple(np.flatnonzero(np.isin(known.drawn.classes, list(fits(word)))).tolist())


def presence_absent(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks whether there is something that there is not."""
    name = known.absent(rng)
    if chance(rng, WIDE):
        wide = [word for word in wide_words() if not _named(known, word)]
        name = any_of(rng, wide) if wide else name
    question = any_of(rng, QUESTIONS["presence"]).format(a=with_article(name))
    found = look(tape, known, (name,), (), rng)
    read_out(found, known, {}, rng, denied=name)
    refuse(tape, found, name, rng)
    tape.step("answer").words.fill(
        any_of(rng, ("No, there is no {it}.", "No, I see no {it}.")), it=plain_denial(name)
    )
    return Draft("presence", question, "no", "absent")


def plain_denial(name: str) -> Words:
    """Returns a name that points nowhere."""
    return Words().point(name)


def count(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks how many there are of a kind whose name fits nothing else here."""
    shown = set(known.drawn.classes.tolist())
    sure = [
        categories()[kind]
        for kind in sorted(shown)
        if len(fits(categories()[kind].name) & shown) == 1
        and categories()[kind].plural != categories()[kind].name
    ]
    if not sure or known.words == "held_out":
        return None
    kind = sure[int(rng.integers(len(sure)))]
    things = tuple(thing for thing, name in enumerate(known.drawn.names) if name == kind.name)
    question = any_of(rng, QUESTIONS["count"]).format(plural=kind.plural)
    found = look(tape, known, (kind.name,), things, rng)
    read_out(found, known, dict.fromkeys(things, kind.name), rng)
    if len(found.proposals) > 1 or len(found.numbers(things)) != len(things):
        _tallied(tape, known, things, found.numbers(things), kind.name)
    boxes = tuple(known.boxes[thing] for thing in things)
    words = tape.step("answer").words.say("There is " if len(things) == 1 else "There are ")
    if len(things) == 1:
        words.say("one ").point(kind.name, boxes).say(".")
    else:
        words.add(counted(kind.name, kind.plural, len(things), boxes)).say(".")
    return Draft("count", question, str(len(things)))


def _tallied(tape: Tape, known: Known, things: tuple[int, ...], numbers: list[int], name: str) -> None:
    """Adds the step that says which proposals count, and what has none."""
    words = tape.step("select").words
    left = len(things) - len(numbers)
    if numbers:
        words.say(f"{', '.join(f'#{number}' for number in numbers)} count{'' if len(numbers) > 1 else 's'}.")
    if left:
        words.say(f"{' ' if numbers else ''}{'One' if left == 1 else str(left)} more {name} without a box.")


def count_none(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks how many there are of a kind that there is none of."""
    absent = [kind for kind in categories() if not fits(kind.name) & set(known.drawn.classes.tolist())]
    kind = absent[int(rng.integers(len(absent)))]
    question = any_of(rng, QUESTIONS["count"]).format(plural=kind.plural)
    found = look(tape, known, (kind.name,), (), rng)
    read_out(found, known, {}, rng, denied=kind.name)
    refuse(tape, found, kind.name, rng)
    tape.step("answer").words.add(nothing(kind.name, rng))
    return Draft("count", question, "0", "absent")


def list_(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks what there is."""
    return _described(known, tape, rng, "list")


def caption(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks for a description, which also says how things stand to each other."""
    return _described(known, tape, rng, "caption")


def list_nothing(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks what there is where there is nothing."""
    if len(known.drawn.classes):
        return None
    question = any_of(rng, QUESTIONS["list"])
    step, _ = _tagged(tape, known)
    step.words.say("I see nothing that I can name.")
    tape.step("answer").words.say("There is nothing that I can name.")
    return Draft("list", question, "nothing", "absent")


def _tagged(tape: Tape, known: Known) -> tuple[object, TagResult | None]:
    step = tape.step("find")
    request = TagRequest(image=known.image.ref)  # type: ignore[arg-type]
    return step, tape.call(step, "tagging", request, TagResult)


def _described(known: Known, tape: Tape, rng: Rng, task: str) -> Draft | None:
    groups = _groups(known)[:MOST_NAMED]
    if not groups:
        return None
    question = any_of(rng, QUESTIONS[task])
    step = tape.step("find")
    request = TagRequest(image=known.image.ref)  # type: ignore[arg-type]
    given = tape.call(step, "tagging", request, TagResult)
    doubtful = [tag.label for tag in given.tags if tag.label not in known.drawn.names][:2] if given else []
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
    value = ", ".join(sorted({known.drawn.names[thing] for thing in wanted})) if task == "list" else ""
    return Draft(task, question, value)


def _groups(known: Known) -> list[tuple[str, tuple[int, ...]]]:
    """Returns the kinds that show, the largest things first, each with its things."""
    groups: dict[str, list[int]] = {}
    for thing in sorted(range(len(known.boxes)), key=lambda thing: -known.boxes[thing].area):
        groups.setdefault(known.drawn.names[thing], []).append(thing)
    return [(name, tuple(things)) for name, things in groups.items()]


def _some(known: Known, name: str, things: tuple[int, ...]) -> Words:
    return counted(name, known.plural(things[0]), len(things), tuple(known.boxes[thing] for thing in things))


def _beside(known: Known, groups: list[tuple[str, tuple[int, ...]]]) -> tuple[Words, set[int]] | None:
    """Returns a sentence about two single things that stand clearly to each other, and the two."""
    single = {things[0]: name for name, things in groups if len(things) == 1}
    for link in known.relations:
        if link.first in single and link.second in single:
            first, second = single[link.first], single[link.second]
            words = (
                Words().say(f"{indefinite(first).capitalize()} ").add(plain(first, known.boxes[link.first]))
            )
            words.say(f" is {link.kind} {indefinite(second)} ").add(
                plain(second, known.boxes[link.second])
            ).say(".")
            return words, {link.first, link.second}
    return None
