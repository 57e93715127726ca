"""What every grounded text comes down to: plain text, spans that point, and what was wrong with it."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from deixis.answer import Score
from deixis.geometry import Box, Frozen

Kind = Literal["box", "point", "polygon"]

Values = tuple[float, ...]


class Span(Frozen):
    """A phrase and one place in the picture that it names.

    Several places of one phrase are several spans with the same range.

    Attributes:
        phrase: the words that point; may be empty.
        kind: what `values` are: two corners, one point, or the points of an outline.
        values: float pixels of the original picture: ``x1 y1 x2 y2``, ``x y``, or ``x1 y1 x2 y2 x3 y3 …``.
        start: first character of the phrase in the plain text; None where the phrase stands in a list
            beside the text and is not found in it.
        end: the character behind the phrase.
        score: how sure, and of what kind; None where the text says nothing.
        step: index of the trace step that the text belongs to.
    """

    phrase: str
    values: Values
    kind: Kind = "box"
    start: int | None = Field(default=None, ge=0)
    end: int | None = Field(default=None, ge=0)
    score: Score | None = None
    step: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        count = len(self.values)
        if not all(math.isfinite(value) for value in self.values):
            raise ValueError("values are finite numbers")
        if {"box": count != 4, "point": count != 2, "polygon": count < 6 or count % 2}[self.kind]:
            raise ValueError(f"{count} values are not a {self.kind}")
        if self.kind == "box" and (self.values[2] < self.values[0] or self.values[3] < self.values[1]):
            raise ValueError("corners must be ordered: x1 <= x2 and y1 <= y2")
        if (self.start is None) != (self.end is None):
            raise ValueError("a range has a start and an end")
        if self.start is not None and self.end is not None and self.end - self.start != len(self.phrase):
            raise ValueError("a range is as long as its phrase")
        return self

    @property
    def box(self) -> Box:
        """Returns the smallest box around the values, in pixels of the original picture."""
        across, down = self.values[0::2], self.values[1::2]
        return Box(x1=min(across), y1=min(down), x2=max(across), y2=max(down))


class Section(Frozen):
    """A named part of a text (`think`, `answer` …): its range in the plain text."""

    name: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class Grounded(Frozen):
    """Plain text without any markup, and the spans that point from it.

    Placed spans lie inside the text and their phrase is exactly what stands there.
    """

    text: str = ""
    spans: tuple[Span, ...] = ()
    sections: tuple[Section, ...] = ()

    @model_validator(mode="after")
    def _placed(self) -> Self:
        for span in self.spans:
            if span.start is not None and self.text[span.start : span.end] != span.phrase:
                raise ValueError(f"the phrase {span.phrase!r} does not stand at {span.start} of the text")
        if any(part.end < part.start or part.end > len(self.text) for part in self.sections):
            raise ValueError("a section lies inside the text")
        return self

    def section(self, name: str) -> str | None:
        """Returns the text of the last section of that name; None where there is none."""
        for part in reversed(self.sections):
            if part.name == name:
                return self.text[part.start : part.end]
        return None

    def reduced(self, kind: Literal["box", "point"]) -> Grounded:
        """Returns the same text with every place as a box (the hull) or as a point (its middle).

        For formats that cannot write the kind that is there; what it loses cannot be read back. A point
        has no box: its span is left out of boxes.
        """
        kept = [span for span in self.spans if kind == "point" or span.kind != "point"]
        spans = [
            span.model_copy(
                update={"kind": kind, "values": span.box.xyxy_px if kind == "box" else span.box.center}
            )
            for span in kept
        ]
        return Grounded(text=self.text, spans=tuple(spans), sections=self.sections)


class Diagnostic(Frozen):
    """Something in a text that was dropped or put right.

    Attributes:
        code: stable dotted name, see docs/formats.md.
        reason: what was wrong, in one sentence.
        dropped: the item is not among the spans; otherwise it was put right or is only worth knowing.
        start: first character of it in the text as it was read.
        end: the character behind it.
        excerpt: the beginning of it.
    """

    code: str
    reason: str
    dropped: bool
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    excerpt: str = ""


class Parsed(Grounded):
    """What a text says in plain words, where it points, and what was wrong with it."""

    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def dropped(self) -> tuple[Diagnostic, ...]:
        """Returns the diagnostics of items that are not among the spans."""
        return tuple(note for note in self.diagnostics if note.dropped)
