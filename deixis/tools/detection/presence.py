"""Is there one at all? Two detectors are asked, and their best scores for a name averaged.

A box is a matter of one detector's threshold; "is there an X" is a question of its own. On questions
sampled by POPE's method (Li et al. 2023) from the 100 photos of coco_train_tune, the mean log-odds of
DEIMv2-femto and PicoDet-s above log-odds(.223) answers .882 of them rightly, femto's own best score .873;
on the photos of coco_val, which nothing was chosen on, see docs/numbers/pope-light.json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.tools.detection.closed import Raw

PRESENT = 0.223
"""Mean log-odds above those of this score: there is one."""
FLOOR = 1e-3
"""Scores are clipped to FLOOR..1 - FLOOR: a detector that sees nothing must not veto for ever."""


def best_scores(raw: Raw, count: int) -> NDArray[np.float64]:
    """Returns the best score of each of `count` names, shape (count,); 0 where there is no candidate."""
    best = np.zeros(count)
    np.maximum.at(best, raw.classes, np.clip(raw.scores, 0, 1))
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
