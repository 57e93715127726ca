"""Making a folder of samples: units in, checked and stored samples out, resumable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from deixis.learned.scout.checks.rule import Checker
from deixis.learned.scout.sample import Sample
from deixis.learned.scout.statistics import ScoutStatistics, statistics
from deixis.learned.scout.store import SampleStore

Progress = Callable[[int, int], None]
"""Called with the units done so far and all units."""


@dataclass(frozen=True)
class Outcome:
    """What a making came to: the numbers, and how many units this run made itself."""

    statistics: ScoutStatistics
    units_made: int
    resumed: bool


def make_samples(
    store: SampleStore,
    units: Sequence[Any],
    make: Callable[[Any], Sequence[Sample]],
    checker: Checker,
    progress: Progress | None = None,
    facts: Callable[[], dict[str, Any]] | None = None,
) -> Outcome:
    """Returns the outcome, after the samples of all `units` were made, checked, and stored.

    `units` are in a fixed order; their places are what the store counts. What is there already is not made
    again, and is known to the checks that look for doubles. `facts` go into the manifest.

    Raises:
        InputFault: the disk is full, or the folder is somebody else's; the same call goes on later.
    """
    with store:
        begun = store.next_unit or 0
        if begun:
            for sample in store.written():
                checker.remember(sample)
        for place in range(begun, len(units)):
            good: list[Sample] = []
            bad: list[Sample] = []
            for sample, passed in checker.sorted_out(make(units[place])):
                (good if passed else bad).append(sample)
            store.add(place, good, bad)
            if progress is not None:
                progress(place + 1, len(units))
        store.mark()
        numbers = statistics(store.written(), store.rejected, store.by_rule)
        more = facts() if facts is not None else {}
        store.finish({"units": len(units), "statistics": numbers.model_dump(), **more})
    return Outcome(numbers, max(0, len(units) - begun), bool(begun))
