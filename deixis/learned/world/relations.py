"""How the things of a scene stand to each other, where that is beyond doubt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deixis.learned.world.scenes import Scene

RELATIONS = ("left of", "right of", "above", "below", "larger than")
OPPOSITES = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
CLEAR = 0.12  # of the side, that middles lie apart at least along the relation
LARGER = 1.8  # times the area


@dataclass(frozen=True)
class Relation:
    """Thing `first` is `kind` (one of `RELATIONS`) thing `second`; both are numbers in the scene."""

    first: int
    kind: str
    second: int


def relations(scene: Scene) -> list[Relation]:
    """Returns all clear relations of a scene; a relation and its opposite are both there.

    Beside or above each other are things whose middles lie apart by `CLEAR` of the side along one axis and
    by less along the other; larger is a box of `LARGER` times the area.
    """
    middles = (scene.boxes[:, :2] + scene.boxes[:, 2:]) / 2 / scene.pixels.shape[0]
    areas = np.prod(scene.boxes[:, 2:] - scene.boxes[:, :2], axis=1)
    found = []
    for first in range(len(scene.classes)):
        for second in range(len(scene.classes)):
            if first == second:
                continue
            dx, dy = (middles[first] - middles[second]).tolist()
            if abs(dx) > CLEAR and abs(dx) > 1.5 * abs(dy):
                found.append(Relation(first, "left of" if dx < 0 else "right of", second))
            elif abs(dy) > CLEAR and abs(dy) > 1.5 * abs(dx):
                found.append(Relation(first, "above" if dy < 0 else "below", second))
            if areas[first] > LARGER * areas[second]:
                found.append(Relation(first, "larger than", second))
    return found
