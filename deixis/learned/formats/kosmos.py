"""Kosmos-2: phrases in tags, boxes as two patch tokens of a 32 × 32 grid (arXiv 2306.14824)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from deixis.learned.formats.frame import PictureFrame, resolve
from deixis.learned.formats.protocol import Profile
from deixis.learned.formats.reading import Range, Reader
from deixis.learned.formats.shapes import written
from deixis.learned.formats.spans import Grounded, Parsed
from deixis.learned.formats.writing import Group, check, first, weave

TAG = re.compile(
    r"<(?:(?P<name>/?(?:grounding|phrase|object|image|s|pad)|/delimiter_of_multi_objects/)"
    r"|patch_index_(?P<cell>\d{1,9}))>"
)
DELIMITER = "</delimiter_of_multi_objects/>"


class Kosmos:
    """``<grounding><phrase>a dog</phrase><object><patch_index_0563><patch_index_0905></object>``."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def parse(
        self, text: str, frame: PictureFrame, *, phrases: Sequence[str] = (), step: int | None = None
    ) -> Parsed:
        """Returns the text without tags, its spans and diagnostics; see `Format.parse`."""
        walk = _Walk(Reader(text, self.profile, frame, phrases, step))
        read_to = 0
        for tag in TAG.finditer(walk.reader.text):
            walk.words(read_to, tag.start())
            walk.tag(tag)
            read_to = tag.end()
        return walk.finish(read_to)

    def emit(self, grounded: Grounded, frame: PictureFrame) -> str:
        """Returns the text with phrases and cells in tags; see `Format.emit`."""
        check(grounded, self.profile, first(TAG))
        space = resolve(self.profile.space, frame)

        def mark(group: Group) -> str:
            boxes = DELIMITER.join(
                "".join(f"<patch_index_{round(cell):04d}>" for cell in written(span, space, frame))
                for span in group.spans
            )
            phrase = f"<phrase>{group.phrase}</phrase>" if group.phrase else ""
            return f"{phrase}<object>{boxes}</object>"

        return "<grounding>" + weave(grounded, mark)


class _Walk:
    """Where a parser stands: what is open, which phrase the next object belongs to."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._opened: int | None = None
        self._place: Range | None = None
        self._cells: list[list[float]] | None = None
        self._object_at = 0

    def words(self, start: int, end: int) -> None:
        """Takes what stands between two tags."""
        blank = not self.reader.text[start:end].strip()
        if self._cells is None:
            self.reader.take(start, end)
            if not blank and self._opened is None:
                self._place = None
        elif not blank:
            self.reader.note("mark.words", "Words stand among the cells.", start, end, dropped=True)

    def tag(self, tag: re.Match[str]) -> None:
        """Takes a tag."""
        name, cell = tag.group("name"), tag.group("cell")
        if cell is not None:
            self._cell(tag, float(cell))
        elif name == "phrase":
            self._opened = self.reader.at
        elif name == "/phrase" and self._opened is not None:
            self._place, self._opened = self.reader.trimmed(self._opened), None
        elif name == "object":
            self._close(tag.start(), cut=True)
            self._cells, self._object_at = [[]], tag.start()
        elif name == "/object":
            self._close(tag.end())
        elif name == DELIMITER[1:-1] and self._cells is not None:
            self._cells.append([])

    def _cell(self, tag: re.Match[str], cell: float) -> None:
        if self._cells is None:
            self.reader.note("mark.stray", "A cell stands outside an object.", *tag.span(), dropped=True)
        else:
            self._cells[-1].append(cell)

    def _close(self, end: int, *, cut: bool = False) -> None:
        """Ends the object that is open, if one is."""
        if self._cells is None:
            return
        if cut:
            self.reader.note("text.cut", "An object is not closed.", self._object_at, end)
        here = self.reader.at
        for pair in self._cells:
            values = self.reader.shape(pair, "box", self._object_at, end)
            if values is not None:
                self.reader.add(values, "box", self._place or (here, here))
        self._cells = None

    def finish(self, read_to: int) -> Parsed:
        """Returns what was read, the rest of the text from `read_to` included."""
        end = len(self.reader.text)
        self.words(read_to, end)
        self._close(end, cut=True)
        if self._opened is not None:
            self.reader.note("mark.open", "A phrase is not closed.", end)
        return self.reader.finish()
