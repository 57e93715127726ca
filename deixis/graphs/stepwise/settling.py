"""Claims against the record: what each points at, who saw it, and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from deixis.answer import Evidence, Region, Score, Unplaced
from deixis.geometry import Box
from deixis.graphs.context import audio_refs, image_refs
from deixis.graphs.planning.protocol import CALLED, Claim
from deixis.graphs.rules.kinds import meant
from deixis.graphs.stepwise.findings import Findings, Found
from deixis.graphs.stepwise.requests import plain
from deixis.graphs.stepwise.sounding import is_another
from deixis.graphs.stepwise.state import StepState
from deixis.tools.detection.coco import COCO_80
from deixis.tools.words.morphology import singular

AGREE = 0.5
"""IoU from which a planner's box and a tool's are the same place."""
AGREE_TIMES = 0.3
"""The same for stretches of time, whose ends nobody hears to the tenth of a second."""
_OWN = Score(value=0.0, kind="none")
_LETTERS = re.compile(r"[^\W\d_]+")
_WORDS_FOR_ANY = frozenset("it one them they this that these those thing object something here both".split())


@dataclass
class Pointed:
    """A claim as it was settled: where it stands in the text, its regions, who saw them.

    `supported` is false where no tool saw it; then `regions` are the planner's own, or none.
    """

    start: int
    end: int
    phrase: str
    kind: Literal["thing", "sound"]
    label: str
    found: list[Found] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    supported: bool = False


@dataclass
class Settled:
    """All claims of a text; `issues` are the reasons to send it back, in words for the planner."""

    pointed: list[Pointed] = field(default_factory=list)
    unplaced: list[Unplaced] = field(default_factory=list)
    issues: list[str] = field(default_factory=list)


def settle(state: StepState, text: str, claims: tuple[Claim, ...], findings: Findings) -> Settled:
    """Returns the claims of a text with their places and their evidence, in the order of the text."""
    settled = Settled()
    taken: list[tuple[int, int]] = []
    for claim in claims:
        place = _place(text, claim.phrase, taken)
        if place is None:
            settled.unplaced.append(
                Unplaced(phrase=claim.phrase, reason="these words do not stand in the text")
            )
            settled.issues.append(f"{claim.phrase!r} does not stand in the text, or is claimed twice")
            continue
        taken.append(place)
        pointed = _pointed(state, claim, place, findings, settled.issues)
        pointed.phrase = text[slice(*place)]
        settled.pointed.append(pointed)
    settled.pointed.sort(key=lambda one: one.start)
    return settled


def _place(text: str, phrase: str, taken: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Returns the first place of whole words of `phrase` that no claim has yet; else any place."""
    bounded = rf"(?<!\w){re.escape(phrase)}(?!\w)"
    for pattern, flags in ((bounded, 0), (bounded, re.IGNORECASE)):
        for hit in re.finditer(pattern, text, flags):
            if all(hit.end() <= start or hit.start() >= end for start, end in taken):
                return hit.span()
    return None


def _pointed(
    state: StepState,
    claim: Claim,
    place: tuple[int, int],
    findings: Findings,
    issues: list[str],
) -> Pointed:
    found: list[Found] = []
    notes: dict[str, str] = {}
    for ref in claim.refs:
        one = findings.get(ref)
        if one is None:
            issues.append(f"{claim.phrase!r} refers to {ref}, which stands for nothing")
        else:
            found.append(one)
    own = _own_boxes(state, claim, findings, found, notes, issues)
    own += _own_times(state, claim, findings, found, notes, issues)
    if not claim.refs and not claim.boxes and not claim.times:
        issues.append(f"nothing says where {claim.phrase!r} is: refer to what a tool gave, or leave it out")
    found = list({one.ref: one for one in found}.values())
    sound = bool(found and all(one.kind == "sound" for one in found)) or bool(
        not found and claim.times and not claim.boxes
    )
    told = _told_otherwise(claim.phrase, found, findings) or _heard_otherwise(claim.phrase, found, findings)
    if told:
        issues.append(f"{claim.phrase!r} {CALLED} {told!r}")
    kind: Literal["thing", "sound"] = "sound" if sound else "thing"
    pointed = Pointed(*place, "", kind, found[0].label if found else claim.phrase)
    if found and not told:
        pointed.found, pointed.supported = found, True
        pointed.regions = [one.region for one in found]
        surest: dict[str, Found] = {}
        for one in found:
            if one.call not in surest or one.region.score.value > surest[one.call].region.score.value:
                surest[one.call] = one
        pointed.evidence = [_noted(one, notes.get(one.ref, "")) for one in surest.values()]
    else:
        pointed.label = claim.phrase
        pointed.regions = [*(one.region for one in found), *own]
    return pointed


