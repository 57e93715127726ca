"""How things stand to each other, as an answer says it, against their boxes."""

from __future__ import annotations

from collections.abc import Iterator

from deixis.graphs.planning.protocol import STANDS
from deixis.graphs.planning.sides import Placed, contradicted
from deixis.graphs.stepwise.settling import Pointed


def misplaced(text: str, pointed: list[Pointed]) -> Iterator[str]:
    """Yields what `text` says of where things stand that their boxes, which tools gave, contradict.

    Claims are in the order of the text.
    """
    things = [_placed(one) for one in pointed if one.kind == "thing" and one.supported]
    for first, side, second in contradicted(text, things):
        yield f"{text[first.start : first.end]!r} {STANDS} {side} {text[second.start : second.end]!r}"


def _placed(one: Pointed) -> Placed:
    boxes = tuple((region.box, region.media) for region in one.regions if region.box is not None)
    return Placed(one.start, one.end, boxes)
