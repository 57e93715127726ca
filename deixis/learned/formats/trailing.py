"""Formats that put coordinates behind a phrase and leave open where it begins."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from deixis.learned.formats.frame import PictureFrame, resolve
from deixis.learned.formats.protocol import Profile
from deixis.learned.formats.reading import Reader
from deixis.learned.formats.shapes import digits, written
from deixis.learned.formats.spans import Grounded, Kind, Parsed, Span
from deixis.learned.formats.writing import Group, check, weave
from deixis.spaces import Cells, Space


class Mark(NamedTuple):
    """One mark in a text: its range, the numbers of each shape, whether the text ends inside it, and
    whether numbers are lost by that."""

    start: int
    end: int
    shapes: list[tuple[Kind, list[float]]]
    cut: bool = False
    lost: bool = False


class Trailing(ABC):
    """The base: finds marks, ties each to the phrase before it, writes them behind phrases."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    @abstractmethod
    def _marks(self, text: str) -> Iterator[Mark]:
        """Returns the marks in the order of the text."""

    @abstractmethod
    def _run(self, kind: Kind, shapes: list[tuple[float, ...]], space: Space | Cells) -> str:
        """Returns one mark for shapes of one kind."""

    def _first(self, text: str) -> str:
        return next((text[mark.start : mark.end] for mark in self._marks(text)), "")

    def parse(
        self, text: str, frame: PictureFrame, *, phrases: Sequence[str] = (), step: int | None = None
    ) -> Parsed:
        """Returns the text without marks, its spans and diagnostics; see `Format.parse`."""
        reader = Reader(text, self.profile, frame, phrases, step)
        read_to = floor = 0
        place = (0, 0)
        for index, mark in enumerate(self._marks(reader.text)):
            between = reader.text[read_to : mark.start]
            # Several marks behind one phrase, with nothing but blanks between them, belong to it together.
            if index == 0 or between.strip():
                reader.take(read_to, mark.start)
                reader.drop_space()
                place = reader.guessed(floor)
                floor = reader.at
            read_to = mark.end
            if mark.cut:
                reader.note(
                    "text.cut", "The text ends inside a mark.", mark.start, mark.end, dropped=mark.lost
                )
            for kind, numbers in mark.shapes:
                values = reader.shape(numbers, kind, mark.start, mark.end)
                if values is not None:
                    reader.add(values, kind, place)
        reader.take(read_to, len(reader.text))
        return reader.finish()

    def emit(self, grounded: Grounded, frame: PictureFrame) -> str:
        """Returns the text with marks behind its phrases; see `Format.emit`."""
        check(grounded, self.profile, self._first)
        space = resolve(self.profile.space, frame)

        def mark(group: Group) -> str:
            runs = "".join(self._run(kind, _numbers(run, space, frame), space) for kind, run in group.runs)
            gap = " " if group.phrase or group.end else ""
            return f"{group.phrase}{gap}{runs}"

        return weave(grounded, mark)


def _numbers(run: list[Span], space: Space | Cells, frame: PictureFrame) -> list[tuple[float, ...]]:
    return [written(span, space, frame) for span in run]


