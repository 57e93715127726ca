"""Coordinate spaces as values, and exact conversions between them and pixels of the original picture.

Vision-language models write the same box in many ways. A `Space` says what its numbers mean: relative
to what (`Frame`), how far the axis runs, how values are rounded when they are written, and whether x
or y comes first. Everything inside deixis is in pixels of the original upright picture (`geometry.Box`);
a space is entered when a model's text is read or written, and left at once.

Spaces of model families, from their papers, model cards and public code:

* `UNIT`: 0..1, three decimals, relative to the picture.
* `SQUARE_UNIT`: the same on the picture padded to a square (Shikra, GroundingGPT, Visual-CoT).
* `UP_TO_999`: integers 0..999 (CogVLM). `UP_TO_1000`: integers 0..1000 (Qwen-VL, Qwen3-VL, InternVL).
* `UP_TO_1000_YX`: the same, y first (Gemini-like).
* `BINS_1000`: bin numbers, read as the middle of the bin (Florence-2).
* `BINS_1024_YX`: bin numbers, y first, read as the bin's near edge (PaliGemma).
* `PERCENT`: 0..100, one decimal (Molmo points).
* `resized_pixels(size)`: pixels of the resized input (Qwen2.5-VL).
* `CELLS_32`: patch numbers of a 32 × 32 grid (Kosmos-2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from deixis.errors import InputFault
from deixis.geometry import Box, Size

Point = tuple[float, float]


class Frame(Enum):
    """What a coordinate is relative to."""

    PICTURE = "picture"
    """x to the picture's width, y to its height."""
    SQUARE = "square"
    """Both to the longer side: the picture lies centred in a square, half of the difference in front,
    rounded down where it is odd."""
    PIXELS = "pixels"
    """Nothing: pixels of the original picture."""
    INPUT = "input"
    """Nothing: pixels of the resized picture that the model saw."""


def padding_px(size: Size) -> tuple[int, int]:
    """Returns the pixels left of and above a picture that lies centred in its square."""
    side = max(size.width, size.height)
    return (side - size.width) // 2, (side - size.height) // 2


