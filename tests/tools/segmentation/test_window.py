"""Masks of windows in whole pictures, and the clean-up of holes and islands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.geometry import Box, Mask, Size
from deixis.tools.segmentation.tidy import part_at, tidied
from deixis.tools.segmentation.window import (
    Window,
    covered,
    enlarged,
    filled,
    placed,
    window_around,
)


@st.composite
def windows(draw):
    width, height = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    x1, y1 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    x2, y2 = draw(st.integers(x1 + 1, width)), draw(st.integers(y1 + 1, height))
    count = (x2 - x1) * (y2 - y1)
    pixels = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=bool)
    return Size(width=width, height=height), Window(x1, y1, x2, y2), pixels.reshape(y2 - y1, x2 - x1)


@given(windows())
def test_a_placed_window_is_the_mask_of_the_whole_picture(drawn):
    size, window, pixels = drawn
    whole = np.zeros((size.height, size.width), dtype=bool)
    whole[window.y1 : window.y2, window.x1 : window.x2] = pixels
    assert placed(pixels, window, size) == Mask.from_array(whole)


def test_a_window_in_a_huge_picture_takes_no_memory_of_its_size():
    size = Size(width=60_000, height=60_000)
    mask = placed(np.ones((2, 3), dtype=bool), Window(59_997, 59_998, 60_000, 60_000), size)
    assert mask.area == 6
    assert mask.box == Box(x1=59_997, y1=59_998, x2=60_000, y2=60_000)


@pytest.mark.parametrize(
    ("box", "area", "tight"),
    [
        ((1, 2, 4, 6), 12, (1, 2, 4, 6)),
        ((1.4, 2.4, 3.6, 5.6), 12, (1, 2, 4, 6)),
        ((1.6, 2.6, 3.4, 5.4), 2, (2, 3, 3, 5)),
        ((-5, -5, 100, 100), 100, (0, 0, 10, 10)),
        ((3.1, 3.1, 3.2, 3.2), 1, (3, 3, 4, 4)),
        ((5, 0, 5, 10), 10, (5, 0, 6, 10)),
        ((9.9, 9.9, 30, 30), 1, (9, 9, 10, 10)),
        ((10, 0, 20, 10), 0, None),
        ((-3, -3, 0, 0), 0, None),
    ],
)
def test_a_filled_box_covers_the_pixels_whose_centres_it_holds(box, area, tight):
    mask = filled(Box.of(box), Size(width=10, height=10))
    assert mask.size_hw == (10, 10)
    assert mask.area == area
    assert tight is None or mask.box == Box.of(tight)


coordinates = st.floats(-20, 30, allow_nan=False)


@given(coordinates, coordinates, coordinates, coordinates)
def test_what_is_covered_lies_in_the_picture(a, b, c, d):
    box = Box(x1=min(a, b), x2=max(a, b), y1=min(c, d), y2=max(c, d))
    size = Size(width=10, height=8)
    window = covered(box, size)
    assert 0 <= window.x1 <= window.x2 <= 10
    assert 0 <= window.y1 <= window.y2 <= 8
    if box.intersection(Box(x1=0, y1=0, x2=10, y2=8)) > 0:
        assert window.width and window.height


def test_the_window_is_the_box_and_a_margin_inside_the_picture():
    size = Size(width=100, height=100)
    assert window_around(Box.of((20, 40, 40, 50)), size, 0.2) == Window(16, 38, 44, 52)
    assert window_around(Box.of((0, 90, 10, 100)), size, 0.2) == Window(0, 88, 12, 100)
    assert window_around(Box.of((200, 0, 300, 10)), size, 0.2) is None
    assert Window(16, 38, 44, 52).unit(Box.of((16, 38, 30, 52))) == (0.0, 0.0, 0.5, 1.0)


def test_chances_are_scaled_to_the_window_and_cut_to_the_box():
    chances = np.zeros((4, 4), dtype=np.float32)
    chances[:, 2:] = 1
    window = Window(10, 10, 18, 18)
    whole = enlarged(chances, window, Box.of((0, 0, 100, 100)))
    assert whole.shape == (8, 8)
    assert whole[:, 4:].all() and not whole[:, :4].any()
    cut = enlarged(chances, window, Box.of((0, 12, 16, 100)))
    assert cut[2:, 4:6].all() and cut.sum() == 12


def ring(hole_px: int) -> np.ndarray:
    """A mask with one hole of so many pixels: rows of 20, and what is left over."""
    pixels = np.ones((40, 40), dtype=bool)
    rows, rest = divmod(hole_px, 20)
    pixels[5 : 5 + rows, 5:25] = False
    pixels[5 + rows, 5 : 5 + rest] = False
    return pixels


@pytest.mark.parametrize(("hole_px", "stays"), [(399, False), (400, True), (401, True)])
def test_holes_of_fewer_than_400_pixels_are_filled(hole_px, stays):
    done = tidied(ring(hole_px), fill_holes_px=400)
    assert int((~done).sum()) == (hole_px if stays else 0)


def test_a_bay_is_no_hole_and_nothing_is_filled_when_not_asked():
    bay = np.ones((30, 30), dtype=bool)
    bay[0:5, 10:12] = False
    assert np.array_equal(tidied(bay, fill_holes_px=400), bay)
    assert np.array_equal(tidied(ring(10)), ring(10))


def test_small_islands_go_when_asked_and_the_largest_always_stays():
    pixels = np.zeros((30, 30), dtype=bool)
    pixels[2:6, 2:6] = True
    pixels[6, 6] = True  # touches by a corner: part of the same island
    pixels[20:22, 20:22] = True
    assert np.array_equal(tidied(pixels), pixels)
    done = tidied(pixels, drop_islands_px=5)
    assert done[2:6, 2:6].all() and done[6, 6] and not done[20:22, 20:22].any()
    assert tidied(pixels, drop_islands_px=10_000).sum() == 17
    assert not tidied(np.zeros((5, 5), dtype=bool), 400, 10).any()


def test_the_part_at_a_point():
    pixels = np.zeros((6, 6), dtype=bool)
    pixels[1, 1:3] = pixels[4, 4] = True
    assert part_at(pixels, 0, 0) is None
    part = part_at(pixels, 2, 1)
    assert part is not None and part.sum() == 2 and part[1, 1]


@given(windows(), st.integers(0, 20), st.integers(0, 20))
def test_tidying_fills_and_drops_and_is_settled(drawn, holes, islands):
    pixels = drawn[2]
    done = tidied(pixels, holes, 0)
    assert np.all(done[pixels])
    assert np.array_equal(tidied(done, holes, 0), done)
    dropped = tidied(pixels, 0, islands)
    assert np.all(pixels[dropped])
    assert bool(dropped.any()) == bool(pixels.any())
