"""Figures of what systems said, each with n and a 95 % interval. Pure functions of questions and replies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deixis.eval.mllm import wording
from deixis.eval.mllm.data import POINTED, Ask
from deixis.eval.mllm.talking import Reply
from deixis.eval.pocket.styles import clustered, mean
from deixis.eval.pope.metric import f1 as yes_f1
from deixis.eval.report import Measure, bootstrap, proportion
from deixis.geometry import Box

IOU = 0.5
"""From which a box is the thing's (RefCOCO, Yu et al. 2016)."""
CHOSEN, WRITTEN, CALLED = "REC choosing among proposals", "REC writing coordinates", "REC by its own calls"
STEPPED = "REC choosing in steps"
YES_RATE = "yes/no yes-rate"
BARS = {
    f"{CHOSEN}, unique": 0.90,
    f"{CHOSEN}, relation": 0.75,
    f"{WRITTEN}, unique": 0.60,
    f"{WRITTEN}, relation": 0.45,
    "yes/no accuracy": 0.92,
    f"{YES_RATE}, distance from .5": 0.05,
}
ACCELERATED = {f"{WRITTEN}, unique": 0.85, f"{WRITTEN}, relation": 0.70}
"""Bars where an accelerator trained the twin."""
ROUNDS = 400

Said = Sequence[tuple[Ask, Reply]]


def pointed_box(reply: Reply) -> Box | None:
    """Returns the box that an answer points at: the first one; None where it has none that can be read."""
    return next((box for span in reply.spans for box in span.boxes), None)


def rec(said: Said, name: str) -> list[Measure]:
    """Returns accuracy at IoU .5 by kind of expression, and the share in which no box could be read.

    An answer without a readable box is wrong, and counted apart as well.
    """
    found = []
    for group in POINTED:
        own = [(ask.box, pointed_box(reply)) for ask, reply in said if ask.group == group]
        hits = sum(box is not None and meant is not None and box.iou(meant) >= IOU for meant, box in own)
        found.append(proportion(f"{name}, {group}", hits, len(own)))
    unread = [pointed_box(reply) is None for ask, reply in said if ask.group in POINTED]
    found.append(lower(proportion(f"{name}, no box to be read", sum(unread), len(unread))))
    return found


def offered(said: Said, name: str) -> list[Measure]:
    """Returns how often the thing meant was among the proposals on offer at the end: the ceiling."""
    found = []
    for group in POINTED:
        own = [(ask.box, reply.offered) for ask, reply in said if ask.group == group]
        hits = sum(any(meant and one.box.iou(meant) >= IOU for one in offer) for meant, offer in own)
        found.append(proportion(f"{name}, {group}: it is among them", hits, len(own)))
    return found


def refusals(said: Said) -> list[Measure]:
    """Returns how often something that is not there is pointed at nowhere, by an answer that was ended."""
    own = [reply for ask, reply in said if ask.group == "absent"]
    right = sum(reply.whole and bool(reply.text.strip()) and pointed_box(reply) is None for reply in own)
    return [proportion("asked to point at what is not there: refused", right, len(own))]


def presence(said: Said) -> list[Measure]:
    """Returns accuracy, F1 of yes, yes-rate and what could not be read, of questions that are half yes.

    What cannot be read is wrong and no yes. Intervals are over scenes: each has one question of each kind.
    """
    read = [
        (ask.value == "yes", wording.yes_or_no(reply.text), ask.place)
        for ask, reply in said
        if ask.group in ("yes", "no")
    ]
    # What cannot be read stands for the wrong answer in the F1, never for a lucky no.
    pairs = [((truth, (not truth) if answer is None else answer), place) for truth, answer, place in read]
    groups = _by_place([(pair, place) for pair, place in pairs])
    yes = [(answer is True, place) for _, answer, place in read]
    rate = clustered(YES_RATE, _by_place(yes), mean, rounds=ROUNDS)
    gap = clustered(
        f"{YES_RATE}, distance from .5", _by_place(yes), lambda part: abs(mean(part) - 0.5), rounds=ROUNDS
    )
    right = [(truth == answer, place) for truth, answer, place in read]
    unread = sum(answer is None for _, answer, _ in read)
    return [
        clustered("yes/no accuracy", _by_place(right), mean, rounds=ROUNDS),
        clustered("yes/no F1", groups, yes_f1, rounds=ROUNDS),
        rate,
        lower(gap),
        lower(proportion("yes/no, not to be read", unread, len(read))),
    ]


def counting(said: Said) -> list[Measure]:
    """Returns how often the number is right, of none to many."""
    own = [(ask.value, wording.number(reply.text)) for ask, reply in said if ask.group == "count"]
    return [proportion("counting, exact", sum(str(number) == value for value, number in own), len(own))]


def attributes(said: Said) -> list[Measure]:
    """Returns how often the colour is right."""
    own = [
        (ask.value, wording.first_of(reply.text, "colours"))
        for ask, reply in said
        if ask.group == "attribute"
    ]
    return [proportion("attributes, colour", sum(value == told for value, told in own), len(own))]


