"""Mean IoU of masks and the shares above two levels, with intervals over pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from deixis.eval.report import Measure, bootstrap

LARGE = 0.01
"""Share of the picture that the box of a large thing takes at least."""
LEVELS = (0.5, 0.75)


@dataclass(frozen=True)
class Judged:
    """One thing's mask: its IoU with the truth, and the share of the picture that its box takes."""

    iou: float
    share: float


Pictures = Sequence[Sequence[Judged]]
"""What was judged, picture by picture: things of one picture are not independent."""


def measures(name: str, pictures: Pictures, bar: float | None = None, seed: int = 0) -> list[Measure]:
    """Returns mean IoU and the shares above .5 and .75, of all things and of the large ones.

    `n` counts things, the intervals (95 %) are percentile bootstraps over pictures. `bar` is that of both
    means.
    """
    found = []
    for which, least in (("", 0.0), (", over 1 % of the picture", LARGE)):
        chosen = [[one.iou for one in things if one.share >= least] for things in pictures]
        chosen = [ious for ious in chosen if ious]
        found.append(_measure(f"{name} mean IoU{which}", chosen, _mean, bar, seed))
        found += [
            _measure(f"{name} IoU > {level}{which}", chosen, _above(level), None, seed) for level in LEVELS
        ]
    return found


def _measure(
    name: str,
    chosen: list[list[float]],
    statistic: Callable[[Sequence[object]], float],
    bar: float | None,
    seed: int,
) -> Measure:
    if not chosen:
        return Measure(name=name, value=0.0, n=0, low=0.0, high=1.0, bar=bar)
    interval = bootstrap(name, chosen, statistic, bar=bar, seed=seed)
    return interval.model_copy(update={"n": sum(map(len, chosen))})


def _mean(pictures: Sequence[object]) -> float:
    return float(np.mean(np.concatenate(pictures)))  # type: ignore[arg-type]


def _above(level: float) -> Callable[[Sequence[object]], float]:
    return lambda pictures: float(np.mean(np.concatenate(pictures) > level))  # type: ignore[arg-type]
