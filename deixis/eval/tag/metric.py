"""Right and wrong tags. Pure functions over names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from deixis.eval.report import Measure, bootstrap, proportion

Names = frozenset[str]
Said = Sequence[Names]
"""The tags of a picture, best first; each as the set of its own name and its kinds."""


def hit(said: Said, truth: Collection[str], top: int) -> bool:
    """Returns whether one of the first `top` tags is right: shares a name with the truth."""
    return any(not names.isdisjoint(truth) for names in said[:top])


def reached(said: Said, vocabulary: Collection[str]) -> list[Names]:
    """Returns the tags, in order, as the names of a vocabulary that they stand for; others are left out."""
    inside = [frozenset(names & set(vocabulary)) for names in said]
    return [names for names in inside if names]


def precision_at(said: Said, truth: Collection[str], top: int) -> tuple[int, int]:
    """Returns how many of the first `top` tags are right, and how many there are."""
    first = said[:top]
    return sum(not names.isdisjoint(truth) for names in first), len(first)


def per_name(pictures: Sequence[Any]) -> dict[str, tuple[int, int, int]]:
    """Returns for each name: said and there, said, there; `pictures` are pairs (said, truth)."""
    counts: dict[str, tuple[int, int, int]] = {}
    for said, truth in pictures:
        spoken = {name for names in said for name in names}
        for name in spoken | set(truth):
            both, one, other = counts.get(name, (0, 0, 0))
            counts[name] = (
                both + (name in spoken and name in truth),
                one + (name in spoken),
                other + (name in truth),
            )
    return counts


def mean_precision(pictures: Sequence[Any]) -> float:
    """Returns the mean over names of how often a name is right where it is said, 0..1."""
    shares = [both / said for both, said, _ in per_name(pictures).values() if said]
    return sum(shares) / len(shares) if shares else 0.0


def scene_measures(pictures: Sequence[tuple[Said, Names]], tops: Sequence[int]) -> list[Measure]:
    """Returns precision at each `top`, its mean over names, and the recall of names that are there."""
    found = []
    for top in tops:
        counts = [precision_at(said, truth, top) for said, truth in pictures]
        found.append(
            proportion(f"scene precision@{top}", sum(c[0] for c in counts), sum(c[1] for c in counts))
        )
    found.append(bootstrap("scene precision, mean over names", pictures, mean_precision))
    counts_by_name: Mapping[str, tuple[int, int, int]] = per_name(pictures)
    there = sum(one[2] for one in counts_by_name.values())
    found.append(proportion("scene recall of names", sum(one[0] for one in counts_by_name.values()), there))
    return found
