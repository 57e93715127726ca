"""Answers to questions that point: to a thing of an earlier turn, or to a place in the picture.

One writer for all graphs: it goes by facts (`deixis.graphs.answering.facts`), and says of each thing only
what a tool saw at the place that is meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from deixis.answer import NotFound
from deixis.graphs.answering.draft import Draft, Writer
from deixis.graphs.answering.facts import Facts
from deixis.graphs.answering.wording import place
from deixis.graphs.rules import lexicon as lex
from deixis.graphs.rules import relations
from deixis.graphs.rules.candidates import Candidate, Scene
from deixis.graphs.rules.expressions import RelationKind
from deixis.graphs.rules.kinds import UNKNOWN, fits
from deixis.graphs.rules.questions import Question, parse
from deixis.graphs.turns.asked import Asked, Pin
from deixis.graphs.turns.focus import RELATION, head
from deixis.graphs.turns.holding import Held, fit_of, held
from deixis.media.refs import MediaSource
from deixis.tools.words.morphology import article
from deixis.tools.words.phrases import strip_determiners

STANDS = 0.3
"""How well a thing must stand in a relation (`relations.pairs`, 0..1) to be named."""
MOST_BESIDE = 3
_HEARING = frozenset({"hear", "sound_presence", "sound_when", "source", "related"})
_KINDS: dict[str, RelationKind] = {
    "left": "left", "right": "right", "above": "above", "over": "above", "below": "below", "under": "below",
    "beneath": "below", "underneath": "below", "behind": "behind", "front": "front", "top": "on", "on": "on",
    "in": "in", "inside": "in",
}  # fmt: skip
_COLOUR = re.compile(
    r"\bcolou?rs?\b|\b(?:is|are) the [\w ]+? (?:" + "|".join(sorted(lex.COLOURS)) + r")\W*$", re.I
)
_KIND = re.compile(r"^\W*(?:is|are) .*? (?:a|an) (?P<x>[\w ]+?)\W*$", re.IGNORECASE)
_THERE = re.compile(
    r"^\W*(?:is|are) there (?:a |an |any )?(?P<x>[\w ]+?) (?=(?:to the |on the )?(?:next|beside|near|close|by"
    r"|left|right|above|over|below|under|beneath|behind|in|on|around)\b)",
    re.IGNORECASE,
)
_WHAT = re.compile(r"^\W*(?:what|who|which (?:thing|object|animal))(?:'s| is| are|) ", re.IGNORECASE)


def speaks_of_pins(question: Question, asked: Asked) -> bool:
    """Returns whether a question is answered here."""
    return bool(asked.pins) and question.intent not in _HEARING


def wanted(asked: Asked) -> tuple[str, ...]:
    """Returns what a detector is asked for: the things that are pointed at, and those to be found beside."""
    names = [pin.phrase for pin in asked.pins if not pin.bare]
    beside = _THERE.match(asked.text) or _KIND.match(asked.text)
    names += [beside["x"]] if beside is not None else []
    return tuple(dict.fromkeys(name for name in map(strip_determiners, names) if name))


def answer_pointed(asked: Asked, facts: Facts, media: MediaSource) -> Draft:
    """Returns the draft of the answer to a question with pins."""
    writer = Writer()
    found = [(pin, held(pin, facts.things)) for pin in asked.pins]
    gone = [pin for pin, one in found if one is None]
    if gone or not facts.looked:
        return _say_unseen(writer, gone, facts)
    here = [(pin, one) for pin, one in found if one is not None]
    status: Any = "complete"
    for way in (_compared, _beside, _called, _coloured, _named, _placed):
        if way(writer, asked, here, facts, media):
            break
    else:
        status = "needs_mllm"
        _say_what_is_known(writer, here, facts)
    return writer.draft(tuple(_absent(asked, facts)), status)


def _say_unseen(writer: Writer, gone: Sequence[Pin], facts: Facts) -> Draft:
    absent: list[NotFound] = []
    if not facts.looked:
        writer.say("I could not look at the picture: the detector gave nothing. ")
    for pin in gone:
        x1, y1, x2, y2 = (round(value) for value in pin.box.xyxy_px)
        where = f"x {x1}–{x2}, y {y1}–{y2} px" if pin.box.area > 0 else f"x {x1}, y {y1} px"
        what = "anything that it knows" if pin.bare else f"{article(pin.phrase)} {pin.phrase}"
        if facts.looked:
            writer.say(f"No tool sees {what} at {where}. ")
        reason: Any = "absent" if facts.looked else "not_looked"
        absent.append(NotFound(phrase=pin.phrase, medium="image", reason=reason, note=f"not at {where}"))
        others = [] if pin.bare else [g for g in facts.things if head(g.label) == head(pin.phrase)]
        images = {ref.digest: ref for ref in facts.images}
        for group in others[:1]:
            best = max(range(len(group.regions)), key=lambda i, g=group: g.regions[i].score.value)  # type: ignore[misc]
            one = Held(group, best)
            writer.say("There is ").say(f"{article(one.word)} ").point(one.word, one.id)
            writer.say(f" {place(one.box, images[group.regions[best].media].size)}. ")
    return writer.draft(tuple(absent))


Here = Sequence[tuple[Pin, Held]]


def _landmark(asked: Asked, here: Here) -> tuple[Held, str] | None:
    """Returns the pinned thing that another one is said to stand beside, and the words for how."""
    for pin, one in reversed(here):
        hit = RELATION.search(asked.text[: pin.start])
        if hit is not None:
            before = asked.text[: hit.start()].casefold()
            way = re.sub(r"\s+(?:the |a |an )?$", "", hit[0].casefold())
            if way in ("left of", "right of") or way.startswith(("left side", "right side")):
                way = f"to the {way.split()[0]} of"
            elif way in ("in", "on") and pin.phrase == "place":
                continue
            return one, "on top of" if way == "on" and before.endswith("on top") else way
    return None


def _kind_of(way: str) -> RelationKind:
    return next((_KINDS[word] for word in way.split() if word in _KINDS and word not in ("in", "on")), None) \
        or _KINDS.get(way, "near")  # fmt: skip


def _neighbours(one: Held, way: str, facts: Facts) -> list[Held]:
    """Returns what stands so beside a thing, the clearest case first."""
    media = one.group.regions[one.index].media
    size = next(ref.size for ref in facts.images if ref.digest == media)
    rows = [one]
    for group in facts.things:
        for index, region in enumerate(group.regions):
            other = Held(group, index)
            if region.media != media or region.box is None or other.id == one.id:
                continue
            if all(fit_of(row.box, region.box) < 0.7 for row in rows):
                rows.append(other)
    items = [Candidate(row.box, row.group.names, row.group.regions[row.index].score.value) for row in rows]
    shape = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), (size.height, size.width, 3))
    fit = relations.pairs(Scene(items, shape), _kind_of(way))[:, 0]
    order = sorted(range(1, len(rows)), key=lambda i: -float(fit[i]))
    return [rows[i] for i in order if fit[i] >= STANDS]


def _compared(writer: Writer, asked: Asked, here: Here, facts: Facts, media: MediaSource) -> bool:
    """Says whether one pinned thing stands beside another: 'is it left of the cat?'."""
    if len(here) != 2 or not re.match(r"\W*(?:is|are)\b", asked.text, re.IGNORECASE):
        return False
    stands = _landmark(asked, here[1:])
    if stands is None or here[0][1].id == stands[0].id:
        return False
    one, (other, way) = here[0][1], stands
    yes = any(row.id == one.id for row in _neighbours(other, way, facts))
    writer.say("Yes, the " if yes else "No, the ").point(one.word, one.id)
    writer.say(f" is {way} the " if yes else f" is not {way} the ").point(other.word, other.id).say(". ")
    return True


def _beside(writer: Writer, asked: Asked, here: Here, facts: Facts, media: MediaSource) -> bool:
    """Says what stands beside a pinned thing: 'what is to the left of it?', 'is there a cat next to it?'."""
    stands = _landmark(asked, here)
    there = _THERE.match(asked.text)
    if stands is None or not (there or _WHAT.match(asked.text)):
        return False
    one, way = stands
    rows = _neighbours(one, way, facts)
    if there is not None:
        rows = [
            row
            for row in rows
            if fits(there["x"], row.group.names) > UNKNOWN or head(row.group.label) == head(there["x"])
        ]
        if not rows:
            writer.say(f"No: I see no {strip_determiners(there['x'])} {way} the ").point(
                one.word, one.id
            ).say(". ")
            return True
        writer.say("Yes: ")
    if not rows:
        writer.say(f"I see nothing that I know {way} the ").point(one.word, one.id).say(". ")
        return True
    words = f"{way} the "
    writer.say(words if there else words[:1].upper() + words[1:]).point(one.word, one.id)
    shown = rows[:MOST_BESIDE]
    writer.say(" is " if len(shown) == 1 else " are ")
    for index, row in enumerate(shown):
        if index:
            writer.say(" and " if index == len(shown) - 1 else ", ")
        writer.say(_article(row, one)).point(row.word, row.id)
    writer.say(". ")
    return True


def _article(row: Held, other: Held) -> str:
    """Returns 'a ', 'an ', or 'another ' where the other thing is called the same."""
    return "another " if row.word == other.word else f"{article(row.word)} "


def _called(writer: Writer, asked: Asked, here: Here, facts: Facts, media: MediaSource) -> bool:
    """Says whether a pinned thing is of a kind: 'is it a dog?'."""
    hit = _KIND.match(asked.text)
    if hit is None or len(here) != 1 or any(pin.start >= hit.start("x") for pin, _ in here):
        return False
    one = here[0][1]
    yes = head(hit["x"]) == head(one.group.label) or fits(hit["x"], one.group.names) >= 0.75
    writer.say("Yes, it is " if yes else "No, it is ").say(f"{article(one.word)} ").point(
        one.word, one.id
    ).say(". ")
    return True


def _coloured(writer: Writer, asked: Asked, here: Here, facts: Facts, media: MediaSource) -> bool:
    """Says what colour a pinned thing has."""
    from deixis.graphs.planning.rules.choosing import Option, colours
    from deixis.graphs.planning.rules.choosing import named as colour_named

    if _COLOUR.search(asked.text) is None:
        return False
    one = here[0][1]
    region = one.group.regions[one.index]
    image = next(ref for ref in facts.images if ref.digest == region.media)
    told = colour_named(colours(Option(one.group, one.index, one.box, image, region.score.value), media))
    behind = asked.text[here[0][0].end :].casefold() if re.match(r"\W*(?:is|are)\b", asked.text, re.I) else ""
    said = [lex.COLOURS[word] for word in re.findall(r"\w+", behind) if word in lex.COLOURS]
    if not told:
        writer.say("I cannot tell the colour of the ").point(one.word, one.id).say(": none stands out. ")
        return True
    opener = ("Yes, the " if told in said else "No, the ") if said else "The "
    writer.say(opener).point(one.word, one.id).say(f" is {told}. ")
    return True


def _named(writer: Writer, asked: Asked, here: Here, facts: Facts, media: MediaSource) -> bool:
    """Says what there is at a place: 'what is this [120, 40, 300, 280]?'."""
    rest = "".join(
        asked.text[a:b]
        for a, b in zip([0, *(p.end for p, _ in here)], [*(p.start for p, _ in here), None])  # noqa: B905
    )
    if not re.fullmatch(
        r"\W*(?:(?:what|who)(?:'s| is| are)?)?(?: (?:the|this|that|in|at|inside|here))*\W*", rest, re.I
    ):
        return False
    for _, one in here:
        image = next(ref for ref in facts.images if ref.digest == one.group.regions[one.index].media)
        writer.say("It is ").say(f"{article(one.word)} ").point(one.word, one.id)
        writer.say(f" {place(one.box, image.size)}. ")
    return True


def _placed(writer: Writer, asked: Asked, here: Here, facts: Facts, media: MediaSource) -> bool:
    """Says where pinned things are."""
    if parse(asked.text).intent not in ("where", "which", "presence", "count"):
        return False
    for _, one in here:
        image = next(ref for ref in facts.images if ref.digest == one.group.regions[one.index].media)
        writer.say("The ").point(one.word, one.id).say(f" is {place(one.box, image.size)}. ")
    return True


def _say_what_is_known(writer: Writer, here: Here, facts: Facts) -> None:
    """Says that the question takes a language model, and what there is to say of the things it points at."""
    writer.say("This question needs a language model, and this profile has none. What I can tell: ")
    for _, one in here:
        image = next(ref for ref in facts.images if ref.digest == one.group.regions[one.index].media)
        writer.say("The ").point(one.word, one.id).say(f" is {place(one.box, image.size)}")
        near = _neighbours(one, "next to", facts)[:1]
        for row in near:
            writer.say(f", next to {_article(row, one)}").point(row.word, row.id)
        writer.say(". ")


def _absent(asked: Asked, facts: Facts) -> list[NotFound]:
    """Returns what was asked for beside a thing, and is nowhere in the picture."""
    there = _THERE.match(asked.text)
    said = {head(there["x"])} if there is not None else set()
    return [gone for gone in facts.not_found if head(gone.phrase) in said]
