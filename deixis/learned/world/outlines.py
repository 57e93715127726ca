"""Masks as rings of points, the way labels files hold them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_AROUND = ((0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1))  # x, y; clockwise from above


def ring_of(shows: NDArray[np.bool_]) -> list[int]:
    """Returns the outline of a mask as x, y, x, y …: the indices of its outermost pixels, clockwise.

    Parts that do not touch are joined by bridges that are walked both ways; holes are lost. The tracing is
    Moore's, ended by Jacob's criterion. An empty mask gives an empty ring.
    """
    import cc3d

    parts = cc3d.connected_components(shows.astype(np.uint8), connectivity=8)
    ring: list[tuple[int, int]] = []
    for part in range(1, int(parts.max(initial=0)) + 1):
        trace = _traced(parts == part)
        closed = trace if trace[-1] == trace[0] else [*trace, trace[0]]
        ring += [*closed, ring[0]] if ring else closed
    return [value for point in ring for value in point]


def _traced(shows: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Returns the outline of one part, from its first pixel in reading order."""
    padded = np.pad(shows, 1)
    rows, columns = np.nonzero(padded)
    start = (int(columns[0]), int(rows[0]))
    at, back = start, 6  # the pixel to the left is empty
    found = [start]
    first_step: int | None = None
    while True:
        for turn in range(1, 9):
            side = (back + turn) % 8
            dx, dy = _AROUND[side]
            if padded[at[1] + dy, at[0] + dx]:
                break
        else:
            break  # a part of one pixel
        if at == start:
            if first_step is None:
                first_step = side
            elif side == first_step:
                break
        at = (at[0] + dx, at[1] + dy)
        found.append(at)
        back = (side + 4) % 8
    return [(x - 1, y - 1) for x, y in found]
