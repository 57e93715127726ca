"""The stage of a scene: where things are put down, and who owns which pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deixis.learned.world.drawing import SOLID, over, shade

Rng = np.random.Generator

LEAST_SHOWN = 0.25
"""The share of a drawing that has to show; what shows less is not placed."""
LEAST_SIDE = 10
"""Pixels that the longer side of what shows must have."""
LEAST_AREA = 24
TRIES = 6
CALM_OVERLAP = 0.2  # of what another thing shows, that a new one may hide where the scene is not crowded


@dataclass
class Placed:
    """A thing on the stage: its whole and its visible area in pixels, and the box of what shows."""

    tag: tuple[int, str, str]
    area: int
    visible: int
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Spot:
    """Where a drawing's upper left corner is, and the piece of stage and drawing that lie on each other."""

    x: int
    y: int
    rows: slice
    columns: slice
    own_rows: slice
    own_columns: slice


class Stage:
    """A canvas with an owner for every pixel."""

    def __init__(self, canvas: NDArray[np.uint8], horizon: int) -> None:
        self.canvas = canvas
        self.owner: NDArray[np.uint8] = np.zeros((canvas.shape[0], canvas.shape[1]), dtype=np.uint8)
        self.things: list[Placed] = []
        self._horizon = horizon

    def spot(self, drawn: NDArray[np.uint8], x: int, y: int) -> Spot:
        """Returns the place of a drawing whose upper left corner is at (x, y), cut to the stage."""
        height, width = drawn.shape[0], drawn.shape[1]
        side_y, side_x = self.owner.shape[0], self.owner.shape[1]
        rows = slice(min(max(0, y), side_y), max(0, min(side_y, y + height)))
        columns = slice(min(max(0, x), side_x), max(0, min(side_x, x + width)))
        own_rows = slice(rows.start - y, max(rows.start, rows.stop) - y)
        own_columns = slice(columns.start - x, max(columns.start, columns.stop) - x)
        return Spot(x, y, rows, columns, own_rows, own_columns)

    def find(self, drawn: NDArray[np.uint8], crowded: bool, flies: bool, rng: Rng) -> Spot | None:
        """Returns a place for a new drawing in front of all others, or None where none was found."""
        solid = drawn[..., 3] >= SOLID
        area = int(solid.sum())
        if area < LEAST_AREA:
            return None
        height, width = drawn.shape[0], drawn.shape[1]
        side_y, side_x = self.owner.shape[0], self.owner.shape[1]
        low = (
            self._horizon - height * 0.6
            if not flies and self._horizon < side_y * 0.7 and rng.random() < 0.6
            else 0
        )
        for _ in range(TRIES):
            out = 0.3 if rng.random() < 0.15 else 0.0  # partly outside, now and then
            x = int(rng.uniform(-width * out, max(1.0, side_x - width * (1 - out))))
            top = max(low, -height * out)
            y = int(rng.uniform(top, max(top, low + 1.0, side_y - height * (1 - out))))
            spot = self.spot(drawn, x, y)
            if self._fits(solid, area, spot, crowded):
                return spot
        return None

    def _fits(self, solid: NDArray[np.bool_], area: int, spot: Spot, crowded: bool) -> bool:
        here = solid[spot.own_rows, spot.own_columns]
        if here.sum() < max(0.5 * area, LEAST_AREA) or max(_extent(here)) < LEAST_SIDE:
            return False
        hidden = np.bincount(self.owner[spot.rows, spot.columns][here], minlength=len(self.things) + 1)
        for number, thing in enumerate(self.things):
            if not hidden[number + 1]:
                continue
            left = thing.visible - int(hidden[number + 1])
            if left < max(LEAST_SHOWN * thing.area, LEAST_AREA):
                return False
            if not crowded and hidden[number + 1] > CALM_OVERLAP * thing.visible:
                return False
            if left < 0.6 * thing.visible and not self._still_wide(number, spot, here):
                return False
        return True

    def _still_wide(self, number: int, spot: Spot, hidden: NDArray[np.bool_]) -> bool:
        shows = self.owner == number + 1
        shows[spot.rows, spot.columns] &= ~hidden
        return max(_extent(shows)) >= LEAST_SIDE

    def shadow(self, drawn: NDArray[np.uint8], spot: Spot, rng: Rng) -> None:
        """Darkens the stage beside a drawing that is to be put at `spot`."""
        from PIL import Image, ImageFilter

        reach = max(1.0, drawn.shape[0] * 0.07)
        dx, dy = rng.uniform(-reach, reach), rng.uniform(0.3 * reach, reach)
        soft = Image.fromarray(drawn[..., 3]).filter(ImageFilter.BoxBlur(max(1, int(reach * 0.5))))
        beside = self.spot(drawn, spot.x + round(dx), spot.y + round(dy))
        piece = self.canvas[beside.rows, beside.columns]
        shade(piece, np.asarray(soft)[beside.own_rows, beside.own_columns], int(rng.integers(50, 130)))

    def put(self, drawn: NDArray[np.uint8], spot: Spot, tag: tuple[int, str, str]) -> None:
        """Puts a drawing in front of all that is there and keeps the truth of the others right."""
        here = drawn[spot.own_rows, spot.own_columns]
        over(self.canvas[spot.rows, spot.columns], here)
        self._own(here[..., 3] >= SOLID, spot, len(self.things) + 1)
        area = int((drawn[..., 3] >= SOLID).sum())
        visible, box = self._seen(len(self.things) + 1)
        self.things.append(Placed(tag, area, visible, box))

    def lay(self, drawn: NDArray[np.uint8], rng: Rng, in_front: bool = False) -> None:
        """Lays a shape that is no thing on the stage; in front of things only where all stay visible."""
        side_y, side_x = self.owner.shape[0], self.owner.shape[1]
        height, width = drawn.shape[0], drawn.shape[1]
        x, y = (
            int(rng.uniform(-width / 2, side_x - width / 2)),
            int(rng.uniform(-height / 2, side_y - height / 2)),
        )
        spot = self.spot(drawn, x, y)
        here = drawn[spot.own_rows, spot.own_columns]
        if not here.size:
            return
        solid = here[..., 3] >= SOLID
        if in_front:
            hidden = np.bincount(self.owner[spot.rows, spot.columns][solid], minlength=len(self.things) + 1)
            for number, thing in enumerate(self.things):
                if hidden[number + 1] > 0.4 * thing.visible or (
                    thing.visible - hidden[number + 1] < max(LEAST_SHOWN * thing.area, LEAST_AREA)
                    or (hidden[number + 1] and not self._still_wide(number, spot, solid))
                ):
                    return
        over(self.canvas[spot.rows, spot.columns], here)
        self._own(solid, spot, 0)

    def _own(self, solid: NDArray[np.bool_], spot: Spot, owner: int) -> None:
        """Gives the solid pixels to `owner`, and measures again whoever lost some."""
        piece = self.owner[spot.rows, spot.columns]
        losers = np.unique(piece[solid])
        piece[solid] = owner
        for loser in losers.tolist():
            if loser and loser != owner:
                thing = self.things[loser - 1]
                thing.visible, thing.box = self._seen(loser)

    def _seen(self, owner: int) -> tuple[int, tuple[int, int, int, int]]:
        shows = self.owner == owner
        rows, columns = np.flatnonzero(shows.any(axis=1)), np.flatnonzero(shows.any(axis=0))
        if not len(rows):
            return 0, (0, 0, 0, 0)
        box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        return int(shows.sum()), box


def _extent(shows: NDArray[np.bool_]) -> tuple[int, int]:
    """Returns the height and width of the box of what is true; zeros where nothing is."""
    rows, columns = np.flatnonzero(shows.any(axis=1)), np.flatnonzero(shows.any(axis=0))
    if not len(rows):
        return 0, 0
    return int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
