"""Whether an answer is right: its words, its entities, its relation, its denials. Pure functions.

What is asked for is in the words of a free text, which `deixis.eval.mllm.wording` reads; where things are is
in the entities. An episode is right where all of its parts are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from deixis.answer import Entity, GroundedAnswer
from deixis.eval.agent.data import Episode, Makes, Seen
from deixis.eval.agent.names import fits_sound, fits_thing
from deixis.eval.mllm import wording
from deixis.geometry import Box, Frozen, TimeSpan
from deixis.tools.words.morphology import singular

IOU = 0.5
"""From which a place is that of a thing (RefCOCO, Yu et al. 2016), and a time that of a sound."""
LEAST_NAMED = 0.5
"""The share of the kinds of things that an answer to 'what is there' must name; none of them wrongly."""
POINTING = frozenset({"where", "find", "which", "relation", "outline"})
PAIR = "photo pair"
RELATING = frozenset({"sound_source", "match"})
_DENIES = re.compile(r"\b(?:no|not|never|nothing|none)\b", re.IGNORECASE)


class Judged(Frozen):
    """What came of an episode. `relation` and `absence` are None where nothing is to be said of them.

    `claims`, `good`: entities, and those of them that are supported and right. `off_screen`: something was
    claimed that is not there; None where all is there. `wrong` names the first part that was wrong.
    """

    row: str
    episode: str
    kind: str
    task: str
    answer: bool
    entities: bool
    relation: bool | None = None
    absence: bool | None = None
    claims: int = 0
    good: int = 0
    off_screen: bool | None = None
    steps: int = 0
    calls: int = 0
    seconds: float = 0.0
    status: str = ""
    fell_back: bool = False
    wrong: str = ""

    @property
    def right(self) -> bool:
        """Returns whether everything is right."""
        return self.answer and self.entities and self.relation is not False and self.absence is not False


def judged(row: str, episode: Episode, answer: GroundedAnswer, **counts: Any) -> Judged:
    """Returns the verdicts on an answer; `counts` are the run's steps, calls and seconds."""
    good = [one for one in answer.entities if entity_right(one, episode, answer)]
    relation = _relation(episode, answer)
    absence = _absence(episode, answer)
    said = _answer(episode, answer)
    verdict: dict[str, Any] = {
        "answer": said,
        "entities": len(good) == len(answer.entities),
        "relation": relation,
        "absence": absence,
    }
    return Judged(
        row=row,
        episode=episode.id,
        kind=episode.kind,
        task=episode.task,
        claims=len(answer.entities),
        good=len(good),
        off_screen=_off_screen(episode, answer),
        status=answer.status,
        wrong=next((part for part, right in verdict.items() if right is False), ""),
        **verdict,
        **counts,
    )


def entity_right(entity: Entity, episode: Episode, answer: GroundedAnswer) -> bool:
    """Returns whether an entity is supported, and all its places are those of things of its name."""
    if not entity.supported or not entity.regions:
        return False
    if episode.kind == PAIR:  # where things are is not known of these: what counts is what is tied together
        tied = [one.verdict == "matched" for one in answer.relations if entity.id in (one.sound, one.thing)]
        return not any(tied) or episode.value == "matched"
    if entity.kind == "sound":
        spans = [region.span for region in entity.regions if region.span is not None]
        names = [sound.span for sound in episode.sounds if fits_sound(entity.label, sound)]
        return covered(spans, names) >= IOU
    return all(
        region.box is not None
        and any(
            thing.medium == _place(answer, region.media) and region.box.iou(thing.box) >= IOU
            for thing in episode.things
            if fits_thing(entity.label, thing.name, episode.world)
        )
        for region in entity.regions
    )


def covered(spans: Sequence[TimeSpan], true: Sequence[TimeSpan]) -> float:
    """Returns the time that two sets of stretches share, over that which either takes, in 0..1."""
    edges = sorted({edge for one in (*spans, *true) for edge in (one.start_s, one.end_s)})
    shared = either = 0.0
    for low, high in pairwise(edges):
        own = any(one.start_s <= low and high <= one.end_s for one in spans)
        its = any(one.start_s <= low and high <= one.end_s for one in true)
        shared += (high - low) * (own and its)
        either += (high - low) * (own or its)
    return shared / either if either else 0.0


def _place(answer: GroundedAnswer, digest: str) -> int:
    """Returns the number of a picture of the answer, from 0; -1 for another medium."""
    digests = [ref.digest for ref in answer.media if ref.kind == "image"]
    return digests.index(digest) if digest in digests else -1


def _answer(episode: Episode, answer: GroundedAnswer) -> bool:
    text, task = answer.text, episode.task
    if episode.absence and task in POINTING | {"attribute"}:
        return denied(episode, answer)
    if task in POINTING:
        return bool(episode.meant) and points_at(answer, episode.things[episode.meant[0]])
    match task:
        case "attribute":
            bare = _without(text, answer.question, episode)
            return wording.all_of(bare, "colours") == [episode.value]
        case "count":
            return wording.number(text) == int(episode.value)
        case "presence" | "sound_presence":
            return wording.yes_or_no(text) == (episode.value == "yes")
        case "match":
            said = wording.yes_or_no(text)
            return said is not False if episode.value == "partly" else said == (episode.value == "yes")
        case "list" | "caption":
            return _named(episode, _unsounded(answer))
        case "hear":
            return _heard(episode, answer)
        case "when":
            if episode.absence:
                return denied(episode, answer)
            asked = [episode.sounds[number].span for number in episode.heard]
            return any(
                covered([r.span for r in one.regions if r.span], asked) >= IOU
                for one in answer.entities
                if one.kind == "sound"
            )
        case "sound_source":
            if episode.kind != PAIR and episode.value == "nothing" and not episode.made:
                return not _matched(answer) and bool(_DENIES.search(text) or "silent" in text)
            return _relation(episode, answer) is True
    return True


