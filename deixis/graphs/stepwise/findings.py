"""What a run has found, by reference: ``2.1#3`` is box 3 of call 2.1, ``~2`` the second sound heard last."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from deixis.answer import Evidence, Region, Score
from deixis.geometry import Box, Size, TimeSpan
from deixis.graphs.context import RunContext
from deixis.graphs.planning.seen import flattened
from deixis.tools.detection.protocol import GroundResult
from deixis.tools.hearing.protocol import HearResult, SoundEvent
from deixis.tools.tagging.protocol import TagResult
from deixis.trace import Action

_REFERENCE = re.compile(r"\s*\[?(?:(\d{1,4}\.\d{1,4})\s*)?([#~^])\s*(\d{1,3})\]?\s*")
_ROLES = {"#": "detection", "~": "hearing", "^": "tagging"}


@dataclass(frozen=True)
class Found:
    """Something that a tool gave: a box, a stretch of a sound, or a tag, which has the whole picture.

    `names` are what it is called: the phrase that was asked, the detector's name, kinds of it.
    """

    ref: str
    kind: Literal["box", "sound", "tag"]
    call: str
    label: str
    names: tuple[str, ...]
    region: Region
    evidence: Evidence
    asked: bool = False
    event: SoundEvent | None = None

    @property
    def box(self) -> Box | None:
        """Returns the box in pixels of the original picture."""
        return self.region.box


class Findings:
    """All that the calls of a run gave, read from its record."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._calls: dict[str, tuple[Found, ...]] = {}
        self._latest: dict[str, tuple[int, list[Found]]] = {}
        for action in context.recorder.actions.values():
            self._take(action)

    def all(self, kind: str = "") -> Iterator[Found]:
        """Yields everything, or everything of a kind, in the order of the calls."""
        for call in self._calls.values():
            yield from (found for found in call if not kind or found.kind == kind)

    def of_call(self, call: str) -> tuple[Found, ...]:
        """Returns what one call gave."""
        return self._calls.get(call, ())

    def get(self, ref: str) -> Found | None:
        """Returns what a reference stands for; None where it stands for nothing.

        A short reference speaks of the latest step that made such a call; numbers go on over its calls.
        """
        read = _REFERENCE.fullmatch(ref)
        if read is None:
            return None
        call, mark, number = read[1], read[2], int(read[3])
        role = _ROLES[mark]
        if call is None:
            rows = self._latest.get(role, (0, []))[1]
        else:
            rows = [found for found in self._calls.get(call, ()) if mark in found.ref]
        return rows[number - 1] if 1 <= number <= len(rows) else None

    def _take(self, action: Action) -> None:
        observation = self._context.recorder.observations.get(action.call)
        if observation is None or observation.output is None or action.role not in _TAKERS:
            return
        known = self._context.found.get(action.call)
        if known is not None and known[0] is observation:  # read before: runs look at their findings often
            rows: tuple[Found, ...] = known[1]
        else:
            rows = tuple(_TAKERS[action.role](self._context, action, observation.output))
            self._context.found[action.call] = (observation, rows)
        self._calls[action.call] = rows
        step = int(action.call.split(".")[0])
        latest = self._latest.get(action.role)
        if latest is None or latest[0] != step:
            latest = self._latest[action.role] = (step, [])
        latest[1].extend(rows)


def evidence(context: RunContext, action: Action, score: Score, note: str = "") -> Evidence:
    """Returns the evidence that a call stands for."""
    return context.proof(action, score, note)


def _detections(context: RunContext, action: Action, output: Any) -> Iterator[Found]:
    result = GroundResult.model_validate(output)
    image: Any = action.input.get("image")
    readings = {entry.phrase: entry for entry in result.phrases}
    size = Size.model_validate(image["size"])
    for number, (phrase, one, asked) in enumerate(flattened(result), 1):
        entry = readings.get(phrase) if asked else None
        note = entry.note if entry else ""
        if entry and entry.reading and entry.reading.kind not in ("exact", "open"):
            reading = entry.reading
            note = f"{phrase!r} is read as {reading.name!r} ({reading.kind}, {reading.score.value:.2f})"
        if action.input.get("part"):
            note = f"{note}; seen in a closer look at a part".removeprefix("; ")
        yield Found(
            ref=f"{action.call}#{number}",
            kind="box",
            call=action.call,
            label=phrase,
            names=tuple(dict.fromkeys((phrase, one.name))),
            region=Region(media=image["digest"], box=one.box.clip(size), score=one.score),
            evidence=evidence(context, action, one.score, note),
            asked=asked,
        )


def _sounds(context: RunContext, action: Action, output: Any) -> Iterator[Found]:
    audio: Any = action.input.get("audio")
    for number, event in enumerate(HearResult.model_validate(output).events, 1):
        yield Found(
            ref=f"{action.call}~{number}",
            kind="sound",
            call=action.call,
            label=event.label,
            names=(event.label, *event.parents),
            region=Region(media=audio["digest"], span=event.span, score=event.score),
            evidence=evidence(context, action, event.score),
            event=event,
        )


def _tags(context: RunContext, action: Action, output: Any) -> Iterator[Found]:
    image: Any = action.input.get("image")
    whole = Box(x1=0, y1=0, x2=image["size"]["width"], y2=image["size"]["height"])
    for number, tag in enumerate(TagResult.model_validate(output).tags, 1):
        note = "named for the picture as a whole, not located"
        yield Found(
            ref=f"{action.call}^{number}",
            kind="tag",
            call=action.call,
            label=tag.label,
            names=(tag.label, *tag.kinds),
            region=Region(media=image["digest"], box=whole, score=tag.score),
            evidence=evidence(context, action, tag.score, note),
        )


def _earlier(context: RunContext, action: Action, output: Any) -> Iterator[Found]:
    """Yields what earlier turns saw, as `recalling` tells it; the evidence is that of the tool that did."""
    counts = {"#": 0, "~": 0}
    for row in output.get("earlier", ()):
        mark = "~" if "times" in row else "#"
        counts[mark] += 1
        score = Score.model_validate(row["score"])
        note = f"seen in turn {row['turn']}"
        told = {"media": row["media"], "score": score}
        told |= {"span": TimeSpan(start_s=row["times"][0], end_s=row["times"][1])} if mark == "~" else {}
        told |= {"box": Box.of(row["box"])} if mark == "#" else {}
        yield Found(
            ref=f"{action.call}{mark}{counts[mark]}",
            kind="sound" if mark == "~" else "box",
            call=action.call,
            label=row["label"],
            names=(row["label"],),
            region=Region(**told),
            evidence=context.proof(action, score, note).model_copy(update=row["seen"]),
        )


_TAKERS: dict[str, Any] = {
    "detection": _detections, "hearing": _sounds, "tagging": _tags, "recall": _earlier,
}  # fmt: skip
