"""Is there one at all? A question of its own: whoever asks has a reason to, and one box is enough.

A box is listed unasked above the detector's threshold; a thing that was asked for is there if its best
score is above the lower threshold of presence. Two detectors together, their best scores for a name
averaged in log-odds, answer better than either. What is measured on coco_val, which nothing was chosen
on, is in docs/numbers/pope-light.json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.tools.detection.candidates import outnamed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.tools.detection.candidates import Raw

FLOOR = 0.01
"""Scores are clipped to FLOOR..1 - FLOOR: a detector that sees nothing must not veto for ever."""

AT_ONCE = 512
"""Candidates compared with their rivals at once."""


def best_scores(raw: Raw, count: int) -> NDArray[np.float64]:
    """Returns the best score of each of `count` names, shape (count,); 0 where there is no candidate.

    A box counts for its likeliest name alone: the cat that a detector half believes to be a dog is no dog.
    """
    rows = np.flatnonzero(raw.scores > 2 * FLOOR)
    best = np.zeros(count)
    left = rows[np.argsort(-raw.scores[rows], kind="stable")]
    while left.size:  # best first, so a name that has a score is settled; a crowd has 26,000 candidates
        part, left = left[:AT_ONCE], left[AT_ONCE:]
        own = part[~outnamed(raw, part, rows)]
        np.maximum.at(best, raw.classes[own], raw.scores[own])
        left = left[best[raw.classes[left]] == 0]
    return best


def together(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the score whose log-odds are the mean of the two, elementwise, in 0..1."""
    odds = (_log_odds(first) + _log_odds(second)) / 2
    result: NDArray[np.float64] = 1 / (1 + np.exp(-odds))
    return result


def _log_odds(score: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(score, FLOOR, 1 - FLOOR)
    result: NDArray[np.float64] = np.log(clipped / (1 - clipped))
    return result