def _without(text: str, question: str, episode: Episode) -> str:
    """Returns the text without the names of the things meant, which may be colours as well."""
    names = {episode.things[number].name for number in episode.meant}
    asked = (
        question.casefold().rstrip("?. ").partition("colour of the")[2]
        or question.casefold().rstrip("?. ").partition(" is the ")[2]
    )
    for name in sorted({*names, asked} - {""}, key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(name)}\b", " ", text, flags=re.IGNORECASE)
    return text


def points_at(answer: GroundedAnswer, thing: Seen) -> bool:
    """Returns whether the first thing that an answer points at is this one, and no other beside it."""
    named = [answer.entity(one) for mention in answer.mentions for one in mention.entities]
    first = next((entity for entity in named if entity.kind == "thing"), None)
    if first is None or len(first.regions) != 1:
        return False
    region = first.regions[0]
    own = _place(answer, region.media) == thing.medium
    return own and region.box is not None and region.box.iou(thing.box) >= IOU


def _unsounded(answer: GroundedAnswer) -> str:
    """Returns the text without the names of sounds, which may be those of things: a piano, a helicopter."""
    text = answer.text
    sounds = {entity.id for entity in answer.entities if entity.kind == "sound"}
    phrases = {one.phrase for one in answer.mentions if sounds & set(one.entities)}
    for phrase in sorted(phrases, key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(phrase)}\b", " ", text, flags=re.IGNORECASE)
    return text


def _named(episode: Episode, text: str) -> bool:
    told, true = set(wording.all_of(text, "things")), {thing.name for thing in episode.things}
    if not true:
        return not told and bool(_DENIES.search(text))
    return told <= true and len(told) >= LEAST_NAMED * min(len(true), 6)


def _heard(episode: Episode, answer: GroundedAnswer) -> bool:
    told = [one.label for one in answer.entities if one.kind == "sound"]
    if not episode.sounds:
        return not told
    return all(any(fits_sound(label, one) for one in episode.sounds) for label in told) and all(
        any(fits_sound(label, one) for label in told) for one in episode.sounds
    )


def denied(episode: Episode, answer: GroundedAnswer) -> bool:
    """Returns whether an answer says of what is asked for that it is not there."""
    wanted = [_words(phrase) for phrase in episode.denied]
    gone = [_words(one.phrase) for one in answer.not_found if one.reason == "absent"]
    return bool(wanted) and all(any(one <= phrase or phrase <= one for one in gone) for phrase in wanted)


def _words(phrase: str) -> set[str]:
    return {singular(word) for word in phrase.casefold().split()} - {"a", "an", "the"}


def _absence(episode: Episode, answer: GroundedAnswer) -> bool | None:
    if not episode.absence:
        return False if any(one.reason == "absent" for one in answer.not_found) else None
    if episode.denied:
        return denied(episode, answer)
    if episode.absence == "unrelated_sound":
        return not _matched(answer) and bool(_DENIES.search(answer.text))
    return not answer.entities and bool(_DENIES.search(answer.text) or "silent" in answer.text)


def _matched(answer: GroundedAnswer) -> bool:
    return any(one.verdict == "matched" for one in answer.relations)


def _relation(episode: Episode, answer: GroundedAnswer) -> bool | None:
    """Returns whether each sound that the right answer speaks of is tied to what makes it, or to nothing."""
    if episode.task not in RELATING:
        return None
    if episode.kind == PAIR:
        return answer.relation == episode.value
    if not episode.made:
        return not _matched(answer)
    return all(_related(one, episode, answer) for one in episode.made)


def _related(made: Makes, episode: Episode, answer: GroundedAnswer) -> bool:
    sound = episode.sounds[made.sound]
    own = [one for one in answer.relations if one.sound and fits_sound(answer.entity(one.sound).label, sound)]
    if not made.things:
        return all(one.verdict == "unmatched" for one in own) if own else answer.relation == "unmatched"
    boxes = [episode.things[number].box for number in made.things]
    return any(one.verdict == "matched" and _made_by(answer, one.thing, boxes) for one in own)


def _made_by(answer: GroundedAnswer, thing: str | None, boxes: Sequence[Box]) -> bool:
    if thing is None:
        return False
    own = [region.box for region in answer.entity(thing).regions if region.box is not None]
    return bool(own) and all(any(box.iou(one) >= IOU for one in boxes) for box in own)


def _off_screen(episode: Episode, answer: GroundedAnswer) -> bool | None:
    """Returns whether something is claimed that is not there; None where everything asked for is."""
    if not episode.absence:
        return None
    if episode.task in RELATING:
        return _matched(answer) and not any(one.things for one in episode.made)
    if episode.task in ("presence", "sound_presence"):
        return wording.yes_or_no(answer.text) is True
    return not denied(episode, answer) and bool(answer.entities) if episode.denied else bool(answer.entities)
