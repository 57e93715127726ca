"""The fixed tests of the illustrated world: which seeds, in which styles, and how a tool is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.eval.report import Measure, bootstrap
from deixis.learned.world.scenes import TEST_SEEDS, UNSEEN_FAMILY, Scene, SceneSpec, scene

if TYPE_CHECKING:
    from deixis.geometry import Frozen
    from deixis.media.refs import MediaSource
    from deixis.tools.protocol import Tool

STYLES: dict[str, SceneSpec] = {
    "in style": SceneSpec(),
    "unseen style": replace(SceneSpec(), families=(UNSEEN_FAMILY,)),
}
"""The drawings that trainings see, and a family that none of them sees."""
SCENES = 300
"""Scenes of each style."""


def scenes_of(style: str, count: int = SCENES) -> Iterator[Scene]:
    """Yields the scenes of the first `count` test seeds."""
    for seed in TEST_SEEDS[:count]:
        yield scene(seed, STYLES[style])


def asked(tool: Tool, request: Frozen, media: MediaSource) -> Any:
    """Returns what a tool answers, whether it runs here or must be waited for."""

    async def call() -> Any:
        return await tool(request, media)

    return asyncio.run(call())


def clustered(
    name: str,
    groups: Sequence[Sequence[Any]],
    statistic: Callable[[Sequence[Any]], float],
    bar: float | None = None,
    rounds: int = 1000,
) -> Measure:
    """Returns a statistic of all items, `n` counting items, its interval drawn over their groups.

    Items of one scene or clip are not independent of each other. Without an item the value is 0 of 0..1.
    """
    kept = [list(group) for group in groups if len(group)]
    if not kept:
        return Measure(name=name, value=0.0, n=0, low=0.0, high=1.0, bar=bar)
    measure = bootstrap(name, kept, lambda drawn: statistic(list(chain(*drawn))), bar, rounds)  # type: ignore[arg-type]
    return measure.model_copy(update={"n": sum(map(len, kept))})


def mean(items: Sequence[Any]) -> float:
    """Returns the mean of numbers or of truths."""
    return float(np.mean(items))
