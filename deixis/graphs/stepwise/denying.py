"""What an answer says is not there, with the look that bears it out; and words that nobody bears out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from deixis.answer import Evidence, NotFound, Score
from deixis.graphs.context import RunContext
from deixis.graphs.planning.protocol import Denial
from deixis.graphs.stepwise.findings import evidence
from deixis.graphs.stepwise.requests import plain
from deixis.graphs.stepwise.settling import Settled
from deixis.tools.detection.coco import COCO_80
from deixis.tools.detection.protocol import GroundResult, PhraseBoxes
from deixis.tools.words import lexicon
from deixis.tools.words.morphology import plural, singular
from deixis.trace import Action

_NONE = Score(value=0.0, kind="none")
_DENYING = re.compile(
    r"\b(?:no|not|never|nothing|none|neither|nor|without|cannot|can't|isn't|aren't|don't|doesn't|if|whether|or"
    r"|instead|unless|absent|missing|like|such as|perhaps|maybe|might|may)\b",
    re.IGNORECASE,
)


@dataclass
class Denied:
    """The denials with their evidence, and why some cannot stand."""

    not_found: list[NotFound] = field(default_factory=list)
    issues: list[str] = field(default_factory=list)


def deny(context: RunContext, denials: tuple[Denial, ...]) -> Denied:
    """Returns each denial with the call that looked for it; without one its reason is ``not_looked``."""
    denied = Denied()
    for denial in denials:
        if denial.medium == "audio":
            denied.not_found.append(_unheard(context, denial, denied.issues))
        else:
            denied.not_found.append(_unseen(context, denial, denied.issues))
    return denied


def looks(context: RunContext) -> Iterator[tuple[Action, PhraseBoxes]]:
    """Yields every phrase that was looked for, with its call, the latest first."""
    for action in reversed(context.recorder.actions.values()):
        observation = context.recorder.observations.get(action.call)
        if action.role == "detection" and observation is not None and observation.output is not None:
            for entry in GroundResult.model_validate(observation.output).phrases:
                yield action, entry


def _unseen(context: RunContext, denial: Denial, issues: list[str]) -> NotFound:
    said = plain(denial.phrase)
    part: tuple[Action, PhraseBoxes] | None = None
    for action, entry in looks(context):
        asked = plain(entry.phrase)
        if _alike(asked, said):
            if entry.status == "found" and denial.reason == "absent" and not denial.note:
                issues.append(f"{denial.phrase!r} is said to be absent, but a tool found it in {action.call}")
            reason = "absent" if entry.status == "found" else entry.status
            note = denial.note or entry.note
            return _gone(denial, reason, (evidence(context, action, _NONE, entry.note),), note)
        if part is None and re.search(rf"\b{re.escape(asked)}\b", said):
            part = (action, entry)
    if part is not None:  # 'pink phone', where a phone was looked for: the planner tells them apart
        action, entry = part
        reason = "absent" if entry.status == "found" else entry.status
        return _gone(
            denial, reason, (evidence(context, action, _NONE, entry.note),), denial.note or entry.note
        )
    everything = next((a for a in context.recorder.actions.values() if _all(context, a)), None)
    if everything is not None and lexicon.synonym(singular(said)) is not None:
        return _gone(denial, "absent", (evidence(context, everything, _NONE),), denial.note)
    if denial.reason != "not_looked":
        issues.append(f"nobody looked for {denial.phrase!r}: ground it before it is said to be absent")
    return _gone(denial, "not_looked", (), denial.note or "no tool looked for it")


def _alike(one: str, other: str) -> bool:
    def bare(phrase: str) -> str:
        first, _, last = phrase.rpartition(" ")
        return f"{first} {singular(last)}".strip()

    return one == other or bare(one) == bare(other)


def _all(context: RunContext, action: Action) -> bool:
    observation = context.recorder.observations.get(action.call)
    answered = observation is not None and observation.output is not None
    return action.role == "detection" and bool(action.input.get("everything")) and answered


def _unheard(context: RunContext, denial: Denial, issues: list[str]) -> NotFound:
    for action in context.recorder.actions.values():
        observation = context.recorder.observations.get(action.call)
        if action.role == "hearing" and observation is not None and observation.output is not None:
            return _gone(denial, "absent", (evidence(context, action, _NONE),), denial.note)
    if denial.reason != "not_looked":
        issues.append(f"nobody listened for {denial.phrase!r}: call hear before it is said to be absent")
    return _gone(denial, "not_looked", (), denial.note or "no tool listened for it")


def _gone(denial: Denial, reason: str, seen: tuple[Evidence, ...], note: str) -> NotFound:
    return NotFound.model_validate(
        {"phrase": denial.phrase, "medium": denial.medium, "reason": reason, "evidence": seen, "note": note}
    )


def unclaimed(
    context: RunContext, text: str, settled: Settled, denials: tuple[Denial, ...]
) -> list[tuple[int, int]]:
    """Returns where the text names things as if they were there, though it claims nothing about them.

    Only names that a detector knows, or that were looked for in vain, are told; words within a claim or a
    denial, or in a sentence that denies or doubts, are left alone.
    """
    covered = [(one.start, one.end) for one in settled.pointed]
    for denial in denials:
        covered += [hit.span() for hit in re.finditer(re.escape(denial.phrase), text, re.IGNORECASE)]
    claimed = {singular(word) for one in settled.pointed for word in one.phrase.casefold().split()}
    claimed |= {singular(word) for one in settled.pointed for word in one.label.casefold().split()}
    vain = {plain(entry.phrase) for _, entry in looks(context) if entry.status != "found"}
    found: list[tuple[int, int]] = []
    for hit in re.finditer(_pattern(frozenset(vain)), text):
        start, end = hit.span()
        inside = any(start < other_end and end > other for other, other_end in covered)
        if inside or singular(hit[0].casefold().split()[-1]) in claimed:
            continue
        if not _DENYING.search(_sentence(text, start, end)):
            found.append((start, end))
    return found


@lru_cache(maxsize=64)
def _pattern(vain: frozenset[str]) -> re.Pattern[str]:
    names = {*COCO_80, *vain} - {""}
    forms = {form for name in names for form in (name, _plural(name))}
    longest = sorted(forms, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest))})(?![\w-])", re.IGNORECASE)


def _plural(name: str) -> str:
    first, _, last = name.rpartition(" ")
    return f"{first} {plural(last)}".strip()


def _sentence(text: str, start: int, end: int) -> str:
    before = max(text.rfind(mark, 0, start) for mark in ".!?;\n")
    after = [at for mark in ".!?;\n" if (at := text.find(mark, end)) >= 0]
    return text[before + 1 : min(after, default=len(text))]
