"""Tasks about a picture and a sound: what makes the sound, and whether the two belong together."""

from __future__ import annotations

import numpy as np

from deixis.answer import Score
from deixis.learned.scout.tape import Tape, Words
from deixis.learned.scout.wording import QUESTIONS, bare, counted, indefinite, sound_words
from deixis.learned.scout.world.known import Known
from deixis.learned.scout.world.looking import Draft, Look, Option, any_of, chance, look, read_out
from deixis.learned.scout.world.sounding import Hearing, listen, said, tell
from deixis.tools.matching.protocol import Heard, MatchRequest, MatchResult, Visible

Rng = np.random.Generator
BY_NAME = 0.4
"""The share of traces that look for what usually makes the sound, by name, instead of for everything."""
MOST_MAKERS = 4


def made_here(known: Known, rng: Rng | None) -> list[Option]:
    """Returns the sounds that something in the picture makes."""
    return [Option(known.heard[k], (k,)) for k, things in enumerate(known.sources) if things]


def made_elsewhere(known: Known, rng: Rng | None) -> list[Option]:
    """Returns the sounds that nothing in the picture makes; the whole sound where nothing is heard."""
    if not known.heard:
        return [Option("sound", (None,))]
    return [Option(known.heard[k], (k,)) for k, things in enumerate(known.sources) if not things]


def matched(known: Known, rng: Rng | None) -> list[Option]:
    """Returns the pair, where something in the picture makes a sound."""
    return [Option("pair")] if any(known.sources) else []


def unmatched(known: Known, rng: Rng | None) -> list[Option]:
    """Returns the pair, where something is heard that nothing in the picture makes."""
    return [Option("pair")] if known.heard and not any(known.sources) else []


def sound_source(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks what makes the sound, where something that shows does."""
    event = option.facts[0]
    question = _question(known, event, rng)
    heard, found = _looked(tape, known, rng)
    _related(tape, known, heard, found, rng)
    words = tape.step("answer").words.add(_made(known, event))
    if not _particular(known, question, event):
        for other in range(len(known.heard)):
            if other != event:
                words.say(" ").add(_made(known, other) if known.sources[other] else _nobody(known, other))
    return Draft("sound_source", question, known.names[known.sources[event][0]])


def sound_unrelated(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks what makes the sound, where nothing that shows does, or nothing is heard."""
    event = option.facts[0]
    if event is None:
        question = any_of(rng, QUESTIONS["sound_source"])
        heard = listen(tape, known)
        tell(known, heard.step, rng)
        tape.step("answer").words.say("Nothing: no sound that I can name is heard.")
        return Draft("sound_source", question, "nothing", "absent")
    question = _question(known, event, rng, must=any(known.sources))
    heard, found = _looked(tape, known, rng)
    _related(tape, known, heard, found, rng)
    tape.step("answer").words.add(_nobody(known, event))
    return Draft("sound_source", question, "nothing", "unrelated_sound")


def match(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks whether the sound belongs to the picture, where it does, wholly or in part, or does not."""
    question = any_of(rng, QUESTIONS["match"])
    heard, found = _looked(tape, known, rng)
    _related(tape, known, heard, found, rng)
    value = "yes" if known.matched else "partly" if any(known.sources) else "no"
    words = tape.step("answer").words.say({"yes": "Yes.", "partly": "In part.", "no": "No."}[value])
    for event in sorted(range(len(known.heard)), key=lambda k: not known.sources[k]):
        words.say(" ").add(_made(known, event) if known.sources[event] else _nobody(known, event))
    return Draft("match", question, value, "" if any(known.sources) else "unrelated_sound")


def _question(known: Known, event: int, rng: Rng, must: bool = False) -> str:
    """Returns a question for the source of the sound; where several are heard, sometimes of one of them."""
    if must or (len(known.heard) > 1 and chance(rng, 0.5)):
        return f"What makes the {bare(sound_words(known.heard[event]))}?"
    return any_of(rng, QUESTIONS["sound_source"])


def _particular(known: Known, question: str, event: int) -> bool:
    return len(known.heard) == 1 or question.startswith(
        f"What makes the {bare(sound_words(known.heard[event]))}"
    )


def _looked(tape: Tape, known: Known, rng: Rng) -> tuple[Hearing, Look]:
    """Returns what is heard, and then what is seen: everything, or what usually makes such a sound."""
    heard = listen(tape, known)
    tell(known, heard.step, rng)
    sources = sorted({thing for things in known.sources for thing in things})
    usual = known.usual()
    by_name = bool(usual) and len(usual) <= MOST_MAKERS and chance(rng, BY_NAME)
    if by_name:
        found = look(tape, known, usual, sources, rng)
        read_out(found, known, {}, rng, denied=usual[0] if len(usual) == 1 else "")
    else:
        found = look(tape, known, (), sources, rng, everything=True)
        read_out(found, known, {}, rng)
    return heard, found


def _related(tape: Tape, known: Known, heard: Hearing, found: Look, rng: Rng) -> None:
    """Adds the step that asks a matcher about the sounds that a tool heard, and says what is true."""
    step = tape.step("relate")
    audible = [event for event in (heard.result.events if heard.result is not None else ())]
    if audible and found.proposals:
        request = MatchRequest(
            visible=tuple(
                Visible(
                    id=f"#{one.number}",
                    names=(one.phrase,),
                    score=Score(value=one.score, kind="detector"),
                    box=one.box,
                )
                for one in found.proposals
            ),
            heard=tuple(Heard(id=f"sound-{k}", event=event) for k, event in enumerate(audible, 1)),
            image=known.image.image,
            audio=known.audio.audio,
        )
        tape.call(step, "matching", request, MatchResult)
    for place, event in enumerate(range(len(known.heard))):
        step.words.say(" " if place else "")
        things = known.sources[event]
        noun = bare(sound_words(known.heard[event]))
        numbers = found.numbers(things)
        if numbers:
            thing = found.things[numbers[0] - 1]
            box = known.boxes[things[0] if thing is None else thing]
            step.words.point(f"#{numbers[0]}", (box,)).say(f" makes the {noun}.")
        elif things:
            step.words.say("The ").point(known.names[things[0]], (known.boxes[things[0]],))
            step.words.say(f" makes the {noun}.")
        else:
            template = any_of(rng, ("No box makes the {it}.", "None of these makes the {it}."))
            step.words.fill(template, it=noun)


def _made(known: Known, event: int) -> Words:
    """Returns 'The dog makes the bark.', 'One of the two dogs makes the bark.'"""
    things, sound = known.sources[event], said(known, event, article=False)
    names = {known.names[thing] for thing in things}
    boxes = tuple(known.boxes[thing] for thing in things)
    if len(things) == 1:
        words = Words().say("The ").point(known.names[things[0]], boxes)
    elif len(names) == 1:
        name = known.names[things[0]]
        words = Words().say("One of the ").add(counted(name, known.plural(things[0]), len(things), boxes))
    else:
        words = Words()
        for place, thing in enumerate(things):
            name = known.names[thing]
            a = indefinite(name)
            words.say(" or " if place else "").say(f"{a.capitalize() if not place else a} ")
            words.point(name, (known.boxes[thing],))
    return words.say(" makes the ").add(sound).say(".")


def _nobody(known: Known, event: int) -> Words:
    return Words().say("Nothing in the picture makes the ").add(said(known, event, article=False)).say(".")
