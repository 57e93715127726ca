"""The limits that make events of the ear's activities, chosen on validation seeds, and what they reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from deixis.tools.pocket.ear import Limits, Stretch, stretches

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE_S = 0.2
SLACK_S = 1e-6
LOWS, SHORTEST_S, GAPS_S = (0.2, 0.3, 0.4, 0.5), (0.06, 0.12), (0.09, 0.17, 0.25, 0.35)
ABOUTS_S = (0.08, 0.12, 0.16)
HIGHS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
Span = tuple[int, float, float]
"""Kind, start and end in seconds."""


@dataclass(frozen=True)
class Listened:
    """A clip as the network hears it, and its true events."""

    activity: NDArray[np.float32]
    truth: tuple[Span, ...]
    duration_s: float


def hits(found: Sequence[Span], truth: Sequence[Span], tolerance_s: float = TOLERANCE_S) -> list[int]:
    """Returns the kinds of the true events that are found: same kind, both ends within the tolerance.

    One found event serves one true event, the one whose ends it is nearest to.
    """
    pairs = sorted(
        (abs(one[1] - other[1]) + abs(one[2] - other[2]), i, j)
        for i, one in enumerate(found)
        for j, other in enumerate(truth)
        if one[0] == other[0]
        and abs(one[1] - other[1]) <= tolerance_s + SLACK_S
        and abs(one[2] - other[2]) <= tolerance_s + SLACK_S
    )
    used: set[int] = set()
    served: set[int] = set()
    for _, i, j in pairs:
        if i not in used and j not in served:
            used.add(i)
            served.add(j)
    return [truth[j][0] for j in sorted(served)]


def counts(clips: Sequence[Listened], limits: Limits) -> NDArray[np.int64]:
    """Returns hits, found and true events of each kind, shape (3, kinds)."""
    return _counts(clips, [stretches(one.activity, limits, one.duration_s) for one in clips], limits.high)


def _counts(
    clips: Sequence[Listened], heard: Sequence[Sequence[Stretch]], high: Sequence[float]
) -> NDArray[np.int64]:
    """Returns the counts of those stretches whose peak reaches the limit of their kind."""
    total = np.zeros((3, len(high)), np.int64)
    for clip, events in zip(clips, heard, strict=True):
        found = [(one.kind, one.start_s, one.end_s) for one in events if one.peak >= high[one.kind]]
        for row, numbers in enumerate(
            (hits(found, clip.truth), [one[0] for one in found], [one[0] for one in clip.truth])
        ):
            total[row] += np.bincount(np.array(numbers, np.int64), minlength=len(high))
    return total


def f1(total: NDArray[np.int64]) -> float:
    """Returns the harmonic mean of precision and recall over all kinds; 0 where there is no event."""
    right, found, true = total.reshape(3, -1).sum(axis=1)
    return float(2 * right / (found + true)) if found + true else 0.0


def choose(clips: Sequence[Listened], kinds: int) -> tuple[Limits, float]:
    """Returns the limits of the best F1 on these clips, and that F1."""
    best, best_f1 = Limits((0.5,) * kinds, 0.5, SHORTEST_S[0], GAPS_S[0]), -1.0
    for low, shortest_s, gap_s, about_s in product(LOWS, SHORTEST_S, GAPS_S, ABOUTS_S):
        allowed = [high for high in HIGHS if high >= low]
        lowest = Limits((low,) * kinds, low, shortest_s, gap_s, about_s)
        heard = [stretches(one.activity, lowest, one.duration_s) for one in clips]
        tried = np.stack([_counts(clips, heard, (high,) * kinds) for high in allowed])
        ratio = 2 * tried[:, 0] / np.maximum(tried[:, 1] + tried[:, 2], 1)
        chosen = ratio.argmax(axis=0)
        reached = f1(tried[chosen, :, np.arange(kinds)].T)
        if reached > best_f1:
            high = tuple(allowed[int(index)] for index in chosen)
            best, best_f1 = Limits(high, low, shortest_s, gap_s, about_s), reached
    return best, best_f1
