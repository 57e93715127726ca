"""``python -m deixis.eval.pocket.choose``: the limits of ``matching/embedding`` over ``embedding/pocket``.

Pairs of validation seeds, which neither train nor test: from `same` on the share of matching pairs is above
that of the others by most (Youden's index); `other` is the highest cosine below which at most one of twenty
matching pairs lies.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deixis import registry
from deixis.eval.pocket.pairs import Likeness, likeness
from deixis.learned.world.pairs import pair
from deixis.store import Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEEDS = range(960_000, 960_300)
WRONG = 0.05


def limits(likenesses: Sequence[Likeness]) -> tuple[float, float]:
    """Returns `same` and `other`, two decimals each; `other` is never above `same`."""
    right = np.array([one.cosine for one in likenesses if one.matched])
    wrong = np.array([one.cosine for one in likenesses if one.matched is False])
    tried = np.round(np.arange(0.0, 1.0, 0.01), 2)
    gain = [_share(right, level) - _share(wrong, level) for level in tried]
    same = float(tried[max(range(len(tried)), key=lambda place: (round(gain[place], 3), place))])
    kept = [level for level in tried if len(right) and (right < level).sum() <= WRONG * len(right)]
    other = float(max(kept, default=0.0))
    return same, min(same, other)


def _share(cosines: NDArray[np.float64], level: float) -> float:
    return float((cosines >= level).mean()) if len(cosines) else 0.0


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
