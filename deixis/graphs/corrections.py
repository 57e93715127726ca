"""What a person changes in a run: a box moved, something removed, renamed or added, a step's words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from deixis.answer import Score
from deixis.errors import InputFault
from deixis.geometry import Box, Frozen, TimeSpan
from deixis.tools.detection.protocol import Detection, GroundResult, PhraseBoxes
from deixis.tools.hearing.protocol import HearResult, SoundEvent
from deixis.tools.tagging.protocol import Tag, TagResult
from deixis.trace import Action, Observation, Span

_REF = re.compile(r"(?P<call>(?P<step>\d{1,4})\.\d{1,4})(?:(?P<mark>[#~^])(?P<number>\d{1,3}))?")
_MARKS = {"#": "detection", "~": "hearing", "^": "tagging"}
DRAWN = Score(value=1.0, kind="none")
"""The score of what a person put there: no tool gave one."""


class Correction(Frozen):
    """One change. `ref` names what a call gave: box ``2.1#3``, sound ``1.2~1``, tag ``1.1^2``, call ``2.1``.

    Exactly one of these: `box` or `times` moves it; `remove` takes it away; `label` renames it; with a call
    as `ref`, `add` puts a thing (with `box`), a sound (with `times`) or a tag there; `text` (with `step`, no
    `ref`) replaces a step's words.
    """

    ref: str = ""
    step: int | None = Field(default=None, ge=0)
    box: Box | None = None
    times: TimeSpan | None = None
    remove: bool = False
    label: str | None = Field(default=None, min_length=1, max_length=200)
    add: str | None = Field(default=None, min_length=1, max_length=200)
    text: str | None = Field(default=None, min_length=1, max_length=4000)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.text is not None:
            if self.step is None or self.ref:
                raise ValueError("words belong to a step, which is named by its number")
            return self
        read = _REF.fullmatch(self.ref)
        if read is None:
            raise ValueError(f"{self.ref!r} names nothing: write 2.1#3, 1.2~1, 1.1^2, or a call: 2.1")
        if (self.add is not None) == (read["mark"] is not None):
            raise ValueError(
                "what is added goes to a call (2.1); anything else is done to one of its rows (2.1#3)"
            )
        given = [self.remove, self.label is not None, self.add is not None]
        given.append(self.add is None and (self.box is not None or self.times is not None))
        if sum(given) != 1:
            raise ValueError("a correction does one thing: move, remove, rename, or add")
        return self

    @property
    def call(self) -> str:
        """Returns the call that it is about; empty for words."""
        read = _REF.fullmatch(self.ref)
        return read["call"] if read else ""

    @property
    def step_index(self) -> int:
        """Returns the step that it is about."""
        return self.step if self.step is not None else int(self.call.split(".")[0])


def corrected(
    correction: Correction, actions: Mapping[str, Action], observations: Mapping[str, Observation]
) -> Observation:
    """Returns what the call gave, changed.

    Raises:
        InputFault: there is no such call or row, or it cannot be changed so.
    """
    action, seen = actions.get(correction.call), observations.get(correction.call)
    if action is None or seen is None:
        known = [call for call, one in actions.items() if one.role in _EDITORS and call in observations]
        raise _unknown(correction, f"there is no call {correction.call}", ", ".join(known[:12]))
    read = _REF.fullmatch(correction.ref)
    mark = read["mark"] if read else None
    if action.role not in _EDITORS or (mark and _MARKS[mark] != action.role):
        raise _unknown(
            correction, f"{correction.call} is a call of {action.role}", "# boxes, ~ sounds, ^ tags"
        )
    number = int(read["number"]) if read and mark else 0
    try:
        output = _EDITORS[action.role](correction, number, seen.output or {})
    except ValidationError as error:
        raise _unknown(correction, error.errors(include_url=False)[0]["msg"], "boxes, times") from error
    return seen.model_copy(
        update={
            "output": output.model_dump(mode="json"), "corrected": True, "fault": None,
            "status": "cached" if seen.status == "cached" else "ok",
        }
    )  # fmt: skip


def _unknown(correction: Correction, why: str, known: str) -> InputFault:
    return InputFault(
        "trace.correction.invalid",
        f"The correction of {correction.ref} cannot be made: {why}.",
        f"See `deixis trace show RUN --json`; there is: {known or 'nothing to correct'}.",
    )


def _row(correction: Correction, number: int, rows: Sequence[Any]) -> int:
    if not 1 <= number <= len(rows):
        raise _unknown(correction, f"the call gave {len(rows)}", f"1 to {len(rows)}" if rows else "")
    return number - 1


def _boxes(correction: Correction, number: int, output: Mapping[str, Any]) -> Frozen:
    result = GroundResult.model_validate(output or {})
    if correction.add is not None:
        if correction.box is None:
            raise _unknown(
                correction, "what is added to a detection needs a box", "--add CALL:NAME=x1,y1,x2,y2"
            )
        return _with_box(result, correction.add, correction.box)
    phrases = [list(entry.detections) for entry in result.phrases]
    everything = list(result.everything)
    places = [(rows, at) for rows in [*phrases, everything] for at in range(len(rows))]
    rows, at = places[_row(correction, number, places)]
    found = rows[at]
    if correction.box is not None:
        rows[at] = found.model_copy(update={"box": correction.box})
    elif correction.remove or correction.label is not None:
        del rows[at]
        if correction.label is not None:
            everything.append(found.model_copy(update={"name": correction.label}))
    else:
        raise _unknown(correction, "a box has no times", "box, remove, label")
    entries = tuple(_entry(entry, new) for entry, new in zip(result.phrases, phrases, strict=True))
    return GroundResult(phrases=entries, everything=tuple(everything))


def _entry(entry: PhraseBoxes, found: list[Detection]) -> PhraseBoxes:
    status = entry.status if not found and entry.status != "found" else "found" if found else "absent"
    return entry.model_copy(update={"detections": tuple(found), "status": status})


def _with_box(result: GroundResult, name: str, box: Box) -> GroundResult:
    drawn = Detection(box=box, score=DRAWN, name=name)
    entries = [
        _entry(entry, [*entry.detections, drawn]) if entry.phrase.casefold() == name.casefold() else entry
        for entry in result.phrases
    ]
    if entries != list(result.phrases):
        return result.model_copy(update={"phrases": tuple(entries)})
    return result.model_copy(update={"everything": (*result.everything, drawn)})


def _sounds(correction: Correction, number: int, output: Mapping[str, Any]) -> Frozen:
    result = HearResult.model_validate(output or {})
    events = list(result.events)
    if correction.add is not None:
        if correction.times is None:
            raise _unknown(correction, "what is added to a hearing needs times", "--add CALL:NAME=START,END")
        events.append(SoundEvent(label=correction.add, span=correction.times, score=DRAWN))
        events.sort(key=lambda one: one.span.start_s)
        return result.model_copy(update={"events": tuple(events), "silent": False})
    at = _row(correction, number, events)
    if correction.times is not None:
        events[at] = events[at].model_copy(update={"span": correction.times})
    elif correction.label is not None:
        renamed = {"label": correction.label, "parents": (), "class_id": ""}
        events[at] = events[at].model_copy(update=renamed)
    elif correction.remove:
        gone = events.pop(at)
        if all(one.label != gone.label for one in events):
            clip = tuple(one for one in result.clip if one.label != gone.label)
            result = result.model_copy(update={"clip": clip})
    else:
        raise _unknown(correction, "a sound has no box", "times, remove, label")
    return result.model_copy(update={"events": tuple(events)})


def _tags(correction: Correction, number: int, output: Mapping[str, Any]) -> Frozen:
    result = TagResult.model_validate(output or {})
    tags = list(result.tags)
    if correction.add is not None:
        tags.append(Tag(label=correction.add, score=DRAWN))
        return result.model_copy(update={"tags": tuple(tags)})
    at = _row(correction, number, tags)
    if correction.label is not None:
        tags[at] = tags[at].model_copy(update={"label": correction.label, "kinds": ()})
    elif correction.remove:
        del tags[at]
    else:
        raise _unknown(correction, "a tag has neither box nor times", "remove, label")
    return result.model_copy(update={"tags": tuple(tags)})


_EDITORS: dict[str, Any] = {"detection": _boxes, "hearing": _sounds, "tagging": _tags}


def respanned(text: str, spans: Sequence[Span], now: str) -> tuple[Span, ...]:
    """Returns the spans whose words stand in a changed text as well, at their new places, in order."""
    if text == now:
        return tuple(spans)
    kept: list[Span] = []
    at = 0
    for span in spans:
        hit = re.compile(rf"(?<!\w){re.escape(span.phrase)}(?!\w)").search(now, at)
        if hit is not None:
            kept.append(span.model_copy(update={"start": hit.start(), "end": hit.end()}))
            at = hit.end()
    return tuple(kept)
