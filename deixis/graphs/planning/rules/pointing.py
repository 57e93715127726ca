"""Answers that point at one thing: where it is, which it is, what colour it has; or that it is not there."""

from __future__ import annotations

from deixis.graphs.answering.wording import place
from deixis.graphs.planning.protocol import Claim, Denial, NextStep
from deixis.graphs.planning.rules.choosing import Choice, Option, choose, colours, named, options
from deixis.graphs.planning.rules.knowing import Known
from deixis.graphs.planning.rules.targets import Target
from deixis.media.refs import MediaSource
from deixis.tools.words.morphology import article


class Sentence:
    """A text under way with its claims and denials."""

    def __init__(self) -> None:
        self.text = ""
        self.claims: list[Claim] = []
        self.denials: list[Denial] = []

    def say(self, words: str) -> Sentence:
        """Adds plain words."""
        self.text += words
        return self

    def point(self, words: str, *refs: str) -> Sentence:
        """Adds words that point."""
        self.text += words
        self.claims.append(Claim(phrase=words[:300], refs=refs))
        return self

    def deny(self, words: str, note: str = "") -> Sentence:
        """Adds words for what is not there."""
        self.text += words
        self.denials.append(Denial(phrase=words[:300], note=note[:300]))
        return self

    def step(self) -> NextStep:
        """Returns the step that answers."""
        return NextStep(
            kind="answer", text=self.text.strip(), claims=tuple(self.claims), denials=tuple(self.denials)
        )


def say_target(said: Sentence, target: Target, choice: Choice, known: Known, media: MediaSource) -> None:
    """Writes where a target is; where it is not there, what is there instead."""
    if choice.option is None:
        _say_absent(said, target, choice, known, media)
        return
    option = choice.option
    ref = known.ref(option.group.id, option.index)
    noun = _called(target)
    said.say("The " if target.plain else "It is the ").point(noun, ref)
    where = place(option.box, option.image.size)
    if target.side is not None and choice.other is not None:
        other = choice.other
        said.say(f" {target.side} the ").point(target.other, known.ref(other.group.id, other.index))
        said.say(f", {where}. ")
    elif target.plain:
        said.say(f" is {where}. ")
    else:
        said.say(f", {where}. ")


def _called(target: Target) -> str:
    return target.noun if target.side is not None and not target.colour else target.phrase


def _say_absent(said: Sentence, target: Target, choice: Choice, known: Known, media: MediaSource) -> None:
    offered = options(known, target.noun)
    gone = {one.phrase.casefold(): one for one in known.facts.not_found}
    if not offered:
        reason = gone.get(target.noun.casefold())
        if reason is not None and reason.reason == "not_covered":
            said.say(f"I cannot tell about {article(target.phrase)} {target.phrase}: no tool here knows it. ")
            said.denials.append(Denial(phrase=target.phrase[:300], reason="not_covered"))
            return
        said.say("There is no ").deny(target.phrase).say(". ")
        return
    if target.side is not None and not options(known, target.other):
        said.say(f"There is no {target.noun} {target.side} ").say(f"{article(target.other)} ")
        said.deny(target.other).say(": ").say("there is none. ")
        said.denials.append(Denial(phrase=target.phrase[:300], note=choice.why[:300]))
        return
    said.say("There is no ").deny(target.phrase, choice.why).say(". ")
    told = _told(target, offered[0], media)
    said.say("There is ").say(f"{article(f'{told} {target.noun}'.strip())} ")
    said.say(f"{told} " if told else "")
    said.point(target.noun, known.ref(offered[0].group.id, offered[0].index)).say(". ")


def _told(target: Target, option: Option, media: MediaSource) -> str:
    return named(colours(option, media)) if target.colour else ""


def say_colour(said: Sentence, target: Target, known: Known, media: MediaSource) -> bool:
    """Writes what colour a thing has; returns whether it could be told."""
    choice = choose(target, known, media)
    if choice.option is None:
        say_target(said, target, choice, known, media)
        return True
    told = named(colours(choice.option, media))
    if not told:
        return False
    ref = known.ref(choice.option.group.id, choice.option.index)
    said.say("The ").point(target.phrase, ref).say(f" is {told}. ")
    return True
