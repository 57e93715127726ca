"""Accuracy at IoU 0.5, and what picking without reading the expression would reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from deixis.eval.report import Measure, bootstrap, proportion
from deixis.geometry import Box, Frozen

IOU = 0.5
"""The convention of RefCOCO (Yu et al. 2016): a box counts from this IoU."""


class Outcome(Frozen):
    """One expression's result.

    `hits`: for every candidate, best score first, whether it covers the box meant with IoU 0.5 or
    more; `picked`: the row of the one picked, None where nothing was.
    """

    subset: str
    hits: tuple[bool, ...]
    picked: int | None

    @property
    def right(self) -> bool:
        """Returns whether the picked box is the one meant."""
        return self.picked is not None and self.hits[self.picked]

    @property
    def chance(self) -> float:
        """Returns the share of candidates that would be right: what a random pick expects."""
        return sum(self.hits) / len(self.hits) if self.hits else 0.0


def outcome(subset: str, meant: Box, boxes: Sequence[Box], picked: int | None) -> Outcome:
    """Returns the outcome of picking row `picked` of `boxes` (best score first) for the box `meant`."""
    return Outcome(subset=subset, hits=tuple(box.iou(meant) >= IOU for box in boxes), picked=picked)


def accuracy(outcomes: Sequence[Outcome], bar: float | None = None) -> list[Measure]:
    """Returns accuracy overall and per subset, with Wilson intervals."""
    out = [proportion("acc@0.5", sum(o.right for o in outcomes), len(outcomes), bar)]
    for subset in sorted({o.subset for o in outcomes}):
        own = [o for o in outcomes if o.subset == subset]
        out.append(proportion(f"acc@0.5 {subset}", sum(o.right for o in own), len(own)))
    return out


def baselines(outcomes: Sequence[Outcome]) -> list[Measure]:
    """Returns what a random pick expects, the highest score reaches, and the best pick could."""

    def expected(items: Sequence[object]) -> float:
        chances = [cast("Outcome", item).chance for item in items]
        return sum(chances) / len(chances) if chances else 0.0

    count = len(outcomes)
    return [
        bootstrap("random pick (expectation)", outcomes, expected),
        proportion("highest score", sum(bool(o.hits and o.hits[0]) for o in outcomes), count),
        proportion("best possible pick", sum(any(o.hits) for o in outcomes), count),
    ]