@dataclass(frozen=True)
class Space:
    """A linear coordinate space; `to_px` undoes `from_px` up to the space's own rounding.

    Attributes:
        name: what the space is called in configuration and messages.
        frame: what values are relative to.
        far: the value at the far edge (1, 100, 999, 1000; the number of bins); unused for pixels.
        decimals: digits written behind the point; None where values are not rounded.
        highest: the highest value that may be written; None where the frame decides.
        middle: a value names a bin and is read as the middle of it.
        y_first: pairs are written y before x.
        input_size: size of the resized picture, for `Frame.INPUT`.
    """

    name: str
    frame: Frame
    far: float = 1.0
    decimals: int | None = None
    highest: float | None = None
    middle: bool = False
    y_first: bool = False
    input_size: Size | None = None

    def __post_init__(self) -> None:
        if (self.frame is Frame.INPUT) != (self.input_size is not None):
            raise ValueError("a space of a resized input, and only that, has an input_size")
        if not self.far > 0:
            raise ValueError("the far edge of an axis is above 0")

    def point_from_px(self, point: Point, size: Size, *, exact: bool = False) -> Point:
        """Returns a point, (x, y) in pixels of a picture of `size`, as this space writes it.

        Rounded and kept within the space's range, unless `exact`.
        """
        pair = [
            self._written(value, axis, size, exact=exact)
            for axis, value in enumerate(self._numbers(point, 2, "a point"))
        ]
        return (pair[1], pair[0]) if self.y_first else (pair[0], pair[1])

    def point_to_px(self, values: Sequence[float], size: Size, *, clip: bool = True) -> Point:
        """Returns the point (x, y) in pixels of a picture of `size` that `values` name.

        With `clip`, a point in the padding or outside the picture comes back on its border.

        Raises:
            InputFault: not two finite numbers. Whether they are in range: `in_range`.
        """
        first, second = self._numbers(values, 2, "a point")
        pair = (second, first) if self.y_first else (first, second)
        x, y = (self._read(value, axis, size) for axis, value in enumerate(pair))
        if clip:
            x, y = min(max(x, 0.0), float(size.width)), min(max(y, 0.0), float(size.height))
        return (x, y)

    def box_from_px(self, box: Box, size: Size, *, exact: bool = False) -> tuple[float, float, float, float]:
        """Returns a box in pixels of a picture of `size` as this space writes it: two corners."""
        low = self.point_from_px((box.x1, box.y1), size, exact=exact)
        high = self.point_from_px((box.x2, box.y2), size, exact=exact)
        return (*low, *high)

    def box_to_px(self, values: Sequence[float], size: Size, *, clip: bool = True) -> Box:
        """Returns the box in pixels of a picture of `size` that four `values` name.

        Raises:
            InputFault: not four finite numbers, or the corners are swapped. In range: `in_range`.
        """
        numbers = self._numbers(values, 4, "a box")
        x1, y1 = self.point_to_px(numbers[:2], size, clip=clip)
        x2, y2 = self.point_to_px(numbers[2:], size, clip=clip)
        if x2 < x1 or y2 < y1:
            raise InputFault(
                "space.corners.swapped",
                f"{list(numbers)} is not a box in the space {self.name}: its corners are swapped.",
                "Write the corner at the top left first.",
            )
        return Box(x1=x1, y1=y1, x2=x2, y2=y2)

    def rounding_px(self, size: Size) -> Point:
        """Returns how far, at most, writing and reading moves a point of the picture in x and in y."""
        if self.decimals is None:
            return (0.0, 0.0)
        step = 10.0**-self.decimals
        # Where the highest value that may be written lies before the far edge, that edge moves furthest.
        short = 0.0
        if self.highest is not None and not self.middle:
            short = max(0.0, self.far - self.highest)
        steps = max(step / 2, short)
        return (steps / self._scale(0, size)[0], steps / self._scale(1, size)[0])

    def _scale(self, axis: int, size: Size) -> tuple[float, float]:
        """Returns factor and shift of one axis: value = pixel · factor + shift."""
        side = (size.width, size.height)[axis]
        if self.frame is Frame.PIXELS:
            return 1.0, 0.0
        if self.frame is Frame.INPUT and self.input_size is not None:
            return (self.input_size.width, self.input_size.height)[axis] / side, 0.0
        shift = 0.0
        if self.frame is Frame.SQUARE:
            shift, side = padding_px(size)[axis], max(size.width, size.height)
        factor = self.far / side
        return factor, shift * factor - (0.5 if self.middle else 0.0)

    def top(self, axis: int, size: Size) -> float:
        """Returns the highest value that may be written on an axis (0: x, 1: y) of a picture of `size`."""
        if self.highest is not None:
            return self.highest
        if self.frame is Frame.PIXELS:
            return float((size.width, size.height)[axis])
        if self.input_size is not None:
            return float((self.input_size.width, self.input_size.height)[axis])
        return self.far

    def _written(self, px: float, axis: int, size: Size, *, exact: bool) -> float:
        factor, shift = self._scale(axis, size)
        value = px * factor + shift
        if exact:
            return value
        if self.decimals is not None:
            steps = 10**self.decimals
            value = math.floor(value * steps + 0.5) / steps
        return min(max(value, 0.0), self.top(axis, size))

    def _read(self, value: float, axis: int, size: Size) -> float:
        factor, shift = self._scale(axis, size)
        return (value - shift) / factor

    def _numbers(self, values: Sequence[float], count: int, what: str) -> tuple[float, ...]:
        numbers = tuple(float(value) for value in values)
        if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
            raise InputFault(
                "space.values.invalid",
                f"{list(values)} is not {what} in the space {self.name}.",
                f"Give {count} finite numbers.",
            )
        return numbers

    def in_range(self, values: Sequence[float], size: Size) -> bool:
        """Returns whether all values, in the order the space writes them, lie within its range."""
        first = 1 if self.y_first else 0
        return all(
            math.isfinite(value) and 0 <= value <= self.top((index + first) % 2, size)
            for index, value in enumerate(values)
        )


