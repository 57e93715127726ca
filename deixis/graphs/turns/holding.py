"""What the tools saw at the place that words of a question mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deixis.geometry import Box
from deixis.graphs.rules.kinds import UNKNOWN, fits
from deixis.graphs.turns.asked import Pin
from deixis.graphs.turns.focus import head, spoken

if TYPE_CHECKING:
    from deixis.graphs.answering.facts import Group

SAME = 0.5
"""IoU from which a tool's box is the place that is meant."""
ROUGHLY = 0.25
"""The same where it has the right name as well: people draw boxes by eye."""


@dataclass(frozen=True)
class Held:
    """A region of a group that the tools gave, as a group of its own: ``thing-2/1`` is its second region."""

    group: Group
    index: int

    @property
    def id(self) -> str:
        """Returns the id that a draft points with."""
        return f"{self.group.id}/{self.index}"

    @property
    def box(self) -> Box:
        """Returns its box."""
        box = self.group.regions[self.index].box
        if box is None:
            raise ValueError(f"{self.id} has no box")
        return box

    @property
    def word(self) -> str:
        """Returns what it is called."""
        return spoken(self.group.label)


def held(pin: Pin, things: Sequence[Group]) -> Held | None:
    """Returns what the tools saw at the place of a pin; under its name first."""
    best: tuple[float, Held] | None = None
    for group in things:
        for index, region in enumerate(group.regions):
            if region.box is None or region.media != pin.media:
                continue
            called = not pin.bare and (
                head(group.label) == head(pin.phrase) or fits(pin.phrase, group.names) > UNKNOWN + 0.2
            )
            fit = fit_of(pin.box, region.box)
            if fit < (ROUGHLY if called else SAME) or (not called and not pin.bare and not pin.entity):
                continue
            rank = fit + (1.0 if called else 0.0)
            if best is None or rank > best[0]:
                best = (rank, Held(group, index))
    return best[1] if best is not None else None


def fit_of(place_px: Box, box: Box) -> float:
    """Returns how well a box is the place that is meant, in 0..1; a point counts more near the middle."""
    if place_px.area > 0:
        return place_px.iou(box)
    x, y = place_px.center
    if not (box.x1 <= x <= box.x2 and box.y1 <= y <= box.y2) or box.area <= 0:
        return 0.0
    away = max(abs(x - box.center[0]) / box.width, abs(y - box.center[1]) / box.height)
    return 1.0 - away * 0.5
