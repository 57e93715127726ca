"""Colours: readable, apart from one another, stable."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from deixis.agent.render.palette import COLOURS, INK, PAPER, colour, contrast, luminance, rgb

# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB.
DEUTERANOPIA = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.011820, 0.042940, 0.968881],
]
PROTANOPIA = [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
]


def oklab(linear: np.ndarray) -> np.ndarray:
    """B. Ottosson 2020."""
    lms = np.array(
        [
            [0.4122215, 0.5363325, 0.0514460],
            [0.2119035, 0.6806995, 0.1073970],
            [0.0883025, 0.2817188, 0.6299787],
        ]
    )
    lab = np.array(
        [
            [0.2104543, 0.7936178, -0.0040720],
            [1.9779985, -2.4285922, 0.4505937],
            [0.0259040, 0.7827718, -0.8086758],
        ]
    )
    return lab @ np.cbrt(lms @ linear)


def linear(code: str) -> np.ndarray:
    values = np.array(rgb(code)) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def nearest(view: np.ndarray) -> float:
    seen = [oklab(np.clip(view @ linear(shade.fill), 0, 1)) for shade in COLOURS]
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the well-known near miss
    assert luminance("#808080") == pytest.approx(0.2159, abs=1e-4)


@pytest.mark.parametrize("shade", COLOURS, ids=lambda shade: shade.name)
def test_text_on_every_colour_is_readable(shade) -> None:
    assert contrast(PAPER, shade.line) >= 4.5
    assert contrast(INK, shade.fill) >= 4.5
    assert luminance(shade.line) < luminance(shade.fill) / 2


def test_fills_are_told_apart_with_and_without_colour_blindness() -> None:
    assert len(COLOURS) >= 12
    assert nearest(np.eye(3)) > 0.11
    assert nearest(np.array(DEUTERANOPIA)) > 0.075
    assert nearest(np.array(PROTANOPIA)) > 0.075


def test_a_number_has_one_colour_and_pairs_stay_unique() -> None:
    pairs = [(colour(number), number) for number in range(1, 31)]
    assert len(set(pairs)) == 30
    assert len({shade for shade, _ in pairs[: len(COLOURS)]}) == len(COLOURS)
    assert colour(1) == colour(1 + len(COLOURS)) and colour(3) is colour(3)


def test_numbers_begin_at_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        colour(0)
