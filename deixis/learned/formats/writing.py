"""What all writers share: spans that belong together, checks, marks woven into the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from deixis.errors import InputFault
from deixis.learned.formats.protocol import Profile
from deixis.learned.formats.spans import Grounded, Kind, Span


@dataclass(frozen=True)
class Group:
    """The spans of one phrase at one place of the text, in their order."""

    phrase: str
    spans: tuple[Span, ...]
    start: int | None = None
    end: int | None = None

    @property
    def runs(self) -> list[tuple[Kind, list[Span]]]:
        """Returns the spans in runs of one kind."""
        return [(kind, list(run)) for kind, run in groupby(self.spans, key=lambda span: span.kind)]


def groups(spans: Sequence[Span]) -> tuple[list[Group], list[Group]]:
    """Returns the spans in groups: those in the text, in its order, and those beside it.

    Raises:
        InputFault: phrases overlap, so that no format can mark both.
    """
    ranges: dict[tuple[int, int], list[Span]] = {}
    for span in spans:
        if span.start is not None and span.end is not None:
            ranges.setdefault((span.start, span.end), []).append(span)
    placed = [Group(same[0].phrase, tuple(same), start, end) for (start, end), same in sorted(ranges.items())]
    for before, after in pairwise(placed):
        if (after.start or 0) < (before.end or 0):
            raise InputFault(
                "formats.spans.overlap",
                f"The phrases {before.phrase!r} and {after.phrase!r} overlap.",
                "Keep one of them.",
            )
    return placed, listed([span for span in spans if span.start is None])


def check(
    grounded: Grounded,
    profile: Profile,
    reserved: Callable[[str], str],
    in_phrases: Callable[[str], str] | None = None,
) -> None:
    """Checks that a format can write what is given.

    Args:
        grounded: the text and its spans.
        profile: the format's profile.
        reserved: gives the first part of a text that would be read as a mark, or an empty text.
        in_phrases: the same for phrases that are written beside the text; `reserved` where not given.
            Where it is given, all phrases are written beside the text.

    Raises:
        InputFault: it cannot.
    """
    for kind in {span.kind for span in grounded.spans}:
        if kind not in profile.kinds:
            raise InputFault(
                "formats.kind.unsupported",
                f"The format {profile.name} cannot write a {kind}.",
                f"It writes {', '.join(profile.kinds)}; Grounded.reduced turns one kind into another.",
            )
    if any(
        profile.corners not in {None, len(span.values) // 2}
        for span in grounded.spans
        if span.kind == "polygon"
    ):
        raise InputFault(
            "formats.kind.unsupported",
            f"The outlines of {profile.name} have {profile.corners} corners.",
            "Give outlines of so many corners, or use Grounded.reduced('box').",
        )
    beside = {span.phrase for span in grounded.spans if in_phrases or span.start is None}
    found = reserved(grounded.text) or next(filter(None, map(in_phrases or reserved, beside)), "")
    if found:
        raise InputFault(
            "formats.text.reserved",
            f"The text contains {found[:40]!r}, which {profile.name} would read as a mark.",
            "Take it out, or use another format.",
        )


def first(pattern: re.Pattern[str]) -> Callable[[str], str]:
    """Returns a function that gives the first match of `pattern` in a text, or an empty text."""

    def search(text: str) -> str:
        found = pattern.search(text)
        return found.group() if found else ""

    return search


def listed(spans: Sequence[Span]) -> list[Group]:
    """Returns the spans in groups of one phrase that follow each other, for formats that write lists."""
    return [Group(phrase, tuple(run)) for phrase, run in groupby(spans, key=lambda span: span.phrase)]


def weave(grounded: Grounded, mark: Callable[[Group], str]) -> str:
    """Returns the text with every phrase replaced by its mark; phrases beside the text follow it."""
    placed, beside = groups(grounded.spans)
    pieces: list[str] = []
    at = 0
    for group in placed:
        pieces += [grounded.text[at : group.start], mark(group)]
        at = group.end or 0
    pieces.append(grounded.text[at:])
    if beside:
        pieces += [" " if grounded.text else "", ", ".join(mark(group) for group in beside)]
    return "".join(pieces)
