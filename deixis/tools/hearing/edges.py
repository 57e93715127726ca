"""Where in time a sound begins and ends, finer than the windows that recognised it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.tools.hearing.activity import BAND_STEP_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACH_S = 0.5
"""How far an edge may move: half a window."""
CONTEXT_S = 1.0
LEAST_RISE = 0.08
"""Least step of the contour, in units of `log_mel`: 0.08 is a factor e^0.4, 1.7 dB."""


def refined(bands: NDArray[np.float32], start_s: float, end_s: float) -> tuple[float, float]:
    """Returns start and end, seconds, moved to where the event's own spectrum sets in and stops.

    The event's bands are those that are louder in its middle than in the second before (for its
    start) or after it (for its end); their mean is a contour with a step at the edge. The step is
    where the sum of the contour above its half height is largest (Page's cumulative sum, 1954).
    Without a clear step the edge stays.
    """
    length = len(bands) * BAND_STEP_S
    middle = _span(bands, start_s + 0.1 * (end_s - start_s), end_s - 0.1 * (end_s - start_s))
    start = _edge(bands, middle, start_s, min(end_s, start_s + REACH_S))
    latest_s = min(length - start_s, length - end_s + REACH_S)
    mirrored = _edge(bands[::-1], middle[::-1], length - end_s, latest_s)
    end = length - mirrored
    return (start, end) if end - start >= 2 * BAND_STEP_S else (start_s, end_s)


def _span(bands: NDArray[np.float32], start_s: float, end_s: float) -> NDArray[np.float32]:
    first = min(max(0, round(start_s / BAND_STEP_S)), len(bands) - 1)
    return bands[first : max(first + 1, round(end_s / BAND_STEP_S))]


def _edge(bands: NDArray[np.float32], middle: NDArray[np.float32], at_s: float, latest_s: float) -> float:
    """Returns the moment in ``at_s - REACH_S .. latest_s`` at which the contour steps up, or `at_s`."""
    first = max(0, round((at_s - REACH_S - CONTEXT_S) / BAND_STEP_S))
    before = bands[first : max(0, round((at_s - 0.6 * REACH_S) / BAND_STEP_S))]
    # At the beginning of a clip there is no time before: its own quietest moments stand for it.
    ground = before.mean(axis=0) if len(before) >= 5 else np.quantile(bands, 0.1, axis=0)
    rise = np.maximum(middle.mean(axis=0) - ground, 0.0)
    if rise.max() < LEAST_RISE:
        return at_s
    weights = rise / rise.sum()
    first, last = max(0, round((at_s - REACH_S) / BAND_STEP_S)), round(latest_s / BAND_STEP_S)
    contour = bands[first : last + 1] @ weights
    low, high = float(ground @ weights), float(middle.mean(axis=0) @ weights)
    if high - low < LEAST_RISE or len(contour) < 3:
        return at_s
    above = np.clip(contour, low, high) - (low + high) / 2
    sums = np.cumsum(above[::-1])[::-1]
    return float((first + int(sums.argmax())) * BAND_STEP_S)
