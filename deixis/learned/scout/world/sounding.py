"""Tasks about a sound alone: what is heard, whether something is, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deixis.learned.scout.tape import OpenStep, Tape, Words
from deixis.learned.scout.wording import QUESTIONS, bare, joined, seconds, sound_words
from deixis.learned.scout.world.known import Known
from deixis.learned.scout.world.looking import Draft, Option, any_of
from deixis.tools.hearing.protocol import HearRequest, HearResult, SoundEvent

Rng = np.random.Generator


@dataclass
class Hearing:
    """What listening gave: the step, and for each event of the truth what the tool heard of it, or None."""

    step: OpenStep
    result: HearResult | None
    events: list[SoundEvent | None]


def listen(tape: Tape, known: Known) -> Hearing:
    """Returns what a listener gives; the step's words are still to be written."""
    step = tape.step("listen")
    request = HearRequest(audio=known.audio.audio)
    result = tape.call(step, "hearing", request, HearResult)
    events: list[SoundEvent | None] = []
    for event, span in enumerate(known.times):
        label = known.label(event)
        same = [e for e in result.events if e.label == label and e.span.iou(span) > 0] if result else []
        events.append(same[0] if same else None)
    return Hearing(step, result, events)


def said(known: Known, event: int, article: bool = True) -> Words:
    """Returns the words for an event, pointing at its time."""
    words = sound_words(known.heard[event])
    noun = bare(words)
    return Words().say(words.removesuffix(noun) if article else "").point(noun, times=(known.times[event],))


def tell(known: Known, step: OpenStep, rng: Rng) -> None:
    """Writes what is heard, with its times; or that nothing is."""
    if not known.heard:
        step.words.say(_silence(known))
        return
    parts = [
        said(known, k).say(f" from {seconds(t.start_s, t.end_s)}" if rng.random() < 0.7 else "")
        for k, t in enumerate(known.times)
    ]
    step.words.say("I hear ").add(joined(parts)).say(".")


def _silence(known: Known) -> str:
    return "The sound is silent." if known.silent else "There is only noise."


def events(known: Known, rng: Rng | None) -> list[Option]:
    """Returns what is heard, event by event."""
    return [Option(kind, (event,)) for event, kind in enumerate(known.heard)]


def silence(known: Known, rng: Rng | None) -> list[Option]:
    """Returns the whole sound, where nothing is heard in it."""
    return [] if known.heard else [Option("sound")]


def unheard(known: Known, rng: Rng | None) -> list[Option]:
    """Returns the kinds of sound that are surely not heard."""
    return [Option(kind) for kind in known.unheard()]


def hear(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks what is heard."""
    heard = listen(tape, known)
    tell(known, heard.step, rng)
    words = tape.step("answer").words.say("I hear ")
    words.add(joined([said(known, event) for event in range(len(known.heard))])).say(".")
    return Draft("hear", any_of(rng, QUESTIONS["hear"]), ", ".join(sorted(set(known.heard))))


def hear_nothing(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks what is heard where nothing is."""
    heard = listen(tape, known)
    tell(known, heard.step, rng)
    tape.step("answer").words.say("I hear nothing that I can name.")
    return Draft("hear", any_of(rng, QUESTIONS["hear"]), "nothing", "absent")


def sound_presence(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks whether a sound is heard that is."""
    event = option.facts[0]
    question = any_of(rng, QUESTIONS["sound_presence"]).format(sound=sound_words(known.heard[event]))
    heard = listen(tape, known)
    tell(known, heard.step, rng)
    tape.step("answer").words.say("Yes, I hear ").add(said(known, event)).say(".")
    return Draft("sound_presence", question, "yes")


def sound_absent(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks whether a sound is heard that is not."""
    kind = sound_words(option.key)
    question = any_of(rng, QUESTIONS["sound_presence"]).format(sound=kind)
    heard = listen(tape, known)
    tell(known, heard.step, rng)
    tape.step("answer").words.fill(
        any_of(rng, ("No, I hear no {it}.", "No, there is no {it}.")), it=_denied(kind)
    )
    return Draft("sound_presence", question, "no", "absent")


def _denied(kind: str) -> Words:
    return Words().point(bare(kind))


def when(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks when a sound is heard."""
    event = option.facts[0]
    question = any_of(rng, QUESTIONS["when"]).format(sound=sound_words(known.heard[event]))
    heard = listen(tape, known)
    tell(known, heard.step, rng)
    time = known.times[event]
    it = said(known, event, article=False)
    template = any_of(rng, ("The {it} is heard from {time}.", "From {time}: the {it}."))
    tape.step("answer").words.fill(template, it=it, time=seconds(time.start_s, time.end_s))
    return Draft("when", question, f"{time.start_s:.1f}-{time.end_s:.1f}")


def when_never(known: Known, tape: Tape, rng: Rng, option: Option) -> Draft:
    """Asks when a sound is heard that is never heard."""
    kind = sound_words(option.key)
    question = any_of(rng, QUESTIONS["when"]).format(sound=kind)
    heard = listen(tape, known)
    tell(known, heard.step, rng)
    tape.step("answer").words.fill(
        any_of(rng, ("Never: I hear no {it}.", "There is no {it}.")), it=_denied(kind)
    )
    return Draft("when", question, "never", "false_premise")