def captions(said: Said) -> list[Measure]:
    """Returns the texts' ROUGE-L and F1 of the kinds named, and F1 and recall of the phrases' boxes.

    A box is right where it lies on a thing (IoU .5, each found once) whose kind its phrase names.
    """
    own = [(ask, reply) for ask, reply in said if ask.group == "caption"]
    texts = [rouge_l(ask.text, reply.text) for ask, reply in own]
    kinds = [
        overlap({name for name, _ in ask.things}, wording.all_of(reply.text, "things")) for ask, reply in own
    ]
    boxes = [boxes_found(ask, reply) for ask, reply in own]
    return [
        bootstrap("caption, ROUGE-L", texts, mean, rounds=ROUNDS),
        bootstrap("caption, F1 of kinds", kinds, mean, rounds=ROUNDS),
        bootstrap("grounded caption, F1 of boxes", boxes, micro_f1, rounds=ROUNDS),
        bootstrap("grounded caption, recall of boxes", boxes, micro_recall, rounds=ROUNDS),
    ]


def heard(said: Said) -> list[Measure]:
    """Returns how often exactly what is heard is named, and the F1 of the sounds."""
    own = [
        (_named(ask.value), set(wording.all_of(reply.text, "sounds")), reply)
        for ask, reply in said
        if ask.group == "heard"
    ]
    right = sum(truth == told and bool(reply.text.strip()) for truth, told, reply in own)
    return [
        proportion("heard, exactly", right, len(own)),
        bootstrap(
            "heard, F1 of sounds", [_counts(truth, told) for truth, told, _ in own], micro_f1, rounds=ROUNDS
        ),
    ]


def _named(value: str) -> set[str]:
    return set() if value == "nothing" else {one for one in value.split(", ") if one}


PARTS: tuple[Callable[[Said], list[Measure]], ...] = (
    refusals, presence, counting, attributes, captions, heard,
)  # fmt: skip
"""The figures of dialogues with tools, besides `rec`."""


def with_bars(measures: Sequence[Measure], bars: Mapping[str, float]) -> list[Measure]:
    """Returns the measures with the bars of their names."""
    return [one.model_copy(update={"bar": bars[one.name]}) if one.name in bars else one for one in measures]


def lower(measure: Measure) -> Measure:
    """Returns the measure as one that is better when it is lower."""
    return measure.model_copy(update={"better": "lower"})


def _by_place(rows: Sequence[tuple[Any, int]]) -> list[list[Any]]:
    groups: dict[int, list[Any]] = {}
    for value, place in rows:
        groups.setdefault(place, []).append(value)
    return list(groups.values())


def overlap(truth: Any, told: Any) -> float:
    """Returns the F1 of two sets; 1 where both are empty."""
    true, said = set(truth), set(told)
    return 2 * len(true & said) / (len(true) + len(said)) if true or said else 1.0


def rouge_l(reference: str, said: str) -> float:
    """Returns the F1 of the longest common subsequence of words (ROUGE-L, Lin 2004), in 0..1."""
    one, other = (
        "".join(sign if sign.isalnum() else " " for sign in text.casefold()).split()
        for text in (reference, said)
    )
    if not one or not other:
        return 0.0
    before = [0] * (len(other) + 1)
    for word in one:
        row = [0]
        for place, own in enumerate(other, 1):
            row.append(before[place - 1] + 1 if own == word else max(before[place], row[-1]))
        before = row
    return 2 * before[-1] / (len(one) + len(other))


def boxes_found(ask: Ask, reply: Reply) -> tuple[int, int, int]:
    """Returns how many boxes of an answer are right, how many it has, and how many there are to find."""
    told = [(span.phrase, box) for span in reply.spans for box in span.boxes]
    pairs = sorted(
        (
            (box.iou(own), place, number)
            for place, (phrase, box) in enumerate(told)
            for number, (name, own) in enumerate(ask.things)
            if name in wording.all_of(phrase, "things")
        ),
        reverse=True,
    )
    used: set[int] = set()
    found: set[int] = set()
    for fit, place, number in pairs:
        if fit >= IOU and place not in used and number not in found:
            used.add(place)
            found.add(number)
    return len(found), len(told), len(ask.things)


def _counts(truth: set[str], told: set[str]) -> tuple[int, int, int]:
    return len(truth & told), len(told), len(truth)


def micro_f1(counts: Sequence[Any]) -> float:
    """Returns the F1 of (right, told, true) counts taken together; 1 where there is nothing at all."""
    right, told, true = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
    return 2 * right / (told + true) if told + true else 1.0


def micro_recall(counts: Sequence[Any]) -> float:
    """Returns the recall of (right, told, true) counts taken together."""
    right, true = sum(one[0] for one in counts), sum(one[2] for one in counts)
    return right / true if true else 1.0
