"""Proposed (phrase, label) pairs, checked against the text and the labels they speak of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from deixis.answer import Score
from deixis.tools.linking.likeness import many, single
from deixis.tools.linking.protocol import Dropped, Link, LinkRequest, LinkResult
from deixis.tools.linking.spans import Span, occurrences, on_boundaries, without_overlap, words


class Pair(NamedTuple):
    """A phrase that is said to mean a label; the place and the confidence are hints, if any."""

    phrase: str
    label: str
    start: int | None = None
    end: int | None = None
    confidence: float | None = None


def place(request: LinkRequest, pairs: Iterable[Pair], default: Score) -> LinkResult:
    """Returns the pairs as links at every mention of their phrase, and what had to be refused.

    A phrase that the text does not hold on word boundaries, and a label that was not asked about,
    are dropped with the reason. Labels are compared case-folded, and a plural with its singular.
    """
    known: dict[str, list[str]] = {}
    for item in request.labels:
        known.setdefault(_key(item.label), []).append(item.id)
    singulars = {single(key): key for key in known if key}
    keys: list[str] = []
    scores: list[Score] = []
    spans: list[Span] = []
    dropped: list[Dropped] = []
    for pair in pairs:
        key = _key(pair.label)
        key = key if key in known else singulars.get(single(key), "")
        if not key:
            dropped.append(Dropped(phrase=pair.phrase, label=pair.label, reason="this label was not given"))
            continue
        places = _places(request.text, pair)
        if not places:
            reason = "the text does not hold this phrase"
            dropped.append(Dropped(phrase=pair.phrase, label=pair.label, reason=reason))
            continue
        sure = default if pair.confidence is None else Score(value=pair.confidence, kind=default.kind)
        number = len(keys)
        keys.append(key)
        scores.append(sure)
        count = len(words(pair.phrase))
        spans += [Span(start, end, count, number, sure.value) for start, end in places]
    links = []
    for span in without_overlap(spans):
        ids = known[keys[span.label]]
        phrase = request.text[span.start : span.end]
        said = tuple(word.low for word in words(phrase))
        several = tuple(ids) if len(ids) > 1 and said and many(said) else ()
        links.append(
            Link(
                phrase=phrase,
                start=span.start,
                end=span.end,
                id=ids[0],
                ids=several,
                confidence=scores[span.label],
            )
        )
    return LinkResult(links=tuple(links), dropped=tuple(dropped))


def _key(label: str) -> str:
    return " ".join(word.low for word in words(label)) or label.strip().casefold()


def _places(text: str, pair: Pair) -> list[tuple[int, int]]:
    """Returns the places of the phrase; the hinted one first counts only if it is the phrase."""
    found = occurrences(text, pair.phrase)
    if pair.start is not None and pair.end is not None:
        hinted = (pair.start, pair.end)
        if (
            hinted not in found
            and on_boundaries(text, *hinted)
            and text[slice(*hinted)] == pair.phrase.strip()
        ):
            found = [*found, hinted]
    return found
