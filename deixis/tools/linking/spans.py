"""Words of a text by place, and the choice among spans that overlap."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")


@dataclass(frozen=True)
class Word:
    """A word of a text: `low` is case-folded, ``text[start:end]`` is as written."""

    low: str
    start: int
    end: int


@dataclass(frozen=True)
class Span:
    """A proposal: ``text[start:end]`` (`words` words) means the label with the number `label`."""

    start: int
    end: int
    words: int
    label: int
    score: float


def words(text: str) -> list[Word]:
    """Returns the words of `text` in order; accents that stand alone belong to the letter before."""
    out: list[Word] = []
    for found in _WORD.finditer(text):
        start, end = found.span()
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        if out and out[-1].end >= start:  # a word that an accent had cut in two
            start = out.pop().start
        low = unicodedata.normalize("NFC", text[start:end]).casefold().replace("’", "'")
        out.append(Word(low, start, end))
    return out


def on_boundaries(text: str, start: int, end: int) -> bool:
    """Returns whether ``text[start:end]`` cuts no word in two."""
    if not 0 <= start < end <= len(text):
        return False
    inside = any(word.start < at < word.end for word in words(text) for at in (start, end))
    return not inside and not (end < len(text) and unicodedata.combining(text[end]))


def occurrences(text: str, phrase: str) -> list[tuple[int, int]]:
    """Returns every place of `phrase` in `text`, by words, whatever their case; not overlapping."""
    wanted = tuple(word.low for word in words(phrase))
    if not wanted:
        return []
    found: list[tuple[int, int]] = []
    run = _cached_words(text)
    at = 0
    while at + len(wanted) <= len(run):
        if tuple(word.low for word in run[at : at + len(wanted)]) == wanted:
            found.append((run[at].start, run[at + len(wanted) - 1].end))
            at += len(wanted)
        else:
            at += 1
    return found


@lru_cache(maxsize=4)
def _cached_words(text: str) -> tuple[Word, ...]:
    return tuple(words(text))


def without_overlap(spans: Iterable[Span]) -> list[Span]:
    """Returns the spans that stay, ordered by start: longer ones first, then surer, then earlier."""
    kept: list[Span] = []
    taken: set[int] = set()
    for span in sorted(spans, key=lambda s: (-s.words, -s.score, s.start - s.end, s.start, s.label)):
        places = range(span.start, span.end)
        if taken.isdisjoint(places):
            taken.update(places)
            kept.append(span)
    return sorted(kept, key=lambda s: s.start)
