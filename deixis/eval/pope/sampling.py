"""Questions sampled by POPE's method (Li et al. 2023), as weights instead of draws.

A photo with at least three kinds of things is asked about three that are there and three that are not:
random absent ones, the commonest of the data set, or those that most often appear beside the ones that
are there. Instead of drawing questions, each (photo, name) gets the number of times it is asked on
average, so that a choice made on the weights does not hang on a draw.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ASKED = 3
SETTINGS = ("random", "popular", "adversarial")
MOST_TRIPLES = 200


def weights(truth: NDArray[np.bool_], seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """Returns, by setting, how often each name is asked of each photo.

    Args:
        truth: which name is on which photo, shape (photos, names), bool.
        seed: for photos with more than `MOST_TRIPLES` choices of three things.
    """
    made = {setting: np.zeros(truth.shape) for setting in SETTINGS}
    order = np.argsort(-truth.sum(axis=0), kind="stable")
    beside = truth.T.astype(np.int64) @ truth.astype(np.int64)
    rng = np.random.default_rng(seed)
    for photo, there in enumerate(truth):
        present, absent = np.flatnonzero(there), np.flatnonzero(~there)
        if len(present) < ASKED or len(absent) < ASKED:
            continue
        for setting in SETTINGS:
            made[setting][photo, present] += ASKED / len(present)
        made["random"][photo, absent] += ASKED / len(absent)
        made["popular"][photo, [name for name in order if not there[name]][:ASKED]] += 1
        triples = list(combinations(present.tolist(), ASKED))
        if len(triples) > MOST_TRIPLES:
            triples = [triples[i] for i in rng.choice(len(triples), MOST_TRIPLES, replace=False)]
        for triple in triples:
            for name in _beside(triple, there, beside):
                made["adversarial"][photo, name] += 1 / len(triples)
    return made


def _beside(triple: tuple[int, ...], there: NDArray[np.bool_], beside: NDArray[np.int64]) -> list[int]:
    """Returns for each thing the absent name that most often appears with it, no name twice."""
    chosen: list[int] = []
    for thing in triple:
        ranked = np.argsort(-beside[thing], kind="stable")
        chosen.append(next(int(name) for name in ranked if not there[name] and int(name) not in chosen))
    return chosen


def accuracy(
    sure: NDArray[np.float64], truth: NDArray[np.bool_], asked: NDArray[np.float64], limit: float
) -> float:
    """Returns the share of the weighted questions answered rightly by `sure` >= `limit`, in 0..1."""
    total = asked.sum()
    return float((asked * ((sure >= limit) == truth)).sum() / total) if total else 0.0
