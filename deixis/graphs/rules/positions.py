"""Cues of place, size and order: how well each candidate fits, as arrays in 0..1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deixis.graphs.rules.candidates import Scene
from deixis.graphs.rules.expressions import Ordinal, Place, SizeWord

Array = NDArray[np.float64]
Peers = NDArray[np.bool_]


def spread(values: Array, peers: Peers) -> Array:
    """Returns `values` moved so that the peers' least is 0 and their greatest 1, clipped; .5 for one."""
    among = values[peers] if peers.any() else values
    if not among.size or among.max() - among.min() < 1e-9:
        return np.full(len(values), 0.5)
    return np.asarray(
        np.clip((values - among.min()) / (among.max() - among.min()), 0.0, 1.0), dtype=np.float64
    )


def place(scene: Scene, said: Place, peers: Peers) -> Array:
    """Returns how well each candidate stands at the side that is said, (n,) in 0..1.

    Half of it is the place in the picture, half the place among the peers: "left" means left in the
    picture, and of two things on the left the more left one.
    """
    x, y = scene.centres[:, 0], scene.centres[:, 1]
    if said.side in {"left", "right"}:
        absolute, relative = x, spread(x, peers)
    elif said.side in {"top", "bottom"}:
        absolute, relative = y, spread(y, peers)
    elif said.side in {"front", "back"}:
        # Near things are large and stand low in a picture taken at eye height.
        low = scene.boxes[:, 3] / scene.height
        size = np.sqrt(scene.areas)
        absolute = 0.5 * low + 0.5 * np.clip(size / 0.7, 0, 1)
        relative = 0.5 * spread(low, peers) + 0.5 * spread(size, peers)
    elif said.side == "middle":
        off = np.abs(x - 0.5) * 2
        among = np.abs(spread(x, peers) - 0.5) * 2
        return np.clip(1.0 - (0.6 * off + 0.4 * among), 0, 1)
    else:
        return np.clip((np.abs(x - 0.5) + np.abs(y - 0.5)) * 1.2, 0, 1)
    if said.side in {"left", "top", "back"}:
        absolute, relative = 1.0 - absolute, 1.0 - relative
    share = 0.35 if said.most else 0.5
    return np.asarray(share * absolute + (1.0 - share) * relative, dtype=np.float64)


def size(scene: Scene, said: SizeWord, peers: Peers) -> Array:
    """Returns how well each candidate's size fits the word, among its peers, (n,) in 0..1."""
    wide = scene.boxes[:, 2] - scene.boxes[:, 0]
    high = scene.boxes[:, 3] - scene.boxes[:, 1]
    if said in {"large", "small"}:
        fit = spread(np.sqrt(scene.areas), peers)
    elif said in {"tall", "short"}:
        fit = spread(high, peers)
    elif said == "long":
        fit = spread(np.maximum(wide, high), peers)
    else:
        fit = spread(wide / np.maximum(high, 1.0), peers)
    return 1.0 - fit if said in {"small", "short", "thin"} else fit


def order(scene: Scene, said: Ordinal, peers: Peers) -> Array:
    """Returns 1 for the candidate at the asked place of the row of peers, less for its neighbours.

    Low-score boxes are not counted where better ones make a row.
    """
    start = said.start or "left"
    along = {
        "left": scene.centres[:, 0], "right": -scene.centres[:, 0], "top": scene.centres[:, 1],
        "bottom": -scene.centres[:, 1], "front": -scene.boxes[:, 3], "back": scene.boxes[:, 3],
    }.get(start, scene.centres[:, 0])  # fmt: skip
    counted = peers & (scene.scores >= 0.35)
    if counted.sum() < abs(said.number):
        counted = peers
    row = [int(i) for i in np.argsort(along, kind="stable") if counted[i]]
    out = np.zeros(len(along))
    if not row:
        return out
    wanted = min(said.number - 1, len(row) - 1) if said.number > 0 else max(len(row) + said.number, 0)
    for rank, index in enumerate(row):
        out[index] = max(0.0, 1.0 - 0.55 * abs(rank - wanted))
    return out


def cut(scene: Scene) -> Array:
    """Returns how much each box looks cut off by the picture's border, (n,) in 0..1."""
    x1, y1, x2, y2 = scene.boxes.T
    margin_x, margin_y = 0.012 * scene.width, 0.012 * scene.height
    sides = (x1 <= margin_x) | (x2 >= scene.width - margin_x)
    ends = (y1 <= margin_y) * 0.7 + (y2 >= scene.height - margin_y) * 0.3
    return np.asarray(np.clip(sides * 1.0 + ends * 0.5, 0.0, 1.0), dtype=np.float64)
