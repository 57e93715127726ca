"""How sure it is that a kind of thing is in the picture, from boxes and tags together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deixis.geometry import Size
from deixis.tools.matching.protocol import Visible
from deixis.tools.matching.sources import is_one_of

CALIBRATION = {
    "detector": ((0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0), (0.03, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0)),
    "tagger": ((0.05, 0.15, 0.3, 0.5, 0.7, 0.95), (0.2, 0.35, 0.5, 0.65, 0.75, 0.93)),
}
"""Score → share of the sightings of COCO names that are right, on the 100 photos of coco_train_tune with
DEIMv2-femto and the light tagger (best score per name and photo, bins of a tenth, smoothed by hand)."""


TINY, SMALL, SMALL_BESIDE = 0.01, 0.03, 0.1
"""A box is background below the first share of the picture, and below the second if it is also below the
third of the largest thing: a passer-by behind the bus. A picture is rarely about something so small, and
what is heard is rarely a passer-by. Set by judgement, not by search."""


@dataclass(frozen=True)
class Sighting:
    """The best thing of a kind, and the probability that something of the kind is in the picture.

    `background`: it is small beside something else, so it may be the source, but that is a guess.
    """

    thing: Visible
    probability: float
    background: bool = False


def probability(item: Visible) -> float:
    """Returns how likely a visible thing is what its names say, 0..1, by its own score alone."""
    scores, shares = CALIBRATION[item.source]
    return float(np.interp(item.score.value, scores, shares, left=0.0))


def sighting(
    visible: Sequence[Visible], wanted: Sequence[str], picture: Size | None = None
) -> Sighting | None:
    """Returns what is seen of the wanted kinds; None where nothing is.

    A box and a tag are two witnesses, so their doubts are multiplied; two boxes of one kind are not.
    The thing returned is a box where there is one, since a tag points nowhere. A kind that a tag names
    is no background: taggers name what the picture is about.
    """
    best: dict[str, tuple[float, Visible]] = {}
    for item in visible:
        if is_one_of(item.names, wanted):
            how = probability(item)
            if item.source not in best or best[item.source][0] < how:
                best[item.source] = (how, item)
    if not best:
        return None
    doubt = float(np.prod([1 - how for how, _ in best.values()]))
    _, thing = best["detector"] if "detector" in best else best["tagger"]
    return Sighting(thing, 1 - doubt, "tagger" not in best and _is_background(thing, visible, picture))


def _is_background(thing: Visible, visible: Sequence[Visible], picture: Size | None) -> bool:
    if thing.box is None:
        return False
    share = 0.0 if picture is None else thing.box.area / picture.area
    if picture is not None and share < TINY:
        return True
    largest = max(item.box.area for item in visible if item.box is not None)
    return share < SMALL and thing.box.area < SMALL_BESIDE * largest
