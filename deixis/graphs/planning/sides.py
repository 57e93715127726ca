"""On which side of another a thing is said to stand, and whether their boxes bear it out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import NamedTuple

from deixis.geometry import Box

AXIS = {"left": (0, -1), "right": (0, 1), "above": (1, -1), "below": (1, 1)}
"""By word the axis, and the sign of the way from the second thing to the first."""
_BETWEEN = re.compile(
    r"\s*,?\s*(?:(?:that|which)\s+)?(?:(?:is|are|stands?|sits?|lies?)\s+)?(?:(?:to|on)\s+the\s+)?"
    r"(?P<side>left of|right of|above|below)(?:\s+(?:the|a|an|its|another|this|that))?\s*",
    re.IGNORECASE,
)
"""All that may stand between the words for two things of which one is said to be on a side of the other.
'Over' and 'under' are not among them: a jacket over a shirt lies in front of it."""


class Placed(NamedTuple):
    """Words ``text[start:end]`` for a thing, and its boxes, each with the digest of its picture."""

    start: int
    end: int
    boxes: tuple[tuple[Box, str], ...]


def off_side(side: str, one: Box, other: Box) -> bool:
    """Returns whether the middle of `one` lies on the other side of that of `other` than `side` says.

    `side` is a key of `AXIS`.
    """
    axis, way = AXIS[side]
    return (one.center[axis] - other.center[axis]) * way < 0


def contradicted(text: str, things: Sequence[Placed]) -> Iterator[tuple[Placed, str, Placed]]:
    """Yields two things and the side of the second that `text` says the first is on, against their boxes.

    Things are in the order of the text. Nothing is said of what boxes cannot tell: it takes the middles of
    all boxes of one phrase to lie on the other side of those of the other phrase, in the same picture.
    """
    for first, second in pairwise(things):
        said = _BETWEEN.fullmatch(text, first.end, second.start)
        if said is None:
            continue
        side = said["side"].casefold()
        pairs = [
            (one, other) for (one, at), (other, there) in product(first.boxes, second.boxes) if at == there
        ]
        if pairs and all(off_side(side.split()[0], one, other) for one, other in pairs):
            yield first, side, second