class Brackets(Trailing):
    """Numbers in square brackets: Shikra, GroundingGPT, CogVLM.

    Read alike: single or double brackets, blanks or none, ``;`` between shapes. The profile says how
    values are meant; how they are written is set here.

    Args:
        profile: names, space, kinds.
        comma: what stands between two numbers.
        double: two brackets on each side instead of one.
        width: digits that whole numbers are padded to with zeros.
        each: every shape has brackets of its own, instead of ``;`` between them.
    """

    # No character of the body is a bracket, so every character is looked at a fixed number of times.
    # A single bracket is closed by a single one: the next belongs to the text.
    pattern = re.compile(
        r"\[(?P<double>\[)?+(?P<body>[-+\d.,;\s]{1,8000}+)(?P<end>(?(double)\]{1,2}+|\])|\Z)"
    )

    def __init__(
        self, profile: Profile, *, comma: str = ",", double: bool = False, width: int = 0, each: bool = False
    ) -> None:
        super().__init__(profile)
        self._comma = comma
        self._double = double
        self._width = width
        self._each = each

    def _marks(self, text: str) -> Iterator[Mark]:
        for found in self.pattern.finditer(text):
            cut = not found.group("end")
            parts = [_floats(part) for part in found.group("body").split(";")]
            # One number in brackets is a footnote, and text.
            if sum(map(len, parts)) < 2 and not (cut and re.search(r"\d[.,]", found.group("body"))):
                continue
            # The last number of a text that ends here may have lost digits.
            whole = parts[:-1] if cut else parts
            shapes: list[tuple[Kind, list[float]]] = [
                ("point" if len(part) == 2 and "point" in self.profile.kinds else "box", part)
                for part in whole
                if part
            ]
            yield Mark(found.start(), found.end(), shapes, cut, cut)

    def _run(self, kind: Kind, shapes: list[tuple[float, ...]], space: Space | Cells) -> str:
        inside = [self._comma.join(digits(value, space, self._width) for value in shape) for shape in shapes]
        joined = ("][" if self._each else ";").join(inside)
        return f"[[{joined}]]" if self._double else f"[{joined}]"


def _floats(text: str) -> list[float]:
    """Returns the numbers of a list; not-a-number for what is none."""
    numbers = []
    for part in text.replace(",", " ").split():
        try:
            numbers.append(float(part))
        except ValueError:
            numbers.append(float("nan"))
    return numbers


class Hull(Brackets):
    """Visual-CoT: the whole answer is one box, the hull of all that are given (arXiv 2403.16999)."""

    def emit(self, grounded: Grounded, frame: PictureFrame) -> str:
        """Returns one box around all spans and nothing else: the format has no room for words.

        No spans give an empty text.
        """
        boxes = [span.box for span in grounded.reduced("box").spans]
        if not boxes:
            return ""
        corners = list(zip(*(box.xyxy_px for box in boxes), strict=True))
        hull = (min(corners[0]), min(corners[1]), max(corners[2]), max(corners[3]))
        return super().emit(Grounded(spans=(Span(phrase="", values=hull),)), frame)


class BinTokens(Trailing):
    """Shikra's location tokens: ``<b_st><bin_k>…<b_sep>…<b_ed>``, points with ``p_`` instead of ``b_``."""

    pattern = re.compile(r"<(?:([bp])_(st|sep|ed)|bin_(\d{1,9}))>")

    def _marks(self, text: str) -> Iterator[Mark]:
        kind: Kind = "box"
        shapes: list[tuple[Kind, list[float]]] = []
        start = end = -1
        for found in self.pattern.finditer(text):
            letter, word, number = found.groups()
            if start >= 0 and (word == "st" or text[end : found.start()].strip()):
                yield Mark(start, end, _filled(shapes), True)
                start = -1
            if start < 0:
                start, shapes = found.start(), [(kind, [])]
            end = found.end()
            if letter:
                kind = "point" if letter == "p" else "box"
            if word == "st":
                shapes = [(kind, [])]
            elif word == "sep":
                shapes.append((kind, []))
            elif number:
                shapes[-1][1].append(float(number))
            else:
                yield Mark(start, end, _filled(shapes))
                start = -1
        if start >= 0:
            yield Mark(start, end, _filled(shapes), True)

    def _run(self, kind: Kind, shapes: list[tuple[float, ...]], space: Space | Cells) -> str:
        letter = "p" if kind == "point" else "b"
        inside = f"<{letter}_sep>".join(
            "".join(f"<bin_{round(value)}>" for value in shape) for shape in shapes
        )
        return f"<{letter}_st>{inside}<{letter}_ed>"


def _filled(shapes: list[tuple[Kind, list[float]]]) -> list[tuple[Kind, list[float]]]:
    return [shape for shape in shapes if shape[1]]
