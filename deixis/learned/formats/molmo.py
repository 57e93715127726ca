"""Molmo: points in percent of the picture, as attributes of a tag around the phrase (arXiv 2409.17146)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape, unescape

from deixis.learned.formats.frame import PictureFrame, resolve
from deixis.learned.formats.protocol import Profile
from deixis.learned.formats.reading import Reader
from deixis.learned.formats.shapes import digits, written
from deixis.learned.formats.spans import Grounded, Parsed, Values
from deixis.learned.formats.writing import Group, check, first, weave

TAG = re.compile(r"<(?:points?(?P<facts>\s[^<>]{0,50000}+)>|/points?>|points?\s[^<>]{0,50000}+\Z)")
FACT = re.compile(r"""([A-Za-z]{1,12}+)(\d{0,6}+)\s{0,4}+=\s{0,4}+(?:"([^"]*+)"|'([^']*+)')""")


class Molmo:
    """``<point x="41.2" y="63.0" alt="a dog">a dog</point>``; several in one ``<points x1=… y1=… …>``."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def parse(
        self, text: str, frame: PictureFrame, *, phrases: Sequence[str] = (), step: int | None = None
    ) -> Parsed:
        """Returns the text without tags, its spans and diagnostics; see `Format.parse`."""
        reader = Reader(text, self.profile, frame, phrases, step)
        read_to = begin = 0
        points: list[Values] = []
        alt = ""
        opened = False
        for tag in TAG.finditer(reader.text):
            reader.take(read_to, tag.start())
            read_to = tag.end()
            if opened:
                self._close(reader, points, begin, alt, closed=tag.group().startswith("</"))
            opened = tag.group("facts") is not None
            if opened:
                begin = reader.at
                points, alt = self._points(reader, tag)
            elif not tag.group().startswith("</"):
                reader.note("text.cut", "The text ends inside a tag.", *tag.span(), dropped=True)
        if opened:
            # Without a closing tag the phrase has no end, so only the label that the tag has is used.
            reader.note("text.cut", "A point is not closed.", read_to, len(reader.text))
            for values in points:
                reader.add(values, "point", None, alt)
        reader.take(read_to, len(reader.text))
        return reader.finish(listing=True)

    def _close(self, reader: Reader, points: list[Values], begin: int, alt: str, *, closed: bool) -> None:
        start, end = reader.trimmed(begin)
        for values in points:
            if closed and (end > start or not alt):
                reader.add(values, "point", (start, end))
            else:
                reader.add(values, "point", None, alt)

    def _points(self, reader: Reader, tag: re.Match[str]) -> tuple[list[Values], str]:
        """Returns the points of one tag, in pixels, and its label."""
        pairs: dict[str, dict[str, str]] = {}
        alt = ""
        for name, number, double, single in FACT.findall(tag.group("facts")):
            if name in {"x", "y"}:
                pairs.setdefault(number, {})[name] = (double or single).strip()
            elif name == "alt":
                alt = unescape(double or single).strip()
        points = []
        for pair in pairs.values():
            try:
                numbers = [float(pair[name]) for name in ("x", "y")]
            except (KeyError, ValueError):
                reader.note("values.count", "A point needs an x and a y.", *tag.span(), dropped=True)
                continue
            values = reader.shape(numbers, "point", *tag.span())
            if values is not None:
                points.append(values)
        if not pairs:
            reader.note("values.none", "The tag has no x and y.", *tag.span(), dropped=True)
        return points, alt

    def emit(self, grounded: Grounded, frame: PictureFrame) -> str:
        """Returns the text with phrases in point tags; see `Format.emit`."""
        check(grounded, self.profile, first(re.compile(r"</?points?[\s>]")))
        space = resolve(self.profile.space, frame)

        def mark(group: Group) -> str:
            pairs = [[digits(value, space) for value in written(span, space, frame)] for span in group.spans]
            single = len(pairs) == 1
            facts = " ".join(
                f'x{"" if single else number}="{x}" y{"" if single else number}="{y}"'
                for number, (x, y) in enumerate(pairs, 1)
            )
            tag = "point" if single else "points"
            return f'<{tag} {facts} alt="{escape(group.phrase)}">{group.phrase}</{tag}>'

        return weave(grounded, mark)
