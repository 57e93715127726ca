"""``python -m deixis.eval.pocket.choose``: the limits of ``matching/embedding`` over ``embedding/pocket``.

Pairs of validation seeds, which neither train nor test: `same` is the lowest cosine from which nineteen of
twenty nearest things do belong to the sound; `other` is the highest below which at most one of twenty
matching pairs lies.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deixis import registry
from deixis.eval.pocket.pairs import Likeness, likeness
from deixis.learned.world.pairs import pair
from deixis.store import Store

SEEDS = range(960_000, 960_300)
WRONG = 0.05


def limits(likenesses: Sequence[Likeness]) -> tuple[float, float]:
    """Returns `same` and `other`, two decimals each; `other` is never above `same`."""
    right = np.array([one.cosine for one in likenesses if one.matched])
    wrong = np.array([one.cosine for one in likenesses if one.matched is False])
    tried = np.round(np.arange(0.0, 1.0, 0.01), 2)
    sure = [
        level
        for level in tried
        if (right >= level).any()
        and (wrong >= level).sum() <= WRONG * ((right >= level).sum() + (wrong >= level).sum())
    ]
    same = float(min(sure, default=0.99))
    kept = [level for level in tried if len(right) and (right < level).sum() <= WRONG * len(right)]
    other = float(max(kept, default=0.0))
    return same, min(same, other)


def main() -> None:
    """Prints the limits and what they rest on."""
    tool = registry.tools.create("embedding/pocket")
    with tempfile.TemporaryDirectory(prefix="deixis-pocket-") as folder:
        store = Store(Path(folder))
        found = [likeness(tool, pair(seed), store) for seed in SEEDS]
    same, other = limits(found)
    print(f"same {same:.2f}, other {other:.2f}, of {len(found)} pairs")


if __name__ == "__main__":
    main()
