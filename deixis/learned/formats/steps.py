"""Trace steps as grounded texts, and back: any format can write a step and read it again."""

from __future__ import annotations

from itertools import groupby

from deixis.geometry import Box
from deixis.learned.formats.spans import Grounded, Span
from deixis.trace import Span as StepSpan
from deixis.trace import Step


def grounded(step: Step, *, media: str = "") -> Grounded:
    """Returns the words of a step and its boxes.

    Times and phrases without a box have no place in these formats and are left out, as are spans on
    other media where `media`, a digest, is given, and spans whose phrase does not stand in the text.
    """
    spans = [
        Span(phrase=span.phrase, values=box.xyxy_px, start=span.start, end=span.end, step=step.index)
        for span in step.spans
        if step.text[span.start : span.end] == span.phrase and (not media or span.media in {"", media})
        for box in span.boxes
    ]
    return Grounded(text=step.text, spans=tuple(spans))


def step_spans(text: Grounded, *, media: str = "") -> tuple[StepSpan, ...]:
    """Returns the boxes of a grounded text as a step holds them: the boxes of one phrase together.

    Points, outlines and phrases beside the text are left out.
    """
    placed = [
        (span.start, span.end, span)
        for span in text.spans
        if span.kind == "box" and span.start is not None and span.end is not None and span.phrase
    ]
    placed.sort(key=lambda one: one[:2])
    return tuple(
        StepSpan(
            start=start,
            end=end,
            phrase=text.text[start:end],
            boxes=tuple(Box.of(span.values) for _, _, span in run),
            media=media,
        )
        for (start, end), run in groupby(placed, key=lambda one: one[:2])
    )
