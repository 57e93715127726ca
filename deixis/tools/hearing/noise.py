"""Whether a stretch of sound is noise and nothing else: steady, without structure, plain in colour.

The networks hear a waterfall in pink noise, and rightly so; but somebody who hands in noise has not
recorded one. Gaussian noise can be told by its statistics: the level of a band wavers by as much as
chance alone makes it waver, no more (that would be a sound that comes and goes) and no less (a tone);
and the spectrum of white, pink or brown noise is a power of the frequency. A real waterfall has the
first, but bumps in its spectrum.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from deixis.tools.hearing.activity import BAND_COUNT, BAND_STEP_S, band_levels
from deixis.tools.hearing.mel import FLOOR, HIGHEST_HZ, RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_FRAMES = 25
"""Half a second: fewer frames tell nothing about chance."""
LEAST_BANDS = 8
WAVER = (0.75, 1.3)
"""Limits of the bands' standard deviation over time, as a share of that of white noise: of the median
band and of three bands in four. Made noises of four colours: .9 to 1.2; recordings of trains, engines,
rooms: 1.1 to 10."""
BUMPS = 0.05
"""Largest root mean square distance of the band levels from a power of the frequency: 1 dB. Made
noises: .004 to .03; recordings: .06 to .5."""


def is_plain_noise(bands: NDArray[np.float32], start_s: float, end_s: float) -> bool:
    """Returns whether the stretch is white, pink, brown or otherwise coloured noise and nothing else.

    `bands` are log energies, shape (m, 32), every 20 ms, as `activity` gives them.
    """
    part = bands[round(start_s / BAND_STEP_S) : round(end_s / BAND_STEP_S)]
    if len(part) < LEAST_FRAMES:
        return False
    white_level, white_waver = _white()
    level = part.mean(axis=0)
    heard = np.flatnonzero(level > (np.log(FLOOR) + 4.5) / 5 + 0.2)[1:-1]
    if len(heard) < LEAST_BANDS:
        return False
    waver = part.std(axis=0)[heard] / white_waver[heard]
    low, high = WAVER
    if not low <= float(np.median(waver)) or float(np.quantile(waver, 0.75)) > high:
        return False
    colour = level[heard] - white_level[heard]
    pitch = np.log(_centres()[heard])
    bumps = colour - np.polyval(np.polyfit(pitch, colour, 1), pitch)
    return bool(np.sqrt(np.mean(bumps**2)) <= BUMPS)


@cache
def _white() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns mean and standard deviation over time of each band for white noise, made from a fixed seed."""
    samples = (0.1 * np.random.default_rng(0).standard_normal(10 * RATE_HZ)).astype(np.float32)
    levels = band_levels(samples, 1.0)
    return levels.mean(axis=0), levels.std(axis=0)


def _centres() -> NDArray[np.float64]:
    """Returns the middle of each band in hertz: the bands are equally wide in mel."""
    mel = (np.arange(BAND_COUNT) + 0.5) / BAND_COUNT * 1127.0 * np.log1p(HIGHEST_HZ / 700.0)
    hertz: NDArray[np.float64] = 700.0 * np.expm1(mel / 1127.0)
    return hertz
