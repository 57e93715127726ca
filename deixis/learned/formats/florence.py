"""Florence-2: a list of labels, each followed by location tokens (arXiv 2311.06242).

Its answers are lists without running text. Text that is to go with the places stands before the list, on
lines of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from deixis.errors import InputFault
from deixis.learned.formats.frame import PictureFrame, resolve
from deixis.learned.formats.protocol import Profile
from deixis.learned.formats.reading import Reader
from deixis.learned.formats.shapes import written
from deixis.learned.formats.spans import Grounded, Kind, Parsed, Span
from deixis.learned.formats.writing import check, first, listed

TOKEN = re.compile(
    r"<(?:loc_(?P<bin>\d{1,9})|(?P<word>/?poly|sep)|[A-Z][A-Z_]{1,39}+"
    r"|/?(?:s|pad|od|box|bbox|ground|obj|grounding|ocr|cap|ncap|dcap|region_cap|proposal|and))>"
)
OCR_TAG = "<OCR_WITH_REGION>"


class Florence:
    """``dog<loc_102><loc_553><loc_281><loc_880>``; outlines in ``<poly>``, with ``<sep>`` between them.

    Args:
        profile: names, space, kinds.
        quads: eight tokens are one outline of four corners (OCR with regions) instead of two boxes; the
            task's tag in the text has the same effect.
    """

    def __init__(self, profile: Profile, *, quads: bool = False) -> None:
        self.profile = profile
        self._quads = quads

    def parse(
        self, text: str, frame: PictureFrame, *, phrases: Sequence[str] = (), step: int | None = None
    ) -> Parsed:
        """Returns the text around the list, its spans and diagnostics; see `Format.parse`."""
        reader = Reader(text, self.profile, frame, phrases, step)
        quads = self._quads or OCR_TAG in reader.text
        words: list[str] = []
        bins: list[float] = []
        label: str | None = None
        outline = False
        read_to = shape_at = 0

        def close(end: int) -> None:
            for kind, numbers in _shapes(bins, outline=outline, quads=quads):
                values = reader.shape(numbers, kind, shape_at, end)
                if values is not None:
                    reader.add(values, kind, None, label or "")
            bins.clear()

        for token in TOKEN.finditer(reader.text):
            piece = reader.text[read_to : token.start()]
            if piece.strip():
                close(read_to)
            words.append(piece)
            read_to = token.end()
            if not (token.group("bin") or token.group("word")):
                continue
            said = "".join(words)
            words.clear()
            if label is None:
                # The lines before the list are text; what stands on its first line is a label.
                line = said.rfind("\n") + 1
                reader.put(said[:line])
                label = said[line:].strip()
            elif said.strip():
                label = said.strip()
            if token.group("bin"):
                shape_at = shape_at if bins else token.start()
                bins.append(float(token.group("bin")))
            else:
                close(token.start())
                outline = token.group("word") == "poly" or (outline and token.group("word") == "sep")
        close(read_to)
        reader.put("" if label is None else "\n")
        reader.put("".join(words) + reader.text[read_to:])
        return reader.finish(listing=True)

    def emit(self, grounded: Grounded, frame: PictureFrame) -> str:
        """Returns the text, if there is any, and below it the list; see `Format.emit`."""
        check(grounded, self.profile, first(TOKEN), first(re.compile(TOKEN.pattern + r"|\n")))
        space = resolve(self.profile.space, frame)

        def tokens(span: Span) -> str:
            return "".join(f"<loc_{round(value)}>" for value in written(span, space, frame))

        items = []
        for index, group in enumerate(listed(grounded.spans)):
            if index and not group.phrase.strip():
                raise InputFault(
                    "formats.phrase.empty",
                    f"In a list of {self.profile.name}, a place without a phrase belongs to the one before.",
                    "Give every span a phrase, or put those without one first.",
                )
            items.append(group.phrase)
            for kind, run in group.runs:
                inside = [tokens(span) for span in run]
                plain = kind == "box" or self._quads
                items.append("".join(inside) if plain else f"<poly>{'<sep>'.join(inside)}</poly>")
        listing = "".join(items)
        return f"{grounded.text}\n{listing}" if grounded.text and listing else grounded.text + listing


def _shapes(bins: list[float], *, outline: bool, quads: bool) -> list[tuple[Kind, list[float]]]:
    """Returns the shapes that a run of bins holds."""
    count = len(bins)
    if outline and bins:
        return [("polygon", list(bins))]
    each = 8 if quads and count % 8 == 0 else 4
    # Outlines of referred things come without <poly>: as many points as there are.
    if count >= 6 and count % 2 == 0 and count % 4:
        return [("polygon", list(bins))]
    kind: Kind = "polygon" if each == 8 else "box"
    return [(kind, bins[at : at + each]) for at in range(0, count, each)]
