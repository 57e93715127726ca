"""What a call gave, in the short form that planners see: numbered boxes, sounds, tags, what is absent.

Boxes keep the order of the observation, so number 3 is the same box here, in the trace and in a SCOUT
sample (`deixis.learned.scout.proposals`). Everything a tool or a file says is cleaned of line breaks and
control characters and cut: it is data.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from deixis.geometry import Frozen
from deixis.tools.detection.protocol import Detection, GroundResult
from deixis.tools.hearing.protocol import HearResult
from deixis.tools.matching.protocol import MatchResult
from deixis.tools.segmentation.protocol import SegmentResult
from deixis.tools.tagging.protocol import TagResult
from deixis.trace import Action, Observation

MOST_BOXES = 60
MOST_SOUNDS = 20
MOST_TAGS = 20
MOST_LETTERS = 80


class SeenBox(Frozen):
    """A box on offer: number from 1, what was asked for (or the detector's name), whole pixels."""

    number: int
    phrase: str
    name: str
    box: tuple[int, int, int, int]
    score: float
    asked: bool = Field(description="it answers a phrase; else the detector was asked for everything")


class SeenSound(Frozen):
    """A stretch of a sound: number from 1, its name, what kinds of sound it is, seconds."""

    number: int
    label: str
    kinds: tuple[str, ...] = ()
    start_s: float
    end_s: float
    score: float


class SeenTag(Frozen):
    """A name for the picture as a whole."""

    number: int
    label: str
    kinds: tuple[str, ...] = ()
    score: float


class SeenPair(Frozen):
    """A sound of the matching call and the thing that makes it, by reference; '' where none does."""

    sound: str
    thing: str
    verdict: str
    reason: str = ""


class Seen(Frozen):
    """One call and what it gave.

    `status`: ok, cached (served from the record), fault, timeout. `again` are phrases that gave nothing
    before and were not asked for again.
    """

    call: str
    do: str
    medium: int = 1
    status: str
    phrases: tuple[str, ...] = ()
    boxes: tuple[SeenBox, ...] = ()
    more: int = Field(default=0, description="boxes beyond those listed")
    absent: tuple[str, ...] = ()
    not_covered: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    sounds: tuple[SeenSound, ...] = ()
    clip: tuple[str, ...] = ()
    silent: bool = False
    tags: tuple[SeenTag, ...] = ()
    pairs: tuple[SeenPair, ...] = ()
    overall: str = ""
    reason: str = ""
    masks: int = 0
    remembered: tuple[str, ...] = ()
    faint: bool = False
    part: tuple[int, int, int, int] | None = None
    fault: str = ""


def clean(text: str, most: int = MOST_LETTERS) -> str:
    """Returns `text` on one line, without control and format characters, cut to `most` letters."""
    kept = "".join(
        " " if letter.isspace() else letter
        for letter in text[: 4 * most]
        if letter.isspace() or unicodedata.category(letter)[0] != "C"
    )
    line = " ".join(kept.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def flattened(result: GroundResult) -> list[tuple[str, Detection, bool]]:
    """Returns (phrase, detection, asked) in the order that the numbers follow."""
    asked = [(entry.phrase, found, True) for entry in result.phrases for found in entry.detections]
    return asked + [(found.name, found, False) for found in result.everything]


def seen(do: str, medium: int, action: Action, observation: Observation, again: tuple[str, ...] = ()) -> Seen:
    """Returns the short form of a call and its observation."""
    base: dict[str, Any] = {
        "call": action.call, "do": do, "medium": medium, "status": observation.status,
        "again": tuple(clean(phrase) for phrase in again),
    }  # fmt: skip
    if observation.output is None:
        return Seen(**base, fault=clean(str((observation.fault or {}).get("message", "it failed")), 200))
    read = _READERS.get(action.role)
    return Seen(**base, **(read(action, observation.output) if read else {}))


def _detection(action: Action, output: Mapping[str, Any]) -> dict[str, Any]:
    result = GroundResult.model_validate(output)
    rows = flattened(result)
    boxes = tuple(
        SeenBox(
            number=number,
            phrase=clean(phrase),
            name=clean(found.name),
            box=_whole(found.box.xyxy_px),
            score=round(found.score.value, 3),
            asked=asked,
        )
        for number, (phrase, found, asked) in enumerate(rows[:MOST_BOXES], 1)
    )
    part: Any = action.input.get("part")
    return {
        "phrases": tuple(clean(entry.phrase) for entry in result.phrases),
        "boxes": boxes,
        "more": max(0, len(rows) - MOST_BOXES),
        "absent": tuple(clean(e.phrase) for e in result.phrases if e.status == "absent"),
        "not_covered": tuple(clean(e.phrase) for e in result.phrases if e.status == "not_covered"),
        "faint": action.input.get("threshold") is not None,
        "part": _whole([part[key] for key in ("x1", "y1", "x2", "y2")]) if part else None,
    }


def _whole(box: Any) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = (round(value) for value in box)
    return x1, y1, x2, y2


def _hearing(action: Action, output: Mapping[str, Any]) -> dict[str, Any]:
    result = HearResult.model_validate(output)
    sounds = tuple(
        SeenSound(
            number=number,
            label=clean(event.label),
            kinds=tuple(clean(parent) for parent in event.parents[:4]),
            start_s=round(event.span.start_s, 2),
            end_s=round(event.span.end_s, 2),
            score=round(event.score.value, 3),
        )
        for number, event in enumerate(result.events[:MOST_SOUNDS], 1)
    )
    clip = tuple(clean(label.label) for label in result.clip[:5])
    return {"sounds": sounds, "clip": clip, "silent": result.silent}


def _tagging(action: Action, output: Mapping[str, Any]) -> dict[str, Any]:
    result = TagResult.model_validate(output)
    return {
        "tags": tuple(
            SeenTag(
                number=number,
                label=clean(tag.label),
                kinds=tuple(clean(kind) for kind in tag.kinds[:3]),
                score=round(tag.score.value, 3),
            )
            for number, tag in enumerate(result.tags[:MOST_TAGS], 1)
        )
    }


def _matching(action: Action, output: Mapping[str, Any]) -> dict[str, Any]:
    result = MatchResult.model_validate(output)
    pairs = tuple(
        SeenPair(sound=pair.sound, thing=pair.thing or "", verdict=pair.verdict, reason=clean(pair.reason))
        for pair in result.pairs[:MOST_SOUNDS]
    )
    return {"pairs": pairs, "overall": result.overall, "reason": clean(result.reason, 160)}


def _segmentation(action: Action, output: Mapping[str, Any]) -> dict[str, Any]:
    return {"masks": len(SegmentResult.model_validate(output).masks)}


def _recall(action: Action, output: Mapping[str, Any]) -> dict[str, Any]:
    rows = output.get("found", [])
    lines = [", ".join(f"{key} {value}" for key, value in row.items()) for row in rows[:MOST_BOXES]]
    boxes: list[SeenBox] = []
    sounds: list[SeenSound] = []
    for row in output.get("earlier", []):
        label, score = clean(row["label"]), round(row["score"]["value"], 3)
        if "times" in row:
            start, end = row["times"]
            number = len(sounds) + 1
            sounds.append(SeenSound(number=number, label=label, start_s=start, end_s=end, score=score))
        else:
            place = _whole(row["box"])
            number = len(boxes) + 1
            boxes.append(
                SeenBox(number=number, phrase=label, name=label, box=place, score=score, asked=False)
            )
            lines.append(f"{action.call}#{number} is #{row['number']} of turn {row['turn']}")
    return {
        "remembered": tuple(clean(line, 200) for line in lines),
        "boxes": tuple(boxes[:MOST_BOXES]),
        "sounds": tuple(sounds[:MOST_SOUNDS]),
    }


_READERS: dict[str, Any] = {
    "recall": _recall,
    "detection": _detection,
    "hearing": _hearing,
    "tagging": _tagging,
    "matching": _matching,
    "segmentation": _segmentation,
}
