"""What an evaluation reports: measures with n and a 95 % interval, and what produced them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from pydantic import Field

from deixis.geometry import Frozen


class Measure(Frozen):
    """A figure over `n` items with its 95 % interval; `bar` is what it must reach, if anything."""

    name: str
    value: float
    n: int = Field(ge=0)
    low: float
    high: float
    bar: float | None = None
    better: str = Field(default="higher", pattern="^(higher|lower)$")

    @property
    def passed(self) -> bool | None:
        """Returns whether the bar is met; None where there is none."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.better == "higher" else self.value <= self.bar


class ToolFacts(Frozen):
    """Which tool took part, in which version, with which weights."""

    role: str
    name: str
    version: str
    weights_digest: str | None = None


class Report(Frozen):
    """The outcome of one evaluation task."""

    schema_version: int = 1
    task: str
    profile: str
    data: str = Field(description="name of the data folder, not its path")
    items: int
    measures: tuple[Measure, ...]
    abstentions: int = 0
    parse_failures: int = 0
    seconds_per_item: float = 0.0
    tools: tuple[ToolFacts, ...] = ()
    baselines: tuple[Measure, ...] = Field(default=(), description="measured in the same run")
    notes: tuple[str, ...] = ()


def proportion(name: str, hits: int, n: int, bar: float | None = None) -> Measure:
    """Returns a share with its Wilson score interval (Wilson 1927), 95 %."""
    if n == 0:
        return Measure(name=name, value=0.0, n=0, low=0.0, high=1.0, bar=bar)
    z, p = 1.959964, hits / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Measure(
        name=name, value=p, n=n, low=max(0.0, centre - half), high=min(1.0, centre + half), bar=bar
    )


def bootstrap(
    name: str,
    items: Sequence[object],
    statistic: Callable[[Sequence[object]], float],
    bar: float | None = None,
    rounds: int = 1000,
    seed: int = 0,
) -> Measure:
    """Returns `statistic` of `items` with a percentile bootstrap interval (95 %), seeded."""
    rng = np.random.default_rng(seed)
    value = statistic(items)
    draws = [
        statistic([items[i] for i in rng.integers(0, len(items), len(items))])
        for _ in range(rounds if items else 0)
    ]
    low, high = np.percentile(draws, [2.5, 97.5]) if draws else (value, value)
    return Measure(name=name, value=value, n=len(items), low=float(low), high=float(high), bar=bar)
