"""Phrases and boxes in tags of their own: Qwen-VL, Qwen2-VL, InternVL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

from deixis.learned.formats.frame import PictureFrame, resolve
from deixis.learned.formats.protocol import Profile
from deixis.learned.formats.reading import Range, Reader
from deixis.learned.formats.shapes import digits, written
from deixis.learned.formats.spans import Grounded, Kind, Parsed
from deixis.learned.formats.writing import Group, check, first, weave

TAG = re.compile(
    r"<(?P<close>/?)(?P<word>ref|box|quad)>"
    r"|<\|(?P<token>object_ref|box|quad)_(?P<end>start|end)\|>"
    r"|<\|(?:im_start|im_end|endoftext)\|>"
)
PAIR = re.compile(r"\(([^()]{0,80}+)\)")
ROW = re.compile(r"\[([^\[\]]{0,200}+)\]")
NUMBER = re.compile(r"[-+]?+(?:\d{1,40}+(?:\.\d{0,40}+)?|\.\d{1,40}+)")


class Tagged:
    """The base: reads both spellings of the tags, numbers in round or in square brackets.

    Args:
        profile: names, space, kinds.
        tokens: tags are special tokens (``<|box_start|>``) instead of ``<box>``.
        rows: boxes are rows of a list in one tag (InternVL) instead of two pairs in a tag each (Qwen).
    """

    def __init__(self, profile: Profile, *, tokens: bool = False, rows: bool = False) -> None:
        self.profile = profile
        self._tokens = tokens
        self._rows = rows

    def parse(
        self, text: str, frame: PictureFrame, *, phrases: Sequence[str] = (), step: int | None = None
    ) -> Parsed:
        """Returns the text without tags, its spans and diagnostics; see `Format.parse`."""
        reader = Reader(text, self.profile, frame, phrases, step)
        read_to = body_at = 0
        opened: int | None = None
        place: Range | None = None
        inside: Kind | None = None
        for tag in TAG.finditer(reader.text):
            if inside is None:
                reader.take(read_to, tag.start())
                if opened is None and reader.text[read_to : tag.start()].strip():
                    place = None
            else:
                cut = not _closes(tag) or (tag.group("word") or tag.group("token")) not in {"box", "quad"}
                self._body(reader, inside, place, body_at, tag.start(), cut=cut)
                inside = None
            read_to = tag.end()
            word = tag.group("word") or tag.group("token")
            if word in {"ref", "object_ref"}:
                if not _closes(tag):
                    opened = reader.at
                elif opened is not None:
                    place, opened = reader.trimmed(opened), None
            elif word and not _closes(tag):
                # Blanks between the boxes of one phrase are not text.
                if place is not None:
                    reader.drop_blanks(place[1])
                inside, body_at = ("polygon" if word == "quad" else "box"), tag.end()
        if inside is None:
            reader.take(read_to, len(reader.text))
        else:
            self._body(reader, inside, place, body_at, len(reader.text), cut=True)
        if opened is not None:
            reader.note("mark.open", "A phrase is not closed.", len(reader.text))
        return reader.finish()

    def _body(
        self, reader: Reader, kind: Kind, place: Range | None, start: int, end: int, *, cut: bool
    ) -> None:
        """Reads the shapes between two tags."""
        body = reader.text[start:end]
        if cut:
            reader.note("text.cut", "A box is not closed.", start, end)
        shapes = _shapes(body, kind)
        if not shapes:
            reader.note("values.none", "There are no numbers between the tags.", start, end, dropped=True)
        for numbers in shapes:
            values = reader.shape(numbers, kind, start, end)
            if values is not None:
                reader.add(values, kind, place or (reader.at, reader.at))

    def emit(self, grounded: Grounded, frame: PictureFrame) -> str:
        """Returns the text with phrases and boxes in tags; see `Format.emit`."""
        check(grounded, self.profile, first(TAG))
        space = resolve(self.profile.space, frame)

        def mark(group: Group) -> str:
            texts = [
                (span.kind, [digits(value, space) for value in written(span, space, frame)])
                for span in group.spans
            ]
            return self._ref(group.phrase) + self._boxes(texts)

        return weave(grounded, mark)

    def _ref(self, phrase: str) -> str:
        if not phrase:
            return ""
        return self._tag("ref", phrase) if not self._tokens else self._tag("object_ref", phrase)

    def _boxes(self, shapes: list[tuple[Kind, list[str]]]) -> str:
        if self._rows:
            return self._tag("box", "[" + ",".join(f"[{', '.join(row)}]" for _, row in shapes) + "]")
        return "".join(
            self._tag(
                "box" if kind == "box" else "quad",
                ",".join(f"({x},{y})" for x, y in zip(row[0::2], row[1::2], strict=True)),
            )
            for kind, row in shapes
        )

    def _tag(self, word: str, inside: str) -> str:
        if self._tokens:
            return f"<|{word}_start|>{inside}<|{word}_end|>"
        return f"<{word}>{inside}</{word}>"


def _closes(tag: re.Match[str]) -> bool:
    return tag.group("close") == "/" or tag.group("end") == "end"


def _shapes(body: str, kind: Kind) -> list[list[float]]:
    """Returns the numbers of each shape in the body of a tag: rows in square brackets, pairs in round
    ones taken together, or, with neither, all numbers. An outline is all that its tag holds."""
    rows = ROW.findall(body)
    if rows:
        return [_floats(row) for row in rows]
    pairs = [_floats(pair) for pair in PAIR.findall(body)]
    if pairs:
        each = 2 if kind == "box" else len(pairs)
        return [[*chain(*pairs[at : at + each])] for at in range(0, len(pairs), each)]
    numbers = _floats(body)
    count = 4 if kind == "box" else max(1, len(numbers))
    return [numbers[at : at + count] for at in range(0, len(numbers), count)]


def _floats(text: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(text)]
