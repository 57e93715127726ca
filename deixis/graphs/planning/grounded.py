"""Replies of models that point in a format of their own (`deixis.learned.formats`), read as steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deixis.errors import PlannerFault
from deixis.geometry import Box
from deixis.graphs.planning.protocol import MOST_CLAIMS, Claim, NextStep
from deixis.graphs.planning.replies import read_reply
from deixis.media.refs import ImageRef

FrameOf = Callable[[ImageRef], Any]


def read_grounded(reply: str, form: Any, image: ImageRef | None, frame_of: FrameOf) -> NextStep:
    """Returns the step of a reply in which places may be written in the format `form`.

    The marks in the words of a JSON step become claims. A reply that is no JSON at all, but points, is an
    answer. Without a format, or a picture, it is read as JSON alone.

    Raises:
        PlannerFault: it is neither.
    """
    if form is None or image is None:
        return read_reply(reply)
    frame = frame_of(image)
    try:
        step = read_reply(reply)
    except PlannerFault:
        text, claims = _read(reply, form, frame)
        if not claims or not text:
            raise
        return NextStep(kind="answer", text=text[:4000], claims=claims)
    text, claims = _read(step.text, form, frame)
    reading, places = _read(step.reading, form, frame)
    told: dict[str, Any] = {}
    if claims and (text or step.kind != "answer"):
        told |= {"text": text, "claims": (*step.claims, *claims)[:MOST_CLAIMS]}
    if places:
        told |= {"reading": reading, "reading_claims": (*step.reading_claims, *places)[:MOST_CLAIMS]}
    return step.model_copy(update=told)


def _read(text: str, form: Any, frame: Any) -> tuple[str, tuple[Claim, ...]]:
    """Returns the words without their marks, and the places that the marks name; boxes alone are taken."""
    parsed = form.parse(text, frame)
    named: dict[tuple[int, int], list[Box]] = {}
    beside: list[str] = []
    loose: list[tuple[str, Box]] = []
    for span in parsed.spans:
        if span.kind != "box" or not span.phrase:
            continue
        box = Box.of(span.values)
        if span.start is not None and span.end is not None:
            named.setdefault((span.start, span.end), []).append(box)
        else:
            loose.append((span.phrase, box))
    words = parsed.text
    claims = [
        Claim(phrase=words[start:end][:300], boxes=tuple(boxes[:MOST_CLAIMS]))
        for (start, end), boxes in sorted(named.items())
        if words[start:end].strip()
    ]
    for phrase, box in loose:  # a list behind the words: what the words do not name is named behind them
        if phrase not in words:
            beside.append(phrase)
        claims.append(Claim(phrase=phrase[:300], boxes=(box,)))
    if beside:
        words = f"{words.strip()} {', '.join(dict.fromkeys(beside))}.".strip()
    return words, tuple(_joined(claims)[:MOST_CLAIMS])


def _joined(claims: list[Claim]) -> list[Claim]:
    """Returns the claims, those of the same words and without an own place in them as one."""
    by_phrase: dict[str, Claim] = {}
    for claim in claims:
        known = by_phrase.get(claim.phrase)
        boxes = claim.boxes if known is None else (*known.boxes, *claim.boxes)[:MOST_CLAIMS]
        by_phrase[claim.phrase] = claim.model_copy(update={"boxes": boxes})
    return list(by_phrase.values())
