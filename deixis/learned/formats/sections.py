"""Texts in named sections (``<think>``, ``<answer>`` …) with another format inside: GRIT."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from deixis.errors import InputFault
from deixis.learned.formats.frame import PictureFrame
from deixis.learned.formats.protocol import Format, Profile
from deixis.learned.formats.reading import MOST_SPANS, Reader
from deixis.learned.formats.spans import Diagnostic, Grounded, Parsed, Section, Span
from deixis.learned.formats.writing import check, first


class Part(NamedTuple):
    """A stretch of a text: its section's name, or an empty one, its range, and whether it is closed."""

    name: str
    start: int
    end: int
    closed: bool = True


class Sectioned:
    """Reads and writes each section in the format `inner`; sections follow each other line by line.

    Args:
        profile: names, space, kinds.
        inner: the format inside.
        names: the sections that may be there; a text without sections is written as the first.
    """

    def __init__(self, profile: Profile, inner: Format, names: Sequence[str]) -> None:
        self.profile = profile
        self._inner = inner
        self._names = tuple(names)
        self._tag = re.compile(f"<(/?)({'|'.join(names)})>")

    def parts(self, text: str) -> Iterator[Part]:
        """Returns the stretches of a text inside and outside of its sections; blank ones outside are
        left out. A section ends where the next begins if its closing tag is missing."""
        name, at = "", 0
        for tag in self._tag.finditer(text):
            closes = tag.group(1) == "/"
            if name or text[at : tag.start()].strip():
                yield Part(name, at, tag.start(), not name or (closes and tag.group(2) == name))
            name, at = ("" if closes else tag.group(2)), tag.end()
        if name or text[at:].strip():
            yield Part(name, at, len(text), not name)

    def parse(
        self, text: str, frame: PictureFrame, *, phrases: Sequence[str] = (), step: int | None = None
    ) -> Parsed:
        """Returns the sections' text line by line, its spans and diagnostics; see `Format.parse`."""
        reader = Reader(text, self.profile, frame, phrases, step)
        text = reader.text
        pieces: list[str] = []
        spans: list[Span] = []
        notes: list[Diagnostic] = list(reader.finish().diagnostics)
        sections: list[Section] = []
        at = 0
        for part in self.parts(text):
            inside = self._inner.parse(text[part.start : part.end], frame, phrases=phrases, step=step)
            if inside.text:
                at += bool(pieces)
                pieces.append(inside.text)
            spans += [_shifted(span, at) for span in inside.spans]
            notes += [
                note.model_copy(update={"start": note.start + part.start, "end": note.end + part.start})
                for note in inside.diagnostics
            ]
            if not part.closed:
                reason = f"The section {part.name} is not closed."
                notes.append(
                    Diagnostic(
                        code="section.open", reason=reason, dropped=False, start=part.start, end=part.end
                    )
                )
            if part.name:
                sections.append(Section(name=part.name, start=at, end=at + len(inside.text)))
            at += len(inside.text)
        return Parsed(
            text="\n".join(pieces),
            spans=tuple(spans[:MOST_SPANS]),
            sections=tuple(sections),
            diagnostics=tuple(notes[:MOST_SPANS]),
        )

    def emit(self, grounded: Grounded, frame: PictureFrame) -> str:
        """Returns the sections in their tags, each with its spans; see `Format.emit`."""
        check(grounded, self.profile, first(self._tag), first(self._tag))
        pieces = []
        left = list(grounded.spans)
        for name, start, end in stretches(grounded, self._names[0]):
            mine: list[Span] = []
            rest: list[Span] = []
            for span in left:
                inside = span.start is None or start <= span.start <= (span.end or 0) <= end
                (mine if inside else rest).append(span)
            left = rest
            moved = [_shifted(span, -start) for span in mine]
            pieces.append(self._piece(name, grounded.text[start:end], moved, frame))
        if left:
            raise InputFault(
                "formats.spans.border",
                f"The phrase {left[0].phrase!r} does not lie inside one section.",
                "Move the borders of the sections.",
            )
        return "\n".join(piece for piece in pieces if piece)

    def _piece(self, name: str, text: str, spans: list[Span], frame: PictureFrame) -> str:
        """Returns one section."""
        inside = self._inner.emit(Grounded(text=text, spans=tuple(spans)), frame)
        return f"<{name}>{inside}</{name}>" if name else inside


def stretches(grounded: Grounded, default: str) -> list[tuple[str, int, int]]:
    """Returns name, start and end of the sections and of what stands between them; a text without any is
    one section `default`, an empty one none."""
    if not grounded.sections:
        return [(default, 0, len(grounded.text))] if grounded.text or grounded.spans else []
    found: list[tuple[str, int, int]] = []
    at = 0
    for part in sorted(grounded.sections, key=lambda part: (part.start, part.end)):
        found += _between(grounded.text, at, part.start)
        found.append((part.name, max(at, part.start), max(at, part.end)))
        at = max(at, part.end)
    return found + _between(grounded.text, at, len(grounded.text))


def _between(text: str, start: int, end: int) -> list[tuple[str, int, int]]:
    """Returns the stretch without a name between two sections, without blanks around it, if it has words."""
    words = text[start:end]
    if not words.strip():
        return []
    first = start + len(words) - len(words.lstrip())
    return [("", first, first + len(words.strip()))]


def _shifted(span: Span, by: int) -> Span:
    if span.start is None or span.end is None:
        return span
    return span.model_copy(update={"start": span.start + by, "end": span.end + by})
