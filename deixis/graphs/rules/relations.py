"""Cues of relation: how two boxes stand to each other, for every pair at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deixis.graphs.rules.candidates import Scene
from deixis.graphs.rules.expressions import RelationKind

Array = NDArray[np.float64]


def _gaps(scene: Scene) -> tuple[Array, Array]:
    """Returns the free space between every two boxes along x and y, (n, n), 0 where they overlap."""
    x1, y1, x2, y2 = scene.boxes.T
    across = np.maximum(0.0, np.maximum(x1[:, None] - x2[None, :], x1[None, :] - x2[:, None]))
    down = np.maximum(0.0, np.maximum(y1[:, None] - y2[None, :], y1[None, :] - y2[:, None]))
    return across, down


def _closeness(scene: Scene) -> Array:
    """Returns 1 where boxes touch, falling with the gap measured in mean box sizes."""
    across, down = _gaps(scene)
    sides = np.sqrt(np.maximum(scene.areas * scene.width * scene.height, 1.0))
    mean = (sides[:, None] + sides[None, :]) / 2
    return np.exp(-np.hypot(across, down) / (0.75 * mean))


def _shared(scene: Scene) -> Array:
    """Returns the area of each box inside each other one, as a share of the first, (n, n)."""
    x1, y1, x2, y2 = scene.boxes.T
    wide = np.minimum(x2[:, None], x2[None, :]) - np.maximum(x1[:, None], x1[None, :])
    high = np.minimum(y2[:, None], y2[None, :]) - np.maximum(y1[:, None], y1[None, :])
    inner = np.clip(wide, 0, None) * np.clip(high, 0, None)
    own = np.maximum((x2 - x1) * (y2 - y1), 1.0)
    return np.asarray(inner / own[:, None], dtype=np.float64)


def pairs(scene: Scene, kind: RelationKind) -> Array:
    """Returns how well box i stands in the relation to box j, shape (n, n), in 0..1; diagonal 0."""
    close, inside = _closeness(scene), _shared(scene)
    middle = scene.centres
    dx = middle[None, :, 0] - middle[:, None, 0]  # > 0: i is left of j
    dy = middle[None, :, 1] - middle[:, None, 1]  # > 0: i is above j
    low = scene.boxes[:, 3] / scene.height
    nearer = np.clip(0.5 + (low[:, None] - low[None, :]) * 3, 0, 1)
    beside = 0.35 + 0.65 * close
    if kind in {"left", "right"}:
        toward = dx if kind == "left" else -dx
        out = np.clip(toward * 6, 0, 1) * np.clip(1.2 - np.abs(dy) * 1.5, 0.1, 1) * beside
    elif kind in {"above", "below"}:
        toward = dy if kind == "above" else -dy
        out = np.clip(toward * 6, 0, 1) * np.clip(1.2 - np.abs(dx) * 1.5, 0.1, 1) * beside
    elif kind == "on":
        out = close * np.clip(inside * 1.4 + 0.2, 0, 1) * np.clip(0.6 + dy * 3, 0, 1)
    elif kind == "in":
        out = close * np.clip(inside * 1.2, 0.05, 1)
    elif kind == "front":
        out = close * nearer
    elif kind == "behind":
        out = close * (1 - nearer)
    elif kind in {"with", "holding"}:
        # What is held or carried lies over or against its holder.
        out = close * np.clip(0.35 + inside.T, 0, 1)
    elif kind == "held":
        out = close * np.clip(0.35 + inside, 0, 1)
    else:
        out = close * (1.0 - 0.4 * np.clip(inside, 0, 1))
    out = np.array(out, dtype=np.float64)
    np.fill_diagonal(out, 0.0)
    # Two boxes of nearly one place are rarely two things that stand in a relation.
    same = np.minimum(inside, inside.T) > 0.85
    out[same] = 0.0
    return out


def between(scene: Scene, first: Array, second: Array) -> Array:
    """Returns how well each box stands between one of `first` and one of `second` (weights, (n,))."""
    count = len(first)
    out = np.zeros(count)
    x, y = scene.centres.T
    ones = np.argsort(-first)[:8]
    twos = np.argsort(-second)[:8]
    for a in ones:
        for b in twos:
            weight = min(first[a], second[b])
            if a == b or weight < 0.2:
                continue
            span = np.hypot(x[b] - x[a], y[b] - y[a])
            if span < 1e-6:
                continue
            along = ((x - x[a]) * (x[b] - x[a]) + (y - y[a]) * (y[b] - y[a])) / span**2
            off = np.abs((x - x[a]) * (y[b] - y[a]) - (y - y[a]) * (x[b] - x[a])) / span**2
            fit = np.clip(1 - np.abs(along - 0.5) * 2, 0, 1) ** 0.5 * np.exp(-off)
            fit[[a, b]] = 0.0
            out = np.maximum(out, weight * fit)
    return out
