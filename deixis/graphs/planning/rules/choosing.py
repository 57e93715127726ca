"""Which of the boxes on offer a target means: by colour, size, place in the row, or side of another thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deixis.geometry import Box, Size
from deixis.graphs.answering.facts import Group
from deixis.graphs.planning.rules.knowing import Known
from deixis.graphs.planning.rules.targets import ENDS, Target
from deixis.media.refs import ImageRef, MediaSource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIDE_PX = 640
"""Colours are told well at this size."""
CLEAR = 0.06
"""Of the picture's longer side, that two middles lie apart along a relation's axis at least."""
HAS = 0.22
"""The share of a thing's pixels that a colour needs: its box has background in it as well."""
SMALL, BIG = 0.25, 0.4
"""Of the picture's side: a thing's longer side up to which it passes as small, from which as big."""


@dataclass(frozen=True)
class Option:
    """A box on offer: its group, its index there, what it is by itself."""

    group: Group
    index: int
    box: Box
    image: ImageRef
    score: float


@dataclass(frozen=True)
class Choice:
    """What a target means: the option (None where none fits), the other thing, and why, in words."""

    option: Option | None
    other: Option | None = None
    why: str = ""


def options(known: Known, noun: str) -> list[Option]:
    """Returns the boxes that a detector gave for a noun, the surest first."""
    images = {image.digest: image for image in known.facts.images}
    rows = [
        Option(group, index, region.box, images[region.media], region.score.value)
        for group in known.facts.things
        if group.label.casefold() == noun.casefold()
        for index, region in enumerate(group.regions)
        if region.box is not None
    ]
    return sorted(rows, key=lambda row: -row.score)


def choose(target: Target, known: Known, media: MediaSource) -> Choice:
    """Returns which box a simple target means."""
    offered = options(known, target.noun)
    if not offered:
        return Choice(None, why="there is none")
    if target.side is not None:
        return _beside(target, offered, options(known, target.other))
    if target.colour:
        return _coloured(target, offered, media)
    if target.size:
        return _sized(target, offered)
    if target.end:
        axis, sign = ENDS[target.end]
        rows = [row for row in offered if row.score >= 0.5 * offered[0].score]
        return Choice(min(rows, key=lambda row: sign * row.box.center[axis]), why=f"it is {target.end}")
    return Choice(offered[0], why="it is the surest")


def _beside(target: Target, offered: list[Option], others: list[Option]) -> Choice:
    if not others:
        return Choice(None, why=f"there is no {target.other}")
    best: tuple[float, Option, Option] | None = None
    for one in offered:
        for other in others:
            if one.image != other.image or one.box == other.box or one.box.iou(other.box) > 0.8:
                continue
            if side_of(one.box, other.box, one.image.size) != target.side:
                continue
            fit = one.score * other.score
            if best is None or fit > best[0]:
                best = (fit, one, other)
    if best is None:
        return Choice(None, others[0], f"none is {target.side} the {target.other}")
    return Choice(best[1], best[2], f"it is {target.side} the {target.other}")


def side_of(box: Box, other: Box, size: Size) -> str:
    """Returns on which side of another box a box lies: the axis along which their middles lie more apart."""
    reach = max(size.width, size.height)
    dx = (box.center[0] - other.center[0]) / reach
    dy = (box.center[1] - other.center[1]) / reach
    if max(abs(dx), abs(dy)) < CLEAR:
        return ""
    if abs(dx) > abs(dy):
        return "left of" if dx < 0 else "right of"
    return "above" if dy < 0 else "below"


def _sized(target: Target, offered: list[Option]) -> Choice:
    def longer(row: Option) -> float:
        size = row.image.size
        return max(row.box.width / size.width, row.box.height / size.height)

    rows = [row for row in offered if row.score >= 0.4 * offered[0].score]
    chosen = (min if target.size == "small" else max)(rows, key=longer)
    share = longer(chosen)
    alone = len(rows) == 1 and not target.most
    if alone and (share > SMALL * 1.6 if target.size == "small" else share < BIG * 0.6):
        return Choice(None, why=f"the one there is not {target.size}")
    return Choice(chosen, why=f"it is the {'smallest' if target.size == 'small' else 'largest'}")


def _coloured(target: Target, offered: list[Option], media: MediaSource) -> Choice:
    shares = [colours(row, media) for row in offered]
    ranked = sorted(zip(shares, offered, strict=True), key=lambda pair: -pair[0].get(target.colour, 0.0))
    share, chosen = ranked[0][0].get(target.colour, 0.0), ranked[0][1]
    if share >= HAS or named(ranked[0][0]) == target.colour:
        return Choice(chosen, why=f"it is {target.colour}")
    told = named(shares[0])
    return Choice(None, why=f"the {target.noun} there is {told}" if told else f"none is {target.colour}")


def colours(option: Option, media: MediaSource) -> dict[str, float]:
    """Returns the share of a thing's pixels that each colour word has, what lies around it taken off."""
    from deixis.learned.world.colours import colour_shares

    pixels = media.pixels(option.image, max_side=SIDE_PX)
    scale = pixels.shape[1] / option.image.size.width
    box = option.box.scale(scale, scale)
    inner = _cut(pixels, box, 0.12)
    around = _around(pixels, box)
    inside, outside = colour_shares(inner), colour_shares(around)
    # What is around a thing shows in the corners of its box as well: about a third of it is not the thing.
    kept = {name: max(0.0, share - 0.35 * outside[name]) for name, share in inside.items()}
    total = sum(kept.values())
    return {name: share / total for name, share in kept.items()} if total > 0 else inside


def named(shares: dict[str, float], least: float = 0.3) -> str:
    """Returns the colour that most of a thing has; empty where none has enough."""
    best = max(shares, key=lambda name: shares[name], default="")
    return best if best and shares[best] >= least else ""


def _cut(pixels: NDArray[np.uint8], box: Box, inset: float) -> Any:
    height, width = pixels.shape[:2]
    x1, x2 = int(box.x1 + inset * box.width), int(box.x2 - inset * box.width) + 1
    y1, y2 = int(box.y1 + inset * box.height), int(box.y2 - inset * box.height) + 1
    part = pixels[max(0, y1) : min(height, y2), max(0, x1) : min(width, x2)]
    return part.reshape(-1, 3)


def _around(pixels: NDArray[np.uint8], box: Box) -> Any:
    """Returns the pixels of a frame around a box, a twelfth of its sides wide."""
    import numpy as np

    height, width = pixels.shape[:2]
    wide, high = max(2, int(box.width / 12)), max(2, int(box.height / 12))
    x1, x2 = max(0, int(box.x1) - wide), min(width, int(box.x2) + wide)
    y1, y2 = max(0, int(box.y1) - high), min(height, int(box.y2) + high)
    mask = np.ones((max(0, y2 - y1), max(0, x2 - x1)), dtype=bool)
    mask[max(0, int(box.y1) - y1) : int(box.y2) - y1, max(0, int(box.x1) - x1) : int(box.x2) - x1] = False
    return pixels[y1:y2, x1:x2][mask]


def best_of(rows: Sequence[Option]) -> Option | None:
    """Returns the surest option."""
    return max(rows, key=lambda row: row.score, default=None)
