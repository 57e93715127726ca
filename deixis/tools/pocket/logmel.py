"""The log-mel picture that the ear looks at: 16 kHz, 64 bands, frames of 25 ms every 10 ms, in numpy.

Bands are triangles on the mel scale 1127 ln(1 + f / 700) from 50 Hz to 7.6 kHz; values are
``(ln(power + 1e-6) + 4) / 4``: about -2.5 for digital silence, 0 to 2 for ordinary sounds.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE_HZ = 16_000
BANDS, FFT, WINDOW, HOP = 64, 512, 400, 160
FRAMES_PER_S = RATE_HZ // HOP
LOWEST_HZ, HIGHEST_HZ = 50.0, 7600.0
FLOOR, SHIFT, SCALE = 1e-6, 4.0, 4.0


@cache
def mel_bands() -> NDArray[np.float32]:
    """Returns the triangular filters, shape (64, 257); each has at least one bin."""

    def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        scaled: NDArray[np.float64] = 1127.0 * np.log1p(hertz / 700.0)
        return scaled

    ends = mel(np.array([LOWEST_HZ, HIGHEST_HZ]))
    corners = np.linspace(ends[0], ends[1], BANDS + 2)
    low, centre, high = (corners[i : i + BANDS, None] for i in range(3))
    bins = mel(np.arange(FFT // 2 + 1, dtype=np.float64) * (RATE_HZ / FFT))[None, :]
    bands = np.maximum(0.0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    # The lowest triangles are narrower than a bin of the spectrum: such a one takes the nearest bin.
    empty = bands.sum(axis=1) < 0.5
    bands[empty, np.abs(bins - centre).argmin(axis=1)[empty]] = 1.0
    filters: NDArray[np.float32] = bands.astype(np.float32)
    return filters


@cache
def _window() -> NDArray[np.float32]:
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the picture of `samples` (n,), shape (n // 160, 64) float32.

    Frame i is centred on sample ``160 i + 80``; there is silence before and after the sound.
    """
    frames = len(samples) // HOP
    if frames == 0:
        return np.zeros((0, BANDS), np.float32)
    before = (WINDOW - HOP) // 2
    padded = np.pad(np.asarray(samples, np.float32), (before, WINDOW))
    cut = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:frames]
    spectrum = np.fft.rfft(cut * _window(), FFT, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    scaled: NDArray[np.float32] = (
        np.log(power.astype(np.float32) @ mel_bands().T + np.float32(FLOOR)) + np.float32(SHIFT)
    ) / np.float32(SCALE)
    return scaled


def mixed(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns about the picture of both sounds at once: their powers are added."""
    joined = np.logaddexp(one * SCALE - SHIFT, other * SCALE - SHIFT)
    scaled: NDArray[np.float32] = ((joined + SHIFT) / SCALE).astype(np.float32)
    return scaled


def louder(picture: NDArray[np.float32], gain_db: float) -> NDArray[np.float32]:
    """Returns about the picture of the sound `gain_db` louder."""
    power = np.maximum(np.exp(picture * SCALE - SHIFT) - FLOOR, 0) * 10 ** (gain_db / 10)
    scaled: NDArray[np.float32] = ((np.log(power + FLOOR) + SHIFT) / SCALE).astype(np.float32)
    return scaled
