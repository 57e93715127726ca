"""Verdicts over pairs: balanced accuracy, coverage, confident mistakes. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deixis.answer import Verdict
from deixis.eval.report import Measure, bootstrap, proportion


@dataclass(frozen=True)
class Judged:
    """A pair's truth and what was said of it. `covered`: the detector knows what makes the sound."""

    match: bool
    verdict: Verdict
    covered: bool


def balanced_accuracy(judged: Sequence[Any]) -> float:
    """Returns the mean of the recalls of *matched* and *unmatched*, 0..1; *unknown* is right for neither.

    A side without pairs is left out; nothing at all is 0.
    """
    recalls = []
    for match, verdict in ((True, "matched"), (False, "unmatched")):
        side = [one for one in judged if one.match is match]
        if side:
            recalls.append(sum(one.verdict == verdict for one in side) / len(side))
    return sum(recalls) / len(recalls) if recalls else 0.0


def wrong_links(judged: Sequence[Judged]) -> int:
    """Returns how many pairs that do not belong together were called matched."""
    return sum(one.verdict == "matched" and not one.match for one in judged)


def wrong_verdicts(judged: Sequence[Judged]) -> int:
    """Returns how many verdicts other than unknown are wrong, either way."""
    return sum((one.verdict == "matched") != one.match for one in judged if one.verdict != "unknown")


def confusion(judged: Sequence[Judged]) -> dict[str, dict[Verdict, int]]:
    """Returns how often each verdict was given, for pairs that match and for those that do not."""
    verdicts: tuple[Verdict, ...] = ("matched", "unmatched", "unknown")
    return {
        truth: {said: sum(one.match is side and one.verdict == said for one in judged) for said in verdicts}
        for truth, side in (("matching", True), ("not matching", False))
    }


def measures(judged: Sequence[Judged], bar: float | None = None) -> list[Measure]:
    """Returns the figures over covered pairs, all pairs, and the rest."""
    covered = [one for one in judged if one.covered]
    other = [one for one in judged if not one.covered]
    found = [
        bootstrap("balanced accuracy, covered pairs", covered, balanced_accuracy, bar),
        bootstrap("balanced accuracy, all pairs", judged, balanced_accuracy),
        _none("wrong links, all pairs", wrong_links(judged), len(judged), bar),
        _none("wrong verdicts, pairs not covered", wrong_verdicts(other), len(other), bar),
    ]
    for name, part in (("covered", covered), ("not covered", other)):
        decided = sum(one.verdict != "unknown" for one in part)
        found.append(proportion(f"decided, pairs {name}", decided, len(part)))
    return found


def _none(name: str, count: int, n: int, bar: float | None) -> Measure:
    """Returns a share of which there should be none."""
    share = proportion(name, count, n)
    return share.model_copy(update={"better": "lower", "bar": None if bar is None else 0.0})
