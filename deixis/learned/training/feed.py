"""Where batches come from: by their number alone, so that a resumed training meets the same ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol

from deixis.errors import InputFault
from deixis.learned.training.collate import Collator
from deixis.learned.training.example import Batch, Example
from deixis.learned.training.order import Order


class Feed(Protocol):
    """Batches by the number of the step.

    Attributes:
        size: examples of a step, over all its parts.
        facts: JSON-like, what decides which examples come and in which order.
    """

    size: int
    facts: dict[str, object]

    def batch(self, step: int, part: int = 0, parts: int = 1) -> Batch:
        """Returns one of the parts of a step: the same for the same numbers, whoever asks and when."""
        ...


class Examples:
    """A feed of a list of examples, or of a function that makes the example of a number.

    Args:
        count: how many there are.
        example: makes one by its number, 0 to `count` - 1.
        collator: puts them together.
        size: examples of a step, over all processes and accumulated parts.
        seed: of the order.
        lengths: their tokens; without it batches are not sorted by length.
        name: what the examples are, for the checkpoint.
    """

    def __init__(
        self,
        count: int,
        example: Callable[[int], Example],
        collator: Collator,
        size: int,
        seed: int = 0,
        lengths: Sequence[int] | None = None,
        name: str = "",
    ) -> None:
        self.order = Order(lengths or [0] * count, size, seed)
        self.size = size
        self.facts: dict[str, object] = {"name": name, "count": count, "size": size, "seed": seed}
        if lengths:
            self.facts["lengths"] = hashlib.sha256(json.dumps(list(lengths)).encode()).hexdigest()
        self._example, self._collator = example, collator

    @classmethod
    def of(cls, examples: Sequence[Example], collator: Collator, size: int, seed: int = 0) -> Examples:
        """Returns a feed of these examples."""
        lengths = [len(example) for example in examples]
        return cls(len(examples), examples.__getitem__, collator, size, seed, lengths)

    def batch(self, step: int, part: int = 0, parts: int = 1) -> Batch:
        """Returns every `parts`-th example of a step, from number `part` on.

        Raises:
            InputFault: there are more parts than examples.
        """
        numbers = self.order.numbers(step)[part::parts]
        if not numbers:
            raise InputFault(
                "train.batch.parts",
                f"A step's {self.size} examples cannot be shared out to {parts} parts.",
                "Give a larger --batch, or fewer processes.",
            )
        return self._collator([self._example(number) for number in numbers])


@contextmanager
def ahead(make: Callable[[int], list[Batch]]) -> Iterator[Callable[[int], list[Batch]]]:
    """Holds a function that returns what `make` does, and lets the next step be made meanwhile."""
    with ThreadPoolExecutor(1, "batches") as pool:
        waiting: dict[int, Future[list[Batch]]] = {}

        def get(step: int) -> list[Batch]:
            ready = waiting.pop(step, None) or pool.submit(make, step)
            waiting[step + 1] = pool.submit(make, step + 1)
            return ready.result()

        try:
            yield get
        finally:
            for future in waiting.values():
                future.cancel()
