"""Masks at drawing size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.agent.render.masks import contour, filled_box, reach, resized
from deixis.geometry import Box, Mask


def block(height: int, width: int, rows: slice, columns: slice) -> np.ndarray:
    pixels = np.zeros((height, width), bool)
    pixels[rows, columns] = True
    return pixels


def test_a_mask_at_its_own_size_is_itself() -> None:
    pixels = block(30, 40, np.s_[3:9], np.s_[5:30])
    assert (resized(Mask.from_array(pixels), (40, 30)) == pixels).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 120), st.integers(1, 120))
def test_full_masks_stay_full_and_empty_ones_empty(height, width, new_width, new_height) -> None:
    for value in (True, False):
        mask = Mask.from_array(np.full((height, width), value))
        out = resized(mask, (new_width, new_height))
        assert out.shape == (new_height, new_width) and (out == value).all()


def test_enlarged_and_shrunk_masks_keep_their_share() -> None:
    mask = Mask.from_array(block(100, 100, np.s_[20:60], np.s_[10:70]))
    for size in ((300, 300), (50, 50), (20, 20), (10, 10)):
        assert resized(mask, size).mean() == pytest.approx(0.24, abs=0.01)


@pytest.mark.parametrize("width", [2, 3, 6])
def test_the_contour_lies_on_the_edge_and_nowhere_else(width) -> None:
    pixels = block(120, 160, np.s_[40:90], np.s_[30:120])
    cover = contour(pixels, width)
    assert cover.shape == pixels.shape and cover.min() == 0 and cover.max() > 0.9
    assert cover[65, 29:31].max() > 0.8
    assert cover[65, 75] == 0 and cover[10, 10] == 0
    near = block(
        120, 160, np.s_[40 - reach(width) : 90 + reach(width)], np.s_[30 - reach(width) : 120 + reach(width)]
    )
    assert not cover[~near].any()


def test_a_mask_at_the_frame_is_closed_there() -> None:
    cover = contour(np.ones((50, 60), bool), 2)
    assert cover[0].min() > 0.5 and cover[:, -1].min() > 0.5 and cover[25, 30] == 0


@pytest.mark.parametrize("box", [(0, 0, 0, 0), (-5, -5, 900, 900), (9.6, 4.7, 9.9, 4.9), (30, 30, 40, 40)])
def test_a_box_always_covers_a_pixel(box) -> None:
    pixels = filled_box(Box.of(box), (20, 10))
    assert pixels.shape == (10, 20) and pixels.any()


def test_a_box_covers_its_pixels() -> None:
    assert (filled_box(Box.of((2, 3, 6, 8)), (20, 10)) == block(10, 20, np.s_[3:8], np.s_[2:6])).all()
