"""Coordinate spaces: known values, round trips within the rounding, every pair of spaces."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.errors import InputFault
from deixis.geometry import Box, Size
from deixis.spaces import (
    BINS_1000,
    BINS_1024_YX,
    CELLS_32,
    PERCENT,
    PIXELS,
    SPACES,
    SQUARE_UNIT,
    UNIT,
    UP_TO_999,
    UP_TO_1000,
    UP_TO_1000_YX,
    Frame,
    Space,
    convert_box,
    padding_px,
    resized_pixels,
)

RESIZED = resized_pixels(Size(width=644, height=476))
ALL = [*SPACES.values(), RESIZED]
LINEAR = pytest.mark.parametrize("space", ALL, ids=lambda space: space.name)

sizes = st.builds(Size, width=st.integers(1, 5000), height=st.integers(1, 5000))
share = st.floats(0, 1)


@st.composite
def pictures_with_boxes(draw: st.DrawFn) -> tuple[Size, Box]:
    size = draw(sizes)
    x1, x2 = sorted((draw(share) * size.width, draw(share) * size.width))
    y1, y2 = sorted((draw(share) * size.height, draw(share) * size.height))
    return size, Box(x1=x1, y1=y1, x2=x2, y2=y2)


@pytest.mark.parametrize(
    ("width", "height", "square", "picture"),
    [
        (640, 360, [0.1, 0.3, 0.5, 0.7], [0.1, 0.144, 0.5, 0.856]),
        (360, 640, [0.3, 0.1, 0.7, 0.5], [0.144, 0.1, 0.856, 0.5]),
        (640, 359, [0.1, 0.3, 0.5, 0.7], [0.1, 0.145, 0.5, 0.858]),  # odd: 140 above, 141 below
        (500, 500, [0.1, 0.3, 0.5, 0.7], [0.1, 0.3, 0.5, 0.7]),
        (640, 360, [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]),  # the padding is clipped off
    ],
)
def test_padding_is_taken_off(width: int, height: int, square: list[float], picture: list[float]) -> None:
    size = Size(width=width, height=height)
    assert convert_box(square, SQUARE_UNIT, UNIT, size) == pytest.approx(picture, abs=1e-9)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(640, 359, (0, 140)), (359, 640, (140, 0)), (1, 4, (1, 0)), (7, 7, (0, 0)), (2, 1, (0, 0))],
)
def test_padding_is_half_the_difference_rounded_down(
    width: int, height: int, expected: tuple[int, int]
) -> None:
    assert padding_px(Size(width=width, height=height)) == expected


BOX = Box(x1=64, y1=120, x2=320, y2=360)
SIZE = Size(width=640, height=480)


@pytest.mark.parametrize(
    ("space", "written"),
    [
        (PIXELS, (64, 120, 320, 360)),
        (UNIT, (0.1, 0.25, 0.5, 0.75)),
        (SQUARE_UNIT, (0.1, 0.313, 0.5, 0.688)),  # (120 + 80) / 640 = .3125, (360 + 80) / 640 = .6875
        (UP_TO_999, (100, 250, 500, 749)),  # 99.9, 249.75, 499.5, 749.25
        (UP_TO_1000, (100, 250, 500, 750)),
        (UP_TO_1000_YX, (250, 100, 750, 500)),
        (BINS_1000, (100, 250, 500, 750)),
        (BINS_1024_YX, (256, 102, 768, 512)),
        (PERCENT, (10.0, 25.0, 50.0, 75.0)),
        (RESIZED, (64, 119, 322, 357)),  # 64.4, 119, 322, 357
    ],
    ids=lambda value: value.name if isinstance(value, Space) else None,
)
def test_known_box_in_every_space(space: Space, written: tuple[float, ...]) -> None:
    assert space.box_from_px(BOX, SIZE) == pytest.approx(written, abs=1e-9)


def test_every_named_space_is_in_the_table_of_known_boxes() -> None:
    assert set(SPACES) == {
        "pixels",
        "unit",
        "square-unit",
        "0-999",
        "0-1000",
        "0-1000-yx",
        "bins-1000",
        "bins-1024-yx",
        "percent",
    }


def test_a_bin_is_read_as_its_middle() -> None:
    size = Size(width=1000, height=2000)
    assert BINS_1000.point_to_px((0, 999), size) == (0.5, 1999.0)
    assert BINS_1000.point_from_px((0.999, 1999.9), size) == (0, 999)
    assert BINS_1000.point_from_px((1000, 2000), size) == (999, 999)


def test_y_comes_first_where_the_space_says_so() -> None:
    size = Size(width=1024, height=2048)
    assert BINS_1024_YX.point_from_px((3, 20), size) == (10, 3)
    assert BINS_1024_YX.point_to_px((10, 3), size) == (3.0, 20.0)


def test_resized_input_scales_each_axis_by_itself() -> None:
    space = resized_pixels(Size(width=280, height=560), decimals=None)
    assert space.box_to_px((28, 56, 140, 280), Size(width=1000, height=1000)).xyxy_px == pytest.approx(
        (100, 100, 500, 500)
    )


@LINEAR
@given(picture=pictures_with_boxes())
def test_writing_and_reading_moves_a_box_by_the_rounding_at_most(
    space: Space, picture: tuple[Size, Box]
) -> None:
    size, box = picture
    back = space.box_to_px(space.box_from_px(box, size), size)
    for axis, tolerance in enumerate(space.rounding_px(size)):
        slack = 1e-6 * max(1.0, size.width, size.height)
        assert abs(back.xyxy_px[axis] - box.xyxy_px[axis]) <= tolerance + slack
        assert abs(back.xyxy_px[axis + 2] - box.xyxy_px[axis + 2]) <= tolerance + slack


@LINEAR
@given(picture=pictures_with_boxes())
def test_exact_values_lose_nothing(space: Space, picture: tuple[Size, Box]) -> None:
    size, box = picture
    values = space.box_from_px(box, size, exact=True)
    slack = 1e-9 * max(1.0, size.width, size.height)
    assert space.box_to_px(values, size, clip=False).xyxy_px == pytest.approx(box.xyxy_px, abs=slack)


@LINEAR
@given(picture=pictures_with_boxes())
def test_what_is_written_is_in_range_and_rounded(space: Space, picture: tuple[Size, Box]) -> None:
    size, box = picture
    values = space.box_from_px(box, size)
    assert space.in_range(values, size)
    if space.decimals is not None:
        assert list(values) == [round(value, space.decimals) for value in values]


@pytest.mark.parametrize(
    ("old", "new"), itertools.permutations(ALL, 2), ids=lambda space: getattr(space, "name", None)
)
@settings(max_examples=10)
@given(picture=pictures_with_boxes())
def test_matrix_of_exact_conversions(old: Space, new: Space, picture: tuple[Size, Box]) -> None:
    size, box = picture
    through = convert_box(old.box_from_px(box, size, exact=True), old, new, size, exact=True)
    direct = new.box_from_px(box, size, exact=True)
    assert through == pytest.approx(direct, rel=1e-9, abs=1e-6)


@given(picture=pictures_with_boxes())
def test_square_unit_is_within_a_pixel_up_to_1000_pixels(picture: tuple[Size, Box]) -> None:
    size, _ = picture
    small = Size(width=min(size.width, 1000), height=min(size.height, 1000))
    assert max(SQUARE_UNIT.rounding_px(small)) <= 1


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ((0.1, 0.2, 0.3), "space.values.invalid"),
        ((0.1, 0.2, 0.3, math.nan), "space.values.invalid"),
        ((0.1, 0.2, math.inf, 0.3), "space.values.invalid"),
        ((0.5, 0.2, 0.3, 0.9), "space.corners.swapped"),
        ((0.1, 0.9, 0.3, 0.2), "space.corners.swapped"),
    ],
)
def test_what_is_no_box_is_refused(values: tuple[float, ...], code: str) -> None:
    with pytest.raises(InputFault) as caught:
        UNIT.box_to_px(values, SIZE)
    assert caught.value.code == code
    assert caught.value.cure


@pytest.mark.parametrize(
    ("space", "values", "inside"),
    [
        (PERCENT, (100.0, 0.0), True),
        (PERCENT, (100.1, 0.0), False),
        (PERCENT, (-0.1, 0.0), False),
        (PIXELS, (640, 480), True),
        (PIXELS, (480, 640), False),
        (BINS_1000, (999, 999), True),
        (BINS_1000, (1000, 0), False),
        (UP_TO_1000_YX, (1000, 1000, 1000, 1000), True),
        (UP_TO_1000_YX, (1000, math.nan, 0, 0), False),
        (RESIZED, (644, 476), True),
        (RESIZED, (476, 644), False),
    ],
)
def test_range(space: Space, values: tuple[float, ...], inside: bool) -> None:
    assert space.in_range(values, SIZE) is inside


def test_a_space_of_a_resized_input_needs_its_size() -> None:
    with pytest.raises(ValueError, match="input_size"):
        Space("broken", Frame.INPUT)
    with pytest.raises(ValueError, match="input_size"):
        Space("broken", Frame.PICTURE, input_size=SIZE)


# Cells: 32 × 32 over a picture of 640 × 320, so a cell is 20 × 10 pixels.

WIDE = Size(width=640, height=320)


@pytest.mark.parametrize(
    ("cells", "box"),
    [
        ((0, 33), (10, 5, 30, 15)),  # two rows, two columns: middles
        ((0, 0), (0, 0, 20, 10)),  # one cell: the whole cell
        ((0, 3), (0, 0, 80, 10)),  # one row: whole cells
        ((1, 65), (20, 0, 40, 30)),  # one column: whole cells
        ((0, 1023), (10, 5, 630, 315)),
    ],
)
def test_cells_are_read_as_middles_or_whole(cells: tuple[int, int], box: tuple[float, ...]) -> None:
    assert CELLS_32.box_to_px(cells, WIDE).xyxy_px == pytest.approx(box)


@pytest.mark.parametrize(
    ("box", "cells"),
    [
        ((0, 0, 20, 10), (0, 0)),
        ((0, 0, 640, 320), (0, 1023)),
        ((0, 0, 20.1, 10), (0, 1)),
        ((640, 320, 640, 320), (1023, 1023)),
        ((20, 10, 20, 10), (33, 33)),
    ],
)
def test_cells_are_written(box: tuple[float, ...], cells: tuple[int, int]) -> None:
    assert CELLS_32.box_from_px(Box.of(box), WIDE) == cells


@given(first=st.integers(0, 1023), second=st.integers(0, 1023), size=sizes)
def test_cells_come_back_as_themselves(first: int, second: int, size: Size) -> None:
    low = min(first // 32, second // 32) * 32 + min(first % 32, second % 32)
    high = max(first // 32, second // 32) * 32 + max(first % 32, second % 32)
    middle = CELLS_32.point_from_px(CELLS_32.point_to_px(low, size), size)
    assert middle == low
    box = CELLS_32.box_to_px((low, high), size)
    if low % 32 != high % 32 and low // 32 != high // 32:  # edges of whole cells lie on the lines between
        assert CELLS_32.box_from_px(box, size) == (low, high)


@given(picture=pictures_with_boxes())
def test_cells_move_a_corner_by_one_cell_at_most(picture: tuple[Size, Box]) -> None:
    size, box = picture
    back = CELLS_32.box_to_px(CELLS_32.box_from_px(box, size), size)
    wide, high = CELLS_32.rounding_px(size)
    for value, old, tolerance in zip(back.xyxy_px, box.xyxy_px, (wide, high, wide, high), strict=True):
        assert abs(value - old) <= tolerance * (1 + 1e-9)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ((0, 1024), "space.values.invalid"),
        ((-1, 5), "space.values.invalid"),
        ((0.5, 5), "space.values.invalid"),
        ((1,), "space.values.invalid"),
        ((33, 0), "space.corners.swapped"),
    ],
)
def test_what_is_no_pair_of_cells_is_refused(cells: tuple[int, ...], code: str) -> None:
    with pytest.raises(InputFault) as caught:
        CELLS_32.box_to_px(cells, WIDE)
    assert caught.value.code == code
