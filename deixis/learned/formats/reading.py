"""What all parsers share: plain text piece by piece, spans, limits, diagnostics."""

from __future__ import annotations

from collections.abc import Sequence

from deixis.answer import Score
from deixis.learned.formats.frame import PictureFrame, resolve
from deixis.learned.formats.phrases import WINDOW, phrase_start
from deixis.learned.formats.protocol import Profile
from deixis.learned.formats.shapes import read
from deixis.learned.formats.spans import Diagnostic, Kind, Parsed, Section, Span, Values

MOST_CHARS = 100_000
"""Characters of a text that are read; an answer of a model has a few thousand."""

MOST_SPANS = 1_000
"""Spans and diagnostics that are kept of one text."""

EXCERPT = 80

Range = tuple[int, int]
"""Start and end in the plain text."""


class Reader:
    """Builds a `Parsed`: the parser walks along `text` and says what is words and what points.

    Attributes:
        text: the text to read, cut to `MOST_CHARS`, lone surrogates replaced.
        at: length of the plain text so far.
    """

    def __init__(
        self, text: str, profile: Profile, frame: PictureFrame, phrases: Sequence[str], step: int | None
    ) -> None:
        self.profile = profile
        self.frame = frame
        self.space = resolve(profile.space, frame)
        self.at = 0
        self._known = [phrase for phrase in phrases if 0 < len(phrase) <= WINDOW][:MOST_SPANS]
        self._step = step
        self._pieces: list[str] = []
        self._spans: list[tuple[Range | None, str, Kind, Values, Score | None]] = []
        self._notes: list[Diagnostic] = []
        self._more = 0
        self._cursors: dict[str, Range] = {}
        self.text = text[:MOST_CHARS]
        if len(text) > MOST_CHARS:
            self.note("text.long", f"Only {MOST_CHARS} of {len(text)} characters were read.", MOST_CHARS)
        try:
            self.text.encode()
        except UnicodeEncodeError:
            self.text = self.text.encode("utf-8", "replace").decode()
            self.note("text.surrogates", "Halves of characters were replaced by question marks.", 0)

    def take(self, start: int, end: int) -> None:
        """Adds characters of the text to the plain text."""
        self.put(self.text[start:end])

    def put(self, words: str) -> None:
        """Adds words to the plain text."""
        if words:
            self._pieces.append(words)
            self.at += len(words)

    def drop_space(self) -> None:
        """Takes one blank off the end of the plain text: the one that a writer puts before a mark."""
        if self._pieces and self._pieces[-1].endswith(" "):
            self._pieces[-1] = self._pieces[-1][:-1]
            self.at -= 1
            if not self._pieces[-1]:
                self._pieces.pop()

    def drop_blanks(self, start: int) -> None:
        """Takes the blanks behind `start` off the end of the plain text."""
        while self._pieces and self.at > start and not self._pieces[-1].strip():
            self.at -= len(self._pieces.pop())

    def tail(self, start: int) -> str:
        """Returns the plain text from `start`, at most the last characters that a phrase may have."""
        wanted = min(self.at - start, WINDOW)
        pieces: list[str] = []
        length = 0
        for piece in reversed(self._pieces):
            if length >= wanted:
                break
            pieces.append(piece)
            length += len(piece)
        return "".join(reversed(pieces))[max(0, length - wanted) :]

    def guessed(self, floor: int) -> Range:
        """Returns the range of the phrase that ends where the plain text ends, from `floor` on."""
        tail = self.tail(floor)
        bare = tail.rstrip()
        end = self.at - (len(tail) - len(bare))
        return (end - (len(bare) - phrase_start(bare, 0, self._known)), end)

    def trimmed(self, start: int) -> Range:
        """Returns the range of the plain text from `start` without blanks around it."""
        pieces = []
        length = 0
        for piece in reversed(self._pieces):
            if length >= self.at - start:
                break
            pieces.append(piece)
            length += len(piece)
        words = "".join(reversed(pieces))[length - (self.at - start) :]
        left = len(words) - len(words.lstrip())
        return (start + left, start + left + len(words.strip()))

    def shape(self, numbers: Sequence[float], kind: Kind, start: int, end: int) -> Values | None:
        """Returns the shape that numbers between `start` and `end` of the text name, in pixels; None
        where it is dropped. Remarks become diagnostics."""
        if kind not in self.profile.kinds:
            self.note("kind.unsupported", f"The format has no {kind}.", start, end, dropped=True)
            return None
        if kind == "polygon" and self.profile.corners not in {None, len(numbers) // 2}:
            reason = f"{len(numbers)} values are not an outline of {self.profile.corners} corners."
            self.note("values.count", reason, start, end, dropped=True)
            return None
        found = read(numbers, kind, self.space, self.frame, self.profile.slack)
        for code, reason, dropped in found.remarks:
            self.note(code, reason, start, end, dropped=dropped)
        return found.values

    def add(
        self, values: Values, kind: Kind, place: Range | None, phrase: str = "", score: Score | None = None
    ) -> None:
        """Adds a span at a range of the plain text, or, without one, with a phrase beside the text."""
        if len(self._spans) < MOST_SPANS:
            self._spans.append((place, phrase, kind, values, score))
        elif len(self._spans) == MOST_SPANS:
            self.note("spans.many", f"Only {MOST_SPANS} spans are kept.", 0, dropped=True)

    def find(self, phrase: str, whole: str) -> Range | None:
        """Returns where a phrase of a list stands in the plain text `whole`: its next whole-word
        occurrence since it was last looked for, else the last one; None where it has none."""
        if not phrase.strip():
            return None
        last = self._cursors.get(phrase)
        at = whole.find(phrase, 0 if last is None else last[1])
        while at >= 0:
            end = at + len(phrase)
            before, after = whole[at - 1 : at], whole[end : end + 1]
            if not (before.isalnum() and phrase[0].isalnum()) and not (
                after.isalnum() and phrase[-1].isalnum()
            ):
                self._cursors[phrase] = (at, end)
                return (at, end)
            at = whole.find(phrase, end)
        return last

    def note(
        self, code: str, reason: str, start: int, end: int | None = None, *, dropped: bool = False
    ) -> None:
        """Adds a diagnostic about the text from `start` to `end`."""
        if len(self._notes) >= MOST_SPANS:
            self._more += 1
            return
        stop = start if end is None else end
        excerpt = self.text[start : min(stop, start + EXCERPT)] if hasattr(self, "text") else ""
        self._notes.append(
            Diagnostic(code=code, reason=reason, dropped=dropped, start=start, end=stop, excerpt=excerpt)
        )

    def finish(self, sections: Sequence[Section] = (), *, listing: bool = False) -> Parsed:
        """Returns the plain text without blanks around it, the spans and the diagnostics.

        With `listing`, spans that have no range get that of their phrase in the text, if it is there.
        """
        joined = "".join(self._pieces)
        whole = joined.strip()
        shift = len(joined) - len(joined.lstrip())
        spans = []
        for place, phrase, kind, values, score in self._spans:
            at = place
            if at is None and listing:
                found = self.find(phrase, whole)
                at = None if found is None else (found[0] + shift, found[1] + shift)
            start, end = (
                (None, None) if at is None else (_within(at[0] - shift, whole), _within(at[1] - shift, whole))
            )
            words = phrase if at is None else whole[start:end]
            spans.append(
                Span(
                    phrase=words, kind=kind, values=values, start=start, end=end, score=score, step=self._step
                )
            )
        if self._more:
            last = self._notes[-1]
            self._notes[-1] = last.model_copy(
                update={"code": "notes.many", "reason": f"{self._more + 1} more remarks are left out."}
            )
        return Parsed(
            text=whole, spans=tuple(spans), sections=tuple(sections), diagnostics=tuple(self._notes)
        )


def _within(at: int, text: str) -> int:
    return min(max(at, 0), len(text))
