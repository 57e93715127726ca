"""One writer per kind of question. Each says only what was seen or heard, and what was not."""

from __future__ import annotations

from collections.abc import Callable

from deixis.answer import NotFound
from deixis.graphs.answering import sounds
from deixis.graphs.answering.draft import Draft, Writer
from deixis.graphs.answering.facts import Facts, Group
from deixis.graphs.answering.wording import article_phrase, capital, noun, number, place, say_list
from deixis.graphs.rules.questions import Question

MOST_GROUPS = 8
"""A description lists the strongest kinds of things; a list of thirty is no description."""

Writing = Callable[[Question, Facts], Draft]


def describe(question: Question, facts: Facts) -> Draft:
    """Returns what is seen, what is heard, and whether the two belong together."""
    writer = Writer()
    if not facts.images and not facts.has_audio:
        writer.say("There is no picture and no sound to answer from. Give one, and ask again.")
    _say_scene(writer, facts)
    if facts.has_audio:
        sounds.say_heard(writer, facts)
        if facts.images:
            sounds.say_relation(writer, facts)
    return writer.draft(_missing(facts))


def _say_scene(writer: Writer, facts: Facts) -> None:
    if not facts.images:
        return
    shown = facts.things[:MOST_GROUPS]
    where = "The picture shows " if len(facts.images) == 1 else "The pictures show "
    if shown:
        writer.say(where)
        say_list(writer, shown)
        left = len(facts.things) - len(shown)
        writer.say(f", and {number(left)} more kinds of things. " if left else ". ")
    elif facts.whole:
        writer.say("As a whole the picture looks like ")
        say_list(writer, facts.whole[:3])
        writer.say("; nothing in it could be boxed. ")
    elif facts.looked:
        writer.say("I see nothing in the picture that my tools know. ")
    else:
        writer.say("I could not look at the picture: the detector gave nothing. ")


def _missing(facts: Facts) -> tuple[NotFound, ...]:
    return tuple(facts.not_found)


def where(question: Question, facts: Facts) -> Draft:
    """Returns the place of each thing that was asked for."""
    if facts.choice is not None:
        return which(question, facts)
    writer = Writer()
    for group in _asked(facts):
        image = {ref.digest: ref for ref in facts.images}
        places = [place(r.box, image[r.media].size) for r in group.regions if r.box is not None]
        if len(places) == 1:
            writer.say("The ").point(noun(group.label), group.id).say(f" is {places[0]}. ")
        else:
            writer.say(f"There are {number(len(places))} ").point(noun(group.label, len(places)), group.id)
            writer.say(f": {'; '.join(places[:MOST_GROUPS])}. ")
    _say_missing(writer, facts)
    return writer.draft(_missing(facts))


def presence(question: Question, facts: Facts) -> Draft:
    """Returns yes with what was found, no for what is not there, 'cannot tell' for the rest."""
    writer = Writer()
    found = _asked(facts)
    if found:
        writer.say("Yes, there is " if len(found[0].regions) == 1 else "Yes, there are ")
        say_list(writer, found)
        writer.say(" in the picture. ")
    _say_missing(writer, facts, opener="" if found else "No, ")
    return writer.draft(_missing(facts))


def count(question: Question, facts: Facts) -> Draft:
    """Returns how many of each thing that was asked for."""
    writer = Writer()
    for group in _asked(facts):
        total = len(group.regions)
        writer.say("There is one " if total == 1 else f"There are {number(total)} ")
        writer.point(noun(group.label, total), group.id).say(" in the picture. ")
    _say_missing(writer, facts)
    return writer.draft(_missing(facts))


def which(question: Question, facts: Facts) -> Draft:
    """Returns the one thing that the expression picks, with its place."""
    writer = Writer()
    if facts.choice is None:
        _say_missing(writer, facts)
        if not facts.not_found:
            writer.say("I see nothing that this could mean. ")
        return writer.draft(_missing(facts))
    group, index = facts.choice
    region = group.regions[index]
    image = next(ref for ref in facts.images if ref.digest == region.media)
    writer.say("It is the ").point(noun(group.label), group.id, (index,))
    box = region.box
    writer.say(f" {place(box, image.size)}. " if box is not None else ". ")
    return writer.draft(_missing(facts))


def open_question(question: Question, facts: Facts) -> Draft:
    """Returns the observations, and says that the question itself needs a language model."""
    writer = Writer()
    writer.say("This question needs a language model, and this profile has none. ")
    if not facts.images and not facts.has_audio:
        writer.say("There is no picture and no sound to tell of, either. ")
        return writer.draft(status="needs_mllm")
    writer.say("What I can tell: ")
    _say_scene(writer, facts)
    if facts.has_audio:
        sounds.say_heard(writer, facts)
        if facts.images:
            sounds.say_relation(writer, facts)
    return writer.draft(_missing(facts), status="needs_mllm")


def _asked(facts: Facts) -> list[Group]:
    """Returns the groups that the question names: boxed ones, else those a tagger names."""
    return [group for group in [*facts.things, *facts.whole] if group.asked]


def _say_missing(writer: Writer, facts: Facts, opener: str = "") -> None:
    """Writes what is not there, and what cannot be told because no tool knows it."""
    absent = [gone.phrase for gone in facts.not_found if gone.reason == "absent"]
    unknown = [gone.phrase for gone in facts.not_found if gone.reason != "absent"]
    for phrase in absent:
        word = noun(phrase, 1)
        text = f"{opener}there is no {word} in the picture. "
        writer.say(capital(text))
    for phrase in unknown:
        writer.say(
            f"I cannot tell about {article_phrase(phrase)}{phrase}: no tool of this profile knows it. "
        )
    if not facts.images:
        writer.say("There is no picture to look at. ")
    elif not facts.looked:
        writer.say("I could not look at the picture: the detector gave nothing. ")


WRITERS: dict[str, Writing] = {
    "describe": describe,
    "list": describe,
    "where": where,
    "presence": presence,
    "count": count,
    "which": which,
    "hear": sounds.hear,
    "sound_presence": sounds.sound_presence,
    "sound_when": sounds.sound_when,
    "source": sounds.source,
    "related": sounds.related,
    "open": open_question,
    "attribute": open_question,
}


def write(question: Question, facts: Facts) -> Draft:
    """Returns the draft of the answer to `question` from `facts`."""
    return WRITERS.get(question.intent, open_question)(question, facts)
