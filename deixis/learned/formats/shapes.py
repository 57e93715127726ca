"""Numbers of a text to pixels and back, with a reason for everything that is not as it should be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from deixis.errors import InputFault
from deixis.geometry import Size
from deixis.learned.formats.frame import PictureFrame
from deixis.learned.formats.spans import Kind, Span, Values
from deixis.spaces import Cells, Space


class Remark(NamedTuple):
    """Why a shape was dropped or what was put right about it."""

    code: str
    reason: str
    dropped: bool


class Read(NamedTuple):
    """A shape in pixels of the original picture, or None where it was dropped, and the remarks."""

    values: Values | None
    remarks: tuple[Remark, ...] = ()


def read(
    numbers: Sequence[float], kind: Kind, space: Space | Cells, frame: PictureFrame, slack: float
) -> Read:
    """Returns the shape that `numbers` of a text name, put right where that is safe.

    Swapped corners are ordered. Values beyond the edge are clipped where they are within `slack` (a
    share of the axis) of it, otherwise the shape is dropped, as is a box that has no part inside.
    """
    if not all(math.isfinite(number) for number in numbers):
        return _gone("values.number", "A value is not a finite number.")
    if isinstance(space, Cells):
        return _cells(numbers, space, frame.size)
    count = len(numbers)
    if {"box": count != 4, "point": count != 2, "polygon": count < 6 or count % 2 == 1}[kind]:
        return _gone("values.count", f"{count} values are not a {kind}.")
    remarks: list[Remark] = []
    values = list(numbers)
    if kind == "box" and (values[0] > values[2] or values[1] > values[3]):
        values = [*map(min, values[:2], values[2:]), *map(max, values[:2], values[2:])]
        remarks.append(Remark("corners.swapped", "The corners were swapped.", False))
    inside = list(values)
    for index, value in enumerate(values):
        top = space.top((index + space.y_first) % 2, frame.size)
        if not -slack * top <= value <= (1 + slack) * top:
            return _gone("values.range", f"{value:g} lies far outside 0 to {top:g} of {space.name}.")
        inside[index] = min(max(value, 0.0), top)
    if inside != values:
        remarks.append(Remark("values.clipped", "A value beyond the edge was clipped.", False))
    pixels: list[float] = []
    for at in range(0, count, 2):
        pixels += space.point_to_px(inside[at : at + 2], frame.size)
    if kind == "box":
        empty = pixels[0] >= pixels[2] or pixels[1] >= pixels[3]
        if empty and values[0] < values[2] and values[1] < values[3]:
            return _gone("box.outside", "No part of the box lies inside the picture.")
    return Read(tuple(pixels), tuple(remarks))


def _gone(code: str, reason: str) -> Read:
    return Read(None, (Remark(code, reason, True),))


def _cells(numbers: Sequence[float], space: Cells, size: Size) -> Read:
    if len(numbers) != 2:
        return _gone("values.count", f"{len(numbers)} cells are not the two corners of a box.")
    if not all(0 <= number < space.side**2 for number in numbers):
        return _gone("values.range", f"A cell is not one of 0 to {space.side**2 - 1}.")
    rows, columns = zip(*(divmod(int(number), space.side) for number in numbers), strict=True)
    ordered = tuple(choose(rows) * space.side + choose(columns) for choose in (min, max))
    remarks = () if ordered == tuple(numbers) else (_SWAPPED,)
    return Read(space.box_to_px(ordered, size).xyxy_px, remarks)


_SWAPPED = Remark("corners.swapped", "The corners were swapped.", False)


def written(span: Span, space: Space | Cells, frame: PictureFrame) -> tuple[float, ...]:
    """Returns the numbers that `space` writes for a span, clipped to the picture.

    Raises:
        InputFault: the box or the point lies outside the picture.
    """
    size = frame.size
    box = span.box
    if box.x1 > size.width or box.y1 > size.height or box.x2 < 0 or box.y2 < 0:
        raise InputFault(
            "formats.box.outside",
            f"{span.phrase!r} lies outside the picture: {list(span.values)} in {size.width} × {size.height}.",
            "Give values in pixels of the original picture.",
        )
    if span.kind == "box":
        return space.box_from_px(box.clip(size), size)
    if isinstance(space, Cells):
        raise InputFault(
            "formats.kind.unsupported", "Cells write boxes only.", "Use Grounded.reduced('box')."
        )
    numbers: list[float] = []
    for x, y in zip(span.values[0::2], span.values[1::2], strict=True):
        numbers += space.point_from_px((min(max(x, 0.0), size.width), min(max(y, 0.0), size.height)), size)
    return tuple(numbers)


def digits(value: float, space: Space | Cells, width: int = 0) -> str:
    """Returns a number as `space` rounds it; whole numbers are padded with zeros to `width` digits."""
    decimals = 0 if isinstance(space, Cells) else space.decimals
    if decimals is None:
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return f"{value:.{decimals}f}" if decimals else f"{round(value):0{width}d}"
