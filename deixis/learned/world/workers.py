"""Drawing ahead in other processes, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Drawn = TypeVar("Drawn")
Spec = TypeVar("Spec")

CHUNK = 32  # items a task: the way to a process and back costs less than one of them


def drawn_ahead(
    draw: Callable[[int, Spec], Drawn], seeds: range, spec: Spec, workers: int
) -> Iterator[Drawn]:
    """Yields ``draw(seed, spec)`` for all seeds in order, drawn by `workers` processes a little ahead.

    The processes are started anew rather than forked, for a program with threads may not be forked safely.
    """
    chunks = (seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK))
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    waiting: deque[Future[list[Drawn]]] = deque()
    try:
        for chunk in chunks:
            waiting.append(pool.submit(_draw_all, draw, chunk, spec))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _draw_all(draw: Callable[[int, Spec], Drawn], seeds: range, spec: Spec) -> list[Drawn]:
    return [draw(seed, spec) for seed in seeds]
