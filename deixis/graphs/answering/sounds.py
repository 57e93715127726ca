"""Answers about sounds: what is heard, when, what makes it, whether it fits the picture."""

from __future__ import annotations

from collections.abc import Sequence

from deixis.answer import NotFound
from deixis.graphs.answering.draft import Draft, Writer
from deixis.graphs.answering.facts import Facts, Group
from deixis.graphs.answering.wording import article_phrase, joined, noun, say_list, sound_name, when
from deixis.graphs.rules.questions import Question
from deixis.tools.matching.protocol import PairVerdict
from deixis.tools.words.phrases import head_noun

MOST_SOUNDS = 6
OF_SOUNDS = frozenset({"music", "noise", "noises", "sound", "sounds"})
"""Words that say no more than that something is heard."""


def say_heard(writer: Writer, facts: Facts) -> None:
    """Writes the sounds with their times."""
    if not facts.heard:
        writer.say("I could not listen to the sound: the hearing tool gave nothing. ")
    elif facts.silent:
        writer.say("The sound is silent. ")
    elif not facts.sounds:
        writer.say("I hear nothing that I can name with confidence. ")
    else:
        writer.say("I hear ")
        shown = facts.sounds[:MOST_SOUNDS]
        for index, group in enumerate(shown):
            if index:
                writer.say(" and " if index == len(shown) - 1 else ", ")
            writer.point(sound_name(group.label), group.id).say(f" ({when(group)})")
        writer.say(". ")


def say_relation(writer: Writer, facts: Facts, timed: bool = False) -> None:
    """Writes which visible thing makes which sound (and when, with `timed`), or that none does, or
    that it cannot be told."""
    if facts.match is None:
        writer.say("Whether picture and sound belong together cannot be told. ")
        return
    matched = [pair for pair in facts.match.pairs if pair.verdict == "matched"]
    for pair in matched:
        _say_source(writer, facts, pair, timed)
    if matched:
        return
    if facts.match.overall == "unmatched":
        names = joined([sound_name(group.label) for group in facts.sounds])
        writer.say(f"Nothing visible makes the sound ({names}): picture and sound do not belong together. ")
    else:
        why = f": {facts.match.reason.rstrip('.')}" if facts.match.reason else ""
        writer.say(f"Whether picture and sound belong together cannot be told{why}. ")


def _say_source(writer: Writer, facts: Facts, pair: PairVerdict, timed: bool) -> None:
    sound, thing = facts.group(pair.sound), facts.group(pair.thing or "")
    if sound is None or thing is None:
        return
    writer.say("The ").point(sound_name(sound.label), sound.id)
    writer.say(f" ({when(sound)}) comes from " if timed else " comes from ")
    if len(thing.regions) == 1:
        writer.say("the ").point(noun(thing.label), thing.id)
    else:
        writer.say("one of the ").point(noun(thing.label, len(thing.regions)), thing.id)
    writer.say(". ")


def hear(question: Question, facts: Facts) -> Draft:
    """Returns the sounds and their times."""
    writer = Writer()
    if facts.has_audio:
        say_heard(writer, facts)
    else:
        writer.say("There is no sound to listen to. ")
    return writer.draft()


def source(question: Question, facts: Facts) -> Draft:
    """Returns which visible thing makes the sound; a sound without a visible source gets no box."""
    writer = Writer()
    if not facts.has_audio:
        writer.say("There is no sound to explain. ")
    elif not facts.images:
        say_heard(writer, facts)
        writer.say("There is no picture to find its source in. ")
    else:
        matched = facts.match is not None and any(p.verdict == "matched" for p in facts.match.pairs)
        if not matched:
            say_heard(writer, facts)
        say_relation(writer, facts, timed=True)
    return writer.draft()