def _noted(found: Found, note: str) -> Evidence:
    said = "; ".join(part for part in (found.evidence.note, note) if part)
    return found.evidence.model_copy(update={"note": said})


def _own_boxes(
    state: StepState,
    claim: Claim,
    findings: Findings,
    found: list[Found],
    notes: dict[str, str],
    issues: list[str],
) -> list[Region]:
    """Returns the planner's boxes that no tool's box bears out; those that one does become `found`."""
    images = image_refs(state)
    if not claim.boxes:
        return []
    if not 1 <= claim.medium <= len(images):
        issues.append(f"{claim.phrase!r} points into picture {claim.medium}, which there is not")
        return []
    image = images[claim.medium - 1]
    rows = [one for one in findings.all("box") if one.region.media == image.digest and one.box is not None]
    own: list[Region] = []
    for given in claim.boxes:
        box = given.clip(image.size)
        if box.area <= 0:
            issues.append(f"a box of {claim.phrase!r} lies outside the picture")
            continue
        fitting = [one for one in rows if not _told_otherwise(claim.phrase, [one], findings)]
        best = max(fitting, key=lambda one: _iou(box, one.box), default=None)
        if best is not None and _iou(box, best.box) >= AGREE:
            found.append(best)
            notes[best.ref] = f"the planner's own box agrees (IoU {_iou(box, best.box):.2f})"
        else:
            own.append(Region(media=image.digest, box=box, score=_OWN))
            place = ", ".join(f"{value:.0f}" for value in box.xyxy_px)
            issues.append(f"no tool saw {claim.phrase!r} at [{place}]")
    return own


def _own_times(
    state: StepState,
    claim: Claim,
    findings: Findings,
    found: list[Found],
    notes: dict[str, str],
    issues: list[str],
) -> list[Region]:
    audios = audio_refs(state)
    if not claim.times:
        return []
    if not 1 <= claim.medium <= len(audios):
        issues.append(f"{claim.phrase!r} points into sound {claim.medium}, which there is not")
        return []
    digest = audios[claim.medium - 1].digest
    own: list[Region] = []
    for span in claim.times:
        rows = [one for one in findings.all("sound") if one.region.media == digest and one.region.span]
        best = max(rows, key=lambda one: one.region.span.iou(span) if one.region.span else 0.0, default=None)
        agreed = best.region.span.iou(span) if best is not None and best.region.span else 0.0
        if best is not None and agreed >= AGREE_TIMES:
            found.append(best)
            notes[best.ref] = f"the planner's own times agree (IoU {agreed:.2f})"
        else:
            own.append(Region(media=digest, span=span, score=_OWN))
            issues.append(f"no tool heard {claim.phrase!r} from {span.start_s:.1f} to {span.end_s:.1f} s")
    return own


def _iou(one: Box, other: Box | None) -> float:
    return one.iou(other) if other is not None else 0.0


def _told_otherwise(phrase: str, found: list[Found], findings: Findings) -> str:
    """Returns what a tool calls the thing, where that surely is another thing than the phrase says."""
    boxes = [one for one in found if one.kind == "box"]
    spoken = _LETTERS.findall(phrase.casefold())
    if not boxes or not spoken or spoken[-1] in _WORDS_FOR_ANY:
        return ""
    known, words = meant(" ".join(spoken)), {singular(word) for word in spoken}
    exactly = {thing for thing, fit in known.items() if fit >= 0.75}
    for one in boxes:
        if {singular(name.casefold().split()[-1]) for name in one.names if name.split()} & words:
            continue
        # Only names of a closed list are sure to be other things; words for parts and clothes are not.
        name = one.names[-1].casefold()
        if exactly and name in COCO_80 and name not in known:
            return one.names[-1]
        if _names_another(phrase, one, findings):
            return one.names[0]
    return ""


def _heard_otherwise(phrase: str, found: list[Found], findings: Findings) -> str:
    """Returns what the tool calls a sound that surely is none of those that the phrase names."""
    heard = [one for one in found if one.event is not None]
    for one in heard:
        others = [other.event for other in findings.of_call(one.call) if other.event is not None]
        if one.event is None or not is_another(phrase, one.event, others):
            return ""
    return heard[0].label if heard else ""


def _names_another(phrase: str, found: Found, findings: Findings) -> bool:
    """Returns whether the words name something that the same look found, and found elsewhere."""
    said = plain(phrase), singular(plain(phrase))
    rows = [
        one.box
        for one in findings.of_call(found.call)
        if any(plain(name) in said for name in one.names) and one.box is not None
    ]
    return found.box is not None and bool(rows) and all(found.box.iou(box) < AGREE for box in rows)
