"""What is kept: understanding before and after, answer by answer and bit by bit; and the gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deixis.eval.mllm import wording
from deixis.eval.mllm.data import POINTED, Ask, wording_shared
from deixis.eval.mllm.metric import ROUNDS, lower, overlap
from deixis.eval.mllm.talking import Reply
from deixis.eval.pocket.styles import clustered, mean
from deixis.eval.report import Measure, proportion
from deixis.learned.training.stages.gate import gather
from deixis.learned.twin.gates.measure import measure_gate
from deixis.learned.twin.gates.prompts import Prompt

GATE_BAR = 0.99
FAMILIES = {
    "attribute": ("colours", "sizes"), "place": ("places",), "relation": ("things",), "source": ("things",),
    "ground": ("grounds",), "sound_order": ("sounds",),
}  # fmt: skip
"""By skill, the terms that an answer is read for."""


def score(ask: Ask, reply: Reply) -> float:
    """Returns how right an understanding answer is, 0..1; plain words and whole sentences count alike.

    Descriptions and lists: F1 of the kinds named (sounds of what is heard). All else is right or wrong: yes
    or no, a number, or the first colour, size, place, kind, ground or sound that is said.
    """
    expected, said = ask.value.casefold().strip(" ."), reply.text
    if not said.strip():
        return 0.0
    if expected in ("yes", "no") and ask.group != "count":
        return float(wording.yes_or_no(said) == (expected == "yes"))
    if ask.group in ("count", "sound_count"):
        return float(wording.number(said) == wording.number(expected))
    if ask.group in ("caption", "list", "heard"):
        family = "sounds" if ask.group == "heard" else "things"
        return overlap(wording.all_of(expected, family), wording.all_of(said, family))
    for family in FAMILIES.get(ask.group, ()):
        right = wording.first_of(expected, family)
        if right is not None:
            return float(wording.first_of(said, family) == right)
    if expected.startswith("nothing"):
        return float(wording.yes_or_no(said) is False)
    return float(" ".join(said.casefold().strip(" .").split()) == expected)


def understanding(asks: Sequence[Ask], replies: Sequence[Reply]) -> list[Measure]:
    """Returns the mean of the scores over all skills, and of each; intervals are over conversations."""
    rows = [(ask.group, score(ask, reply), ask.place) for ask, reply in zip(asks, replies, strict=True)]
    return [
        clustered(f"understanding, {skill}", _by_place(_of(rows, skill)), mean, rounds=ROUNDS)
        for skill in ("all", *_skills(rows))
    ]


def changes(asks: Sequence[Ask], before: Sequence[Reply], after: Sequence[Reply]) -> list[Measure]:
    """Returns after - before of the scores, over all skills and of each, with intervals of the pairs."""
    rows = [
        (ask.group, score(ask, new) - score(ask, old), ask.place)
        for ask, old, new in zip(asks, before, after, strict=True)
    ]
    return [
        clustered(f"understanding, change, {skill}", _by_place(_of(rows, skill)), mean, rounds=ROUNDS)
        for skill in ("all", *_skills(rows))
    ]


def kept(asks: Sequence[Ask], before: Sequence[Reply], after: Sequence[Reply]) -> list[Measure]:
    """Returns whether everything is as before: the largest change of a skill, equal answers, equal logits.

    Logits are those of every token of the first piece of writing, compared bit by bit.
    """
    moved = max((abs(one.value) for one in changes(asks, before, after)), default=0.0)
    pairs = list(zip(before, after, strict=True))
    same = sum(old.text == new.text and old.spans == new.spans for old, new in pairs)
    equal = sum(same_logits(old.first, new.first) for old, new in pairs)
    worst = max((gap(old.first, new.first) for old, new in pairs), default=0.0)
    return [
        lower(_exact("understanding, largest change of a skill", moved, len(pairs))),
        proportion("understanding, answers equal to the base's", same, len(pairs)),
        proportion("understanding, logits bit-equal to the base's", equal, len(pairs)),
        lower(_exact("understanding, largest difference of logits", worst, len(pairs))),
    ]


EXACT = {
    "understanding, largest change of a skill": 0.0,
    "understanding, answers equal to the base's": 1.0,
    "understanding, logits bit-equal to the base's": 1.0,
    "understanding, largest difference of logits": 0.0,
    "gate: right expert": GATE_BAR,
}
"""The bars of what is kept with the twin switched off, and of the gate."""


def same_logits(first: Any, second: Any) -> bool:
    """Returns whether two arrays of logits are there and have the same bits; NaN equals nothing."""
    import torch

    return first is not None and second is not None and torch.equal(first, second)


def gap(first: Any, second: Any) -> float:
    """Returns the largest difference of the first token's logits: those behind are of other texts, maybe.

    Infinite values and NaN count as 1e9, so that the figure can be stored.
    """
    if first is None or second is None or not len(first) or not len(second):
        return 0.0 if first is None and second is None else 1e9
    found = float((first[0].double() - second[0].double()).abs().max())
    return found if found < 1e9 else 1e9


def prompts(grounding: Sequence[Ask], asked: Sequence[Ask]) -> tuple[list[Prompt], int]:
    """Returns the prompts whose expert is beyond doubt, and how many were left out.

    For the twin are expressions that ask for a place; for the base understanding questions. Left out is what
    is worded as questions of both kinds are ("Is there a dog?"), for either expert may answer it.
    """
    plain = [ask.question for ask in asked]
    doubtful = {question for question in plain if wording_shared(question)}
    learn = [ask.question for ask in grounding if ask.group in (*POINTED, "absent")]
    found, both = gather(learn, [question for question in plain if question not in doubtful])
    return found, len(doubtful) + len(both)


def gating(gate: Any, every: Sequence[Prompt]) -> list[Measure]:
    """Returns how often a gate chooses the right expert, on prompts that it was not trained on."""
    fresh = [one for one in every if not getattr(gate, "has_seen", lambda text: False)(one.text)]
    table = measure_gate(gate, fresh)
    hard = [one for one in fresh if one.hard]
    return [
        _rate("gate: right expert", table["accuracy"]),
        _rate("gate: right expert, hard prompts", measure_gate(gate, hard)["accuracy"]),
        lower(_rate("gate: misrouted to the twin", table["misrouted_frozen"])),
        lower(_rate("gate: misrouted to the base", table["misrouted_learn"])),
    ]


def misrouted(gate: Any, asks: Sequence[Ask]) -> list[int]:
    """Returns the places of the understanding questions that a gate sends to the twin."""
    return [place for place, ask in enumerate(asks) if gate.decide(ask.question).mode == "learn"]


def _rate(name: str, table: dict[str, Any]) -> Measure:
    return proportion(name, int(table["count"]), int(table["n"]))


def _exact(name: str, value: float, n: int) -> Measure:
    return Measure(name=name, value=value, n=n, low=value, high=value)


def _skills(rows: Sequence[tuple[str, float, int]]) -> list[str]:
    return sorted({skill for skill, _, _ in rows})


def _of(rows: Sequence[tuple[str, float, int]], skill: str) -> list[tuple[float, int]]:
    return [(value, place) for own, value, place in rows if skill in ("all", own)]


def _by_place(rows: Sequence[tuple[float, int]]) -> list[list[float]]:
    groups: dict[int, list[float]] = {}
    for value, place in rows:
        groups.setdefault(place, []).append(value)
    return list(groups.values())