def related(question: Question, facts: Facts) -> Draft:
    """Returns whether picture and sound belong together: yes, no, or cannot be told."""
    writer = Writer()
    if facts.verdict == "matched":
        writer.say("Yes. ")
    elif facts.verdict == "unmatched":
        writer.say("No. ")
    if facts.verdict is None:
        writer.say("It takes a picture and a sound to tell whether they belong together. ")
    else:
        if facts.images and facts.things and facts.verdict != "matched":
            writer.say("The picture shows ")
            say_list(writer, facts.things[:3])
            writer.say(". ")
        if facts.verdict != "matched":
            say_heard(writer, facts)
        say_relation(writer, facts, timed=True)
    return writer.draft()


def sound_presence(question: Question, facts: Facts) -> Draft:
    """Returns yes with the times, or no with what is heard instead."""
    writer = Writer()
    gone: list[NotFound] = []
    for phrase in question.phrases:
        group = _sounding(facts, phrase)
        if group is not None:
            writer.say("Yes: I hear ").point(sound_name(group.label), group.id).say(f" {when(group)}. ")
        else:
            gone.append(_unheard(writer, facts, phrase))
    if gone or not question.phrases:
        if facts.has_audio:
            say_heard(writer, facts)
        else:
            writer.say("There is no sound to listen to. ")
    return writer.draft(tuple(gone))


def sound_when(question: Question, facts: Facts) -> Draft:
    """Returns the times of the sound that was asked for."""
    writer = Writer()
    gone: list[NotFound] = []
    for phrase in question.phrases:
        group = _sounding(facts, phrase)
        if group is not None:
            writer.say("I hear ").point(sound_name(group.label), group.id).say(f" {when(group)}. ")
        else:
            gone.append(_unheard(writer, facts, phrase))
    if gone or not question.phrases:
        if facts.has_audio:
            say_heard(writer, facts)
        else:
            writer.say("There is no sound to listen to. ")
    return writer.draft(tuple(gone))


def _unheard(writer: Writer, facts: Facts, phrase: str) -> NotFound:
    if not facts.has_audio or not facts.heard:
        return NotFound(phrase=phrase, medium="audio", reason="not_looked")
    writer.say(f"No: nothing sounds like {article_phrase(phrase)}{phrase}. ")
    return NotFound(phrase=phrase, medium="audio", reason="absent")


def _sounding(facts: Facts, phrase: str) -> Group | None:
    """Returns the heard group that the phrase names, by its label, its parents or what makes it."""
    fits = {group.id: sounds_like(phrase, group.label, group.names) for group in facts.sounds}
    return max(facts.sounds, key=lambda group: fits[group.id], default=None) if any(fits.values()) else None


def sounds_like(phrase: str, label: str, names: Sequence[str] = ()) -> int:
    """Returns whether words name a class of sound: 2 by its name, its parents or what makes it, 1 by a stem.

    Args:
        phrase: as somebody says it: 'guitar music', 'hammering'.
        label: of the class.
        names: of the class, its parents, and what makes it.
    """
    head = head_noun(phrase).casefold()
    wanted = {phrase.casefold(), noun(phrase).casefold(), noun(head).casefold()}
    first, _, last = phrase.casefold().rpartition(" ")
    if first and last in OF_SOUNDS:
        wanted |= {first, noun(first)}  # 'guitar music', 'train noise'
    known = {noun(part.strip()).casefold() for name in names for part in name.split(",")}
    if known & wanted or any(noun(word).casefold() in wanted for word in label.split()):
        return 2
    stems = {_stem(word) for word in wanted if " " not in word}  # 'hammering' is the sound of a hammer
    return int(bool(stems & {_stem(word) for word in label.casefold().replace(",", " ").split()}))


def _stem(word: str) -> str:
    """Returns a word without the ending of a verb: 'crowing' and 'crow' are one."""
    bare = word.removesuffix("ing")
    if bare == word or len(bare) < 3:
        return word
    return bare[:-1] if bare[-1] == bare[-2] and bare[-1] not in "lsz" else bare
