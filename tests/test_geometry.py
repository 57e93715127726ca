"""Boxes, masks, time spans, tubes, and the two functions on many boxes."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import ValidationError

from deixis.geometry import (
    Box,
    Mask,
    Size,
    TimeSpan,
    Tube,
    TubeBox,
    iou_matrix,
    non_maximum_suppression,
)

coordinate = st.floats(-1000, 1000)
sizes = st.builds(Size, width=st.integers(1, 2000), height=st.integers(1, 2000))


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x1, x2 = sorted((draw(coordinate), draw(coordinate)))
    y1, y2 = sorted((draw(coordinate), draw(coordinate)))
    return Box(x1=x1, y1=y1, x2=x2, y2=y2)


def box(*values: float) -> Box:
    return Box.of(values)


@pytest.mark.parametrize(
    ("first", "second", "shared", "iou"),
    [
        ((0, 0, 2, 2), (1, 1, 3, 3), 1, 1 / 7),
        ((0, 0, 2, 2), (0, 0, 2, 2), 4, 1),
        ((0, 0, 2, 2), (2, 0, 4, 2), 0, 0),  # they touch
        ((0, 0, 2, 2), (5, 5, 6, 6), 0, 0),
        ((0, 0, 4, 4), (1, 1, 2, 2), 1, 1 / 16),
        ((1, 1, 1, 5), (0, 0, 9, 9), 0, 0),  # no width
        ((1, 1, 1, 1), (1, 1, 1, 1), 0, 0),  # two points
        ((-2, -2, 0, 0), (-1, -1, 1, 1), 1, 1 / 7),
    ],
)
def test_known_overlaps(
    first: tuple[float, ...], second: tuple[float, ...], shared: float, iou: float
) -> None:
    assert box(*first).intersection(box(*second)) == pytest.approx(shared)
    assert box(*first).iou(box(*second)) == pytest.approx(iou)


@given(boxes(), boxes())
def test_overlap_is_symmetric_and_bounded(first: Box, second: Box) -> None:
    assert first.iou(second) == second.iou(first)
    assert 0 <= first.iou(second) <= 1 + 1e-9
    assert first.intersection(second) <= min(first.area, second.area) * (1 + 1e-9)


@given(boxes())
def test_a_box_covers_itself_and_comes_back_from_its_forms(one: Box) -> None:
    if one.area > 0:
        assert one.iou(one) == one.coverage(one) == 1
    x, y, width, height = one.xywh_px
    assert (x, y, x + width, y + height) == pytest.approx(one.xyxy_px)
    assert one.contains(*one.center)
    assert Box.model_validate_json(one.model_dump_json()) == one


@given(boxes(), sizes)
def test_clipping_stays_inside_and_is_done_after_once(one: Box, size: Size) -> None:
    inside = one.clip(size)
    assert 0 <= inside.x1 <= inside.x2 <= size.width
    assert 0 <= inside.y1 <= inside.y2 <= size.height
    assert inside.clip(size) == inside
    whole = box(0, 0, size.width, size.height)
    assert inside.area == pytest.approx(one.intersection(whole), abs=1e-6)


@given(boxes(), st.floats(0, 2), sizes)
def test_padding_grows_on_each_side_by_its_share(one: Box, share: float, size: Size) -> None:
    grown = one.pad(share)
    assert grown.width == pytest.approx(one.width * (1 + 2 * share), abs=1e-6)
    assert grown.center == pytest.approx(one.center, abs=1e-6)
    assert one.pad(share, size) == grown.clip(size)


@given(boxes(), st.floats(0.01, 50), st.floats(0.01, 50))
def test_scaling_there_and_back(one: Box, by_x: float, by_y: float) -> None:
    back = one.scale(by_x, by_y).scale(1 / by_x, 1 / by_y)
    assert back.xyxy_px == pytest.approx(one.xyxy_px, rel=1e-9, abs=1e-9)


def test_unit_fractions() -> None:
    assert box(64, 120, 320, 480).unit(Size(width=640, height=480)) == (0.1, 0.25, 0.5, 1.0)


@pytest.mark.parametrize(
    "values",
    [(2, 0, 1, 1), (0, 2, 1, 1), (float("nan"), 0, 1, 1), (0, 0, float("inf"), 1)],
)
def test_what_is_no_box_is_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(ValueError):
        Box.of(values)


@pytest.mark.parametrize("values", [(1, 2, 3), (1, 2, 3, 4, 5)])
def test_a_box_has_four_numbers(values: tuple[float, ...]) -> None:
    with pytest.raises(ValueError):
        Box.of(values)


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (-1, 5)])
def test_a_picture_has_pixels(width: int, height: int) -> None:
    with pytest.raises(ValidationError):
        Size(width=width, height=height)


def test_values_are_frozen_and_know_no_other_fields() -> None:
    with pytest.raises(ValidationError):
        box(0, 0, 1, 1).x1 = 5  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Box.model_validate({"x1": 0, "y1": 0, "x2": 1, "y2": 1, "unit": "px"})


# Masks

pixel_maps = arrays.arrays(
    np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 24)), elements=st.booleans()
)


@given(pixel_maps)
def test_masks_come_back_pixel_for_pixel(pixels: np.ndarray) -> None:
    mask = Mask.from_array(pixels)
    assert np.array_equal(mask.to_array(), pixels)
    assert mask.size_hw == pixels.shape
    assert mask.area == pixels.sum()
    assert Mask.model_validate_json(mask.model_dump_json()) == mask


@given(pixel_maps)
def test_the_box_of_a_mask_is_tight(pixels: np.ndarray) -> None:
    found = Mask.from_array(pixels).box
    rows, columns = np.nonzero(pixels)
    if not rows.size:
        assert found.area == 0
        return
    assert found.xyxy_px == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


@given(pixel_maps, st.integers(0, 99))
def test_iou_of_masks_is_that_of_their_pixels(pixels: np.ndarray, seed: int) -> None:
    other = np.random.default_rng(seed).random(pixels.shape) < 0.5
    union = (pixels | other).sum()
    expected = (pixels & other).sum() / union if union else 0.0
    assert Mask.from_array(pixels).iou(Mask.from_array(other)) == pytest.approx(expected)


def test_a_mask_has_two_axes() -> None:
    with pytest.raises(ValueError, match="shape"):
        Mask.from_array(np.zeros((2, 3, 4), bool))


def test_a_mask_is_what_coco_tools_read() -> None:
    from pycocotools import mask as rle

    pixels = np.zeros((3, 5), bool)
    pixels[1, 2:4] = True
    assert rle.area(Mask.from_array(pixels).as_coco()) == 2


# Time


@pytest.mark.parametrize(
    ("first", "second", "iou"),
    [
        ((0, 2), (1, 3), 1 / 3),
        ((0, 2), (2, 4), 0),
        ((0, 4), (1, 2), 1 / 4),
        ((1, 1), (1, 1), 0),
        ((0, 1), (5, 6), 0),
    ],
)
def test_overlap_in_time(first: tuple[float, float], second: tuple[float, float], iou: float) -> None:
    one, other = (TimeSpan(start_s=start, end_s=end) for start, end in (first, second))
    assert one.iou(other) == other.iou(one) == pytest.approx(iou)


@pytest.mark.parametrize(("start", "end"), [(2, 1), (-1, 1), (float("nan"), 1), (0, float("inf"))])
def test_what_is_no_time_span_is_refused(start: float, end: float) -> None:
    with pytest.raises(ValidationError):
        TimeSpan(start_s=start, end_s=end)


def test_fractions_of_a_medium() -> None:
    assert TimeSpan(start_s=1.6, end_s=3.6).fractions(10) == (0.16, 0.36)


def test_a_tube_is_ordered_by_time_and_knows_its_span() -> None:
    one, other = (TubeBox(time_s=time, box=box(0, 0, 1, 1)) for time in (1.0, 2.5))
    assert Tube(boxes=(one, other)).span == TimeSpan(start_s=1.0, end_s=2.5)
    with pytest.raises(ValidationError, match="ordered"):
        Tube(boxes=(other, one))
    with pytest.raises(ValidationError):
        Tube(boxes=())


# Many boxes


@given(st.lists(boxes(), max_size=6), st.lists(boxes(), max_size=6))
def test_the_matrix_holds_the_iou_of_each_pair(rows: list[Box], columns: list[Box]) -> None:
    def table(given_: list[Box]) -> np.ndarray:
        return np.array([one.xyxy_px for one in given_], float).reshape(-1, 4)

    matrix = iou_matrix(table(rows), table(columns))
    assert matrix.shape == (len(rows), len(columns))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            assert matrix[i, j] == pytest.approx(row.iou(column), abs=1e-9)


def test_suppression_keeps_the_best_of_those_that_overlap() -> None:
    rows = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30], [0, 0, 10, 10.5]], float)
    assert non_maximum_suppression(rows, np.array([0.6, 0.9, 0.3, 0.5])) == [1, 2]
    assert non_maximum_suppression(rows, np.array([0.6, 0.9, 0.3, 0.5]), iou=0.999) == [1, 0, 3, 2]
    assert non_maximum_suppression(np.zeros((0, 4)), np.zeros(0)) == []


def test_equal_scores_keep_the_first() -> None:
    rows = np.array([[0, 0, 10, 10], [0, 0, 10, 10]], float)
    assert non_maximum_suppression(rows, np.array([0.5, 0.5])) == [0]


@given(st.lists(st.tuples(boxes(), st.floats(0, 1)), min_size=1, max_size=12), st.floats(0.05, 0.95))
def test_suppression_leaves_no_pair_and_drops_none_without_reason(
    scored: list[tuple[Box, float]], limit: float
) -> None:
    rows = np.array([one.xyxy_px for one, _ in scored], float)
    scores = np.array([score for _, score in scored])
    kept = non_maximum_suppression(rows, scores, limit)
    assert list(scores[kept]) == sorted(scores[kept], reverse=True)
    for most in (0, 1, len(kept), len(kept) + 1):
        assert non_maximum_suppression(rows, scores, limit, most) == kept[:most]
    matrix = iou_matrix(rows, rows)
    for i, row in enumerate(kept):
        assert all(matrix[row, other] <= limit for other in kept[i + 1 :])
    for dropped in set(range(len(scored))) - set(kept):
        assert any(matrix[dropped, row] > limit and scores[row] >= scores[dropped] for row in kept)


def test_many_pairs_take_little_more_memory_than_their_result() -> None:
    low = np.random.default_rng(0).uniform(0, 400, (6000, 2))
    many = np.concatenate([low, low + 30], axis=1)
    tracemalloc.start()
    try:
        matrix = iou_matrix(many, many[:400])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.all(np.diag(matrix[:400]) == 1)
    assert peak < matrix.nbytes + 8_000_000
