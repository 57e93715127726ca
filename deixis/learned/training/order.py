"""The order of examples: a pure function of the seed and the step, so that any step can be made again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from deixis.errors import InputFault

WINDOW = 64
"""Batches within which examples are sorted by length."""


class Order:
    """Which examples a step has.

    An epoch is a random order of all examples. In windows of `WINDOW` batches they are sorted by length, so
    that a batch has examples of like lengths and little padding; the batches come in random order. What is
    left over at the end of an epoch is left out of it.

    Args:
        lengths: tokens of each example; zeros where they are not known.
        size: examples of a step.
        seed: of the order.
    """

    def __init__(self, lengths: Sequence[int], size: int, seed: int = 0) -> None:
        if size < 1 or len(lengths) < size:
            raise InputFault(
                "train.order.few",
                f"There are {len(lengths)} examples, and a step takes {size}.",
                "Give more examples, or fewer to a step with --batch.",
            )
        self.lengths = np.asarray(lengths, np.int64)
        self.size = size
        self.seed = seed
        self.steps = len(lengths) // size
        self._epoch = lru_cache(2)(self._made)

    def numbers(self, step: int) -> list[int]:
        """Returns the examples of a step, counted from 0 through all epochs."""
        epoch, place = divmod(step, self.steps)
        return [int(number) for number in self._epoch(epoch)[place]]

    def _made(self, epoch: int) -> np.ndarray:
        random = np.random.default_rng([self.seed, epoch])
        order = random.permutation(len(self.lengths))[: self.steps * self.size]
        for start in range(0, len(order), WINDOW * self.size):
            window = order[start : start + WINDOW * self.size]
            order[start : start + WINDOW * self.size] = window[
                np.argsort(self.lengths[window], kind="stable")
            ]
        batches = order.reshape(self.steps, self.size)
        return random.permutation(batches, axis=0)
