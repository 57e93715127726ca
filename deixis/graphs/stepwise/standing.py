"""How things stand to each other, as an answer says it, against their boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise, product

from deixis.geometry import Box
from deixis.graphs.planning.protocol import STANDS
from deixis.graphs.stepwise.settling import Pointed

_BETWEEN = re.compile(
    r"\s*,?\s*(?:(?:that|which)\s+)?(?:(?:is|are|stands?|sits?|lies?)\s+)?(?:(?:to|on)\s+the\s+)?"
    r"(?P<side>left of|right of|above|below)(?:\s+(?:the|a|an|its|another|this|that))?\s*",
    re.IGNORECASE,
)
"""All that may stand between the words for two things of which one is said to be on a side of the other.
'Over' and 'under' are not among them: a jacket over a shirt lies in front of it."""
_AXIS = {"left of": (0, -1), "right of": (0, 1), "above": (1, -1), "below": (1, 1)}
"""By word the axis, and the sign of the way from the second thing to the first."""


def misplaced(text: str, pointed: list[Pointed]) -> Iterator[str]:
    """Yields what `text` says of where things stand that their boxes, which tools gave, contradict.

    Claims are in the order of the text. Nothing is said of what boxes cannot tell: it takes the middles of
    all boxes of one phrase to lie on the other side of those of the other phrase, in the same picture.
    """
    things = [one for one in pointed if one.kind == "thing" and one.supported]
    for first, second in pairwise(things):
        said = _BETWEEN.fullmatch(text, first.end, second.start)
        if said is None:
            continue
        side = said["side"].casefold()
        axis, way = _AXIS[side]
        pairs = [
            (one, other)
            for (one, at), (other, there) in product(_boxes(first), _boxes(second))
            if at == there
        ]
        if pairs and all((one.center[axis] - other.center[axis]) * way < 0 for one, other in pairs):
            yield f"{first.phrase!r} {STANDS} {side} {second.phrase!r}"


def _boxes(pointed: Pointed) -> list[tuple[Box, str]]:
    """Returns the boxes of a claim, each with the digest of its picture."""
    return [(one.box, one.media) for one in pointed.regions if one.box is not None]
