"""The latest of what was made for training, of which any may be drawn again.

To make a scene or a clip takes longer than to learn from it, so each is used several times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

Made = TypeVar("Made")
FEWEST = 64
"""Until there are so many, all that is drawn is new."""


class Pool(Generic[Made]):
    """What was made of a run of seeds; grows as it is used, up to `most`."""

    def __init__(self, make: Callable[[int], Made], first_seed: int, most: int, uses: float) -> None:
        self._make, self._most, self._uses = make, most, uses
        self._kept: list[Made] = []
        self.next_seed = first_seed
        self._owed = 0.0

    def take(self, rng: np.random.Generator) -> Made:
        """Returns one: a new one every `uses` calls, else any of those that are kept."""
        self._owed += 1 / self._uses
        if self._owed >= 1 or len(self._kept) < min(FEWEST, self._most):
            self._owed = max(0.0, self._owed - 1)
            return self._grown(rng)
        return self._kept[int(rng.integers(len(self._kept)))]

    def _grown(self, rng: np.random.Generator) -> Made:
        """Returns a new one, which takes the place of another where the pool is full."""
        made = self._make(self.next_seed)
        self.next_seed += 1
        if len(self._kept) < self._most:
            self._kept.append(made)
        else:
            self._kept[int(rng.integers(self._most))] = made
        return made
