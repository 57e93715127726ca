"""PaliGemma: a list of four location tokens and a label each, y first (arXiv 2407.07726).

Its answers are lists without running text. Text that is to go with the places stands before the list, on
lines of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from deixis.learned.formats.frame import PictureFrame, resolve
from deixis.learned.formats.protocol import Profile
from deixis.learned.formats.reading import Reader
from deixis.learned.formats.shapes import written
from deixis.learned.formats.spans import Grounded, Parsed
from deixis.learned.formats.writing import check, first

TOKEN = re.compile(r"<(?:loc(?P<bin>\d{4})|(?P<seg>seg)\d{3}|(?:eos|bos|pad))>")
END = re.compile(r"[;\n]")


class PaliGemma:
    """``<loc0566><loc0104><loc0901><loc0287> dog ; <loc…> cat``; its outline tokens are not decoded."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def parse(
        self, text: str, frame: PictureFrame, *, phrases: Sequence[str] = (), step: int | None = None
    ) -> Parsed:
        """Returns the text around the list, its spans and diagnostics; see `Format.parse`."""
        reader = Reader(text, self.profile, frame, phrases, step)
        bins: list[float] = []
        read_to = shape_at = 0
        told = False

        def close(words: str, end: int) -> None:
            """Ends an item: `words` are its label up to a semicolon or the end of the line, then text."""
            stop = END.search(words)
            label = words[: stop.start() if stop else len(words)].strip() if bins else ""
            for at in range(0, len(bins), 4):
                values = reader.shape(bins[at : at + 4], "box", shape_at, end)
                if values is not None:
                    reader.add(values, "box", None, label)
            rest = (words[stop.end() :] if stop else "") if bins else words
            reader.put("\n" + rest if bins and rest.strip() else rest if not bins else "")
            bins.clear()

        for token in TOKEN.finditer(reader.text):
            words = reader.text[read_to : token.start()]
            if words.strip() or (token.group("bin") and not bins):
                close(words, token.start())
            read_to = token.end()
            if token.group("bin"):
                shape_at = shape_at if bins else token.start()
                bins.append(float(token.group("bin")))
            elif token.group("seg") and not told:
                told = True
                reader.note("outline.unread", "Outline tokens are not decoded.", *token.span())
        close(reader.text[read_to:], len(reader.text))
        return reader.finish(listing=True)

    def emit(self, grounded: Grounded, frame: PictureFrame) -> str:
        """Returns the text, if there is any, and below it the list; see `Format.emit`."""
        check(grounded, self.profile, first(TOKEN), first(re.compile(TOKEN.pattern + r"|[;\n]")))
        space = resolve(self.profile.space, frame)
        listing = " ; ".join(
            "".join(f"<loc{round(value):04d}>" for value in written(span, space, frame))
            + (f" {span.phrase}" if span.phrase else "")
            for span in grounded.spans
        )
        return f"{grounded.text}\n{listing}" if grounded.text and listing else grounded.text + listing