@dataclass(frozen=True)
class Cells:
    """A grid of `side` × `side` cells over the picture; a corner is the number of its cell.

    Numbers run row by row: ``row * side + column``. A box is two numbers. They are read as the middles
    of their cells, or as whole cells where both lie in one row or column (Kosmos-2, arXiv 2306.14824,
    and its public processor).
    """

    name: str
    side: int

    def point_from_px(self, point: Point, size: Size) -> int:
        """Returns the number of the cell that holds the point (x, y) in pixels."""
        column, row = (
            min(max(math.floor(value / length * self.side), 0), self.side - 1)
            for value, length in zip(point, (size.width, size.height), strict=True)
        )
        return row * self.side + column

    def point_to_px(self, cell: int, size: Size) -> Point:
        """Returns the middle of a cell, (x, y) in pixels.

        Raises:
            InputFault: there is no such cell.
        """
        column, row = self._place(cell)
        return ((column + 0.5) * size.width / self.side, (row + 0.5) * size.height / self.side)

    def box_from_px(self, box: Box, size: Size) -> tuple[int, int]:
        """Returns the cells of the first and the last corner. A last corner on a line between cells
        belongs to the cell before it, so that a whole cell is written as itself."""
        first = self.point_from_px((box.x1, box.y1), size)
        column, row = (
            min(max(math.ceil(value / length * self.side) - 1, low), self.side - 1)
            for value, length, low in (
                (box.x2, size.width, first % self.side),
                (box.y2, size.height, first // self.side),
            )
        )
        return first, row * self.side + column

    def box_to_px(self, cells: Sequence[int], size: Size) -> Box:
        """Returns the box in pixels that two cell numbers name.

        Raises:
            InputFault: not two cells, or the second lies before the first.
        """
        if len(cells) != 2:
            raise InputFault("space.values.invalid", f"{list(cells)} is not a box.", "Give two cell numbers.")
        (column1, row1), (column2, row2) = (self._place(cell) for cell in cells)
        if column2 < column1 or row2 < row1:
            raise InputFault(
                "space.corners.swapped",
                f"The cells {list(cells)} are not the corners of a box: they are swapped.",
                "Write the cell at the top left first.",
            )
        whole = column1 == column2 or row1 == row2
        near, past = (0.0, 1.0) if whole else (0.5, 0.5)
        wide, high = size.width / self.side, size.height / self.side
        return Box(
            x1=(column1 + near) * wide,
            y1=(row1 + near) * high,
            x2=(column2 + past) * wide,
            y2=(row2 + past) * high,
        )

    def rounding_px(self, size: Size) -> Point:
        """Returns how far, at most, writing and reading moves a corner in x and in y: one cell."""
        return (size.width / self.side, size.height / self.side)

    def _place(self, cell: int) -> tuple[int, int]:
        if not 0 <= int(cell) < self.side**2 or int(cell) != cell:
            raise InputFault(
                "space.values.invalid",
                f"There is no cell {cell} in the space {self.name}.",
                f"Cells run from 0 to {self.side**2 - 1}.",
            )
        return int(cell) % self.side, int(cell) // self.side


PIXELS = Space("pixels", Frame.PIXELS)
UNIT = Space("unit", Frame.PICTURE, far=1.0, decimals=3)
SQUARE_UNIT = Space("square-unit", Frame.SQUARE, far=1.0, decimals=3)
UP_TO_999 = Space("0-999", Frame.PICTURE, far=999, decimals=0)
UP_TO_1000 = Space("0-1000", Frame.PICTURE, far=1000, decimals=0)
UP_TO_1000_YX = Space("0-1000-yx", Frame.PICTURE, far=1000, decimals=0, y_first=True)
BINS_1000 = Space("bins-1000", Frame.PICTURE, far=1000, decimals=0, highest=999, middle=True)
BINS_1024_YX = Space("bins-1024-yx", Frame.PICTURE, far=1024, decimals=0, highest=1023, y_first=True)
PERCENT = Space("percent", Frame.PICTURE, far=100, decimals=1)
CELLS_32 = Cells("cells-32", 32)

SPACES: dict[str, Space] = {
    space.name: space
    for space in (
        PIXELS,
        UNIT,
        SQUARE_UNIT,
        UP_TO_999,
        UP_TO_1000,
        UP_TO_1000_YX,
        BINS_1000,
        BINS_1024_YX,
        PERCENT,
    )
}
"""The spaces that need no further facts, by name."""


def resized_pixels(input_size: Size, *, decimals: int | None = 0) -> Space:
    """Returns the space of pixels of the resized picture that a model saw, by default in whole pixels."""
    name = f"pixels-of-{input_size.width}x{input_size.height}"
    return Space(name, Frame.INPUT, decimals=decimals, input_size=input_size)


def convert_box(
    values: Sequence[float], old: Space, new: Space, size: Size, *, exact: bool = False
) -> tuple[float, float, float, float]:
    """Returns a box of the space `old` as the space `new` writes it, on a picture of `size`.

    Raises:
        InputFault: `values` is not a box of `old`.
    """
    return new.box_from_px(old.box_to_px(values, size, clip=not exact), size, exact=exact)
