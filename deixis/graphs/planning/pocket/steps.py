"""What the model wrote, as the planner's next step: places become references to what tools gave."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from deixis.geometry import Box, TimeSpan
from deixis.graphs.planning.pocket.asking import Heard, Situation, asked_before
from deixis.graphs.planning.protocol import MOST_CLAIMS, Call, Claim, Denial, Do, Linked, NextStep
from deixis.learned.mllm.reading import read_step
from deixis.learned.scout.wording import SOUNDS, bare
from deixis.learned.world.sounds.kinds import SOUNDING
from deixis.trace import Action, Span, Step

_DO: dict[str, Do] = {
    "detection": "ground", "tagging": "tag", "segmentation": "segment", "hearing": "hear",
    "matching": "match",
}  # fmt: skip
_SAID = {kind.class_id: bare(SOUNDS.get(kind.name, kind.name)) for kind in SOUNDING}
_AUDIBLE = frozenset(_SAID.values())
_SENTENCE = re.compile(r"[^.?!]*[.?!]?")


def read(ids: Sequence[int], tokenizer: Any, now: Situation) -> Step:
    """Returns the step of the tokens, from its kind on."""
    return read_step(ids, tokenizer, now.media, now.offered, len(now.steps)).step


def next_step(step: Step, now: Situation, reading: Step | None = None) -> NextStep:
    """Returns a step that was read in the planner's form; `reading` are the words of the one before."""
    told: dict[str, Any] = {"kind": step.kind}
    if reading is not None:
        told |= {"reading": reading.text[:2000], "reading_claims": claims(reading.text, reading.spans, now)}
    if step.actions:
        return NextStep(**told, calls=tuple(call(action, now) for action in step.actions))
    told["text"] = step.text[:4000] or "I cannot say."
    if step.kind != "answer":
        return NextStep(**told, claims=claims(step.text, step.spans, now))
    placed = [span for span in step.spans if span.boxes or span.times]
    gone = [span for span in step.spans if not span.boxes and not span.times]
    return NextStep(
        **told,
        claims=claims(step.text, placed, now),
        denials=tuple(Denial(phrase=span.phrase[:300], medium=medium_of(span, now)) for span in gone),
        linked=linked(step, now),
    )


def call(action: Action, now: Situation) -> Call:
    """Returns a call as the run makes it; what was looked for before is looked for more faintly."""
    asked: dict[str, Any] = action.input
    do = _DO[action.role]
    named = asked.get("image") or asked.get("audio") or {}
    medium = _number(now, str(named.get("digest", "")))
    if do == "ground":
        phrases, everything = tuple(asked.get("phrases") or ()), bool(asked.get("everything"))
        digest = _pictures(now)[medium - 1] if _pictures(now) else ""
        # Where nobody listened a look at everything offers boxes for choosing, and is faint from the start.
        listened = any(one.role == "hearing" for step in now.steps for one in step.actions)
        faint = asked_before(now.steps, phrases, everything, digest) or (everything and not listened)
        return Call(do=do, medium=medium, phrases=phrases, everything=everything, faint=faint)
    if do == "segment":
        boxes = [Box.model_validate(box) for box in asked.get("boxes") or ()]
        refs = tuple(ref for box in boxes if (ref := _ref(box, now)))
        own = next((box for box in boxes if not _ref(box, now)), None)
        return Call(do=do, medium=medium, refs=refs, box=own)
    if do == "match":  # the numbers on offer and what was heard, as in training; not all that was ever seen
        refs = (*(now.ref(one.number) for one in now.offered), *(one.ref for one in now.heard))
        return Call(do=do, refs=refs[:MOST_CLAIMS])
    return Call(do=do, medium=medium)


def claims(text: str, spans: Sequence[Span], now: Situation) -> tuple[Claim, ...]:
    """Returns the places that a text points at, each with words that single it out in the text."""
    found: list[Claim] = []
    for span in spans:
        refs = [ref for box in span.boxes if (ref := _ref(box, now))]
        boxes = tuple(box for box in span.boxes if not _ref(box, now))
        times: list[TimeSpan] = []
        for time in span.times:
            one = heard_as(span.phrase, time, now)
            if one is None:
                times.append(time)
            else:
                refs.append(one.ref)
        found.append(
            Claim(
                phrase=_distinct(text, span),
                refs=tuple(dict.fromkeys(refs))[:MOST_CLAIMS],
                boxes=boxes[:MOST_CLAIMS],
                times=tuple(times)[:MOST_CLAIMS],
                medium=_number(now, span.media),
            )
        )
    return tuple(found[:MOST_CLAIMS])


def heard_as(phrase: str, time: TimeSpan, now: Situation) -> Heard | None:
    """Returns the sound that was heard at a time, the one that the phrase names before all others."""
    near = [one for one in now.heard if one.event.span.iou(time) > 0]
    named = [one for one in near if _SAID.get(one.event.class_id, one.event.label) == phrase.casefold()]
    return max(named, key=lambda one: one.event.span.iou(time), default=None)


def medium_of(span: Span, now: Situation) -> Any:
    """Returns whether a denial speaks of the picture or of the sound."""
    kinds = {medium.kind for medium in now.media}
    if kinds == {"audio"}:
        return "audio"
    looked = {
        str(phrase).casefold()
        for step in now.steps
        for action in step.actions
        for phrase in _listed(action.input.get("phrases"))
    }
    phrase = bare(span.phrase.casefold())
    audible = "audio" in kinds and phrase in _AUDIBLE and phrase not in looked
    return "audio" if audible else "image"


def linked(step: Step, now: Situation) -> tuple[Linked, ...]:
    """Returns what the answer says of sounds: 'The dog makes the bark.', 'Nothing … makes the bark.'"""
    found: list[Linked] = []
    for sentence in _SENTENCE.finditer(step.text):
        inside = [
            span for span in step.spans if sentence.start() <= span.start and span.end <= sentence.end()
        ]
        things = [ref for span in inside for box in span.boxes if (ref := _ref(box, now))]
        for span in inside:
            one = heard_as(span.phrase, span.times[0], now) if span.times else None
            if one is None or " makes the " not in sentence[0]:
                continue
            if things:
                found.append(Linked(sound=one.ref, thing=things[0], verdict="matched"))
            elif "nothing" in sentence[0].casefold():
                found.append(Linked(sound=one.ref, verdict="unmatched"))
    return tuple(found[:MOST_CLAIMS])


def _distinct(text: str, span: Span) -> str:
    """Returns the words of a span, with those before them as far as the same words stand earlier as well.

    'dog' of 'There is no red dog. There is the blue dog.' is 'blue dog'.
    """
    start = span.start
    while start > 0:
        words = text[start : span.end]
        hit = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text)
        if hit is None or hit.start() >= start or len(words) > 200:
            break
        before = text[:start].rstrip()
        start = max(before.rfind(" "), -1) + 1 if before else 0
        if text[start:].lstrip()[:1] in ".?!":
            break
    return text[start : span.end][:300].strip() or span.phrase[:300]


def _ref(box: Box, now: Situation) -> str:
    """Returns the reference of the proposal whose box it is; empty where it is none's."""
    return next((now.ref(one.number) for one in now.offered if one.box == box), "")


def _number(now: Situation, digest: str) -> int:
    for kind in ("image", "audio"):
        digests = [medium.digest for medium in now.media if medium.kind == kind]
        if digest in digests:
            return digests.index(digest) + 1
    return 1


def _pictures(now: Situation) -> list[str]:
    return [medium.digest for medium in now.media if medium.kind == "image"]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
