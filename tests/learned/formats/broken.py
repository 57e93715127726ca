"""What the tests of broken texts share."""

from __future__ import annotations

from deixis.geometry import Size
from deixis.learned import formats
from deixis.learned.formats import PictureFrame

FRAME = PictureFrame.unresized(Size(width=1000, height=1000))
DOG = (100, 200, 300, 400)
CAT = (500, 600, 700, 800)
Found = list[tuple[str, tuple[int, ...]]]


def read(name: str, text: str) -> tuple[str, Found, str]:
    """Returns the plain text, phrases with rounded values, and the codes of what was wrong: ``-`` stands
    before what was dropped."""
    parsed = formats.get(name).parse(text, FRAME)
    found = [(span.phrase, tuple(round(value) for value in span.values)) for span in parsed.spans]
    # Remarks stand first in the tables.
    notes = sorted(parsed.diagnostics, key=lambda note: note.dropped)
    return parsed.text, found, " ".join("-" * note.dropped + note.code for note in notes)
