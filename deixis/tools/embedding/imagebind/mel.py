"""The picture of a sound that ImageBind looks at: Kaldi's log-mel filterbank, in numpy.

128 bands from 20 Hz to 8 kHz, windows of 25 ms every 10 ms (Girdhar et al. 2023, section 4; Kaldi's
``compute-fbank-feats`` without dither): offset removed, pre-emphasis, Hann window, power of 512 points,
triangles in mel, logarithm.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE_HZ = 16_000
BANDS, FFT, WINDOW, HOP = 128, 512, 400, 160
LOWEST_HZ = 20.0
PRE_EMPHASIS = 0.97
FLOOR = float(np.finfo(np.float32).eps)
FRAMES = 204
"""Frames that the network is shown; two seconds have 198, the rest is zero."""
MEAN, STD = -4.268, 9.138
"""Of AudioSet, as the network was trained."""


@cache
def mel_bands() -> NDArray[np.float64]:
    """Returns the triangular filters, shape (128, 257); the bin at half the rate is left out, as in Kaldi."""

    def mel(hertz: NDArray[np.floating]) -> NDArray[np.float64]:
        scaled: NDArray[np.float64] = 1127.0 * np.log1p(hertz / 700.0)
        return scaled

    ends = mel(np.array([LOWEST_HZ, RATE_HZ / 2]))
    corners = np.linspace(ends[0], ends[1], BANDS + 2)
    low, centre, high = (corners[i : i + BANDS, None] for i in range(3))
    bins = mel(np.arange(FFT // 2) * (RATE_HZ / FFT))[None, :]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return np.pad(np.maximum(0.0, np.minimum(rising, falling)), ((0, 0), (0, 1)))


def filterbank(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the logarithms (frames, 128) of a sound (n,) at 16 kHz; no frame for less than 25 ms."""
    if len(samples) < WINDOW:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), WINDOW)[::HOP]
    frames = frames - frames.mean(1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    spectrum = np.fft.rfft((frames - PRE_EMPHASIS * before) * np.hanning(WINDOW), FFT, axis=1)
    energy = (spectrum.real**2 + spectrum.imag**2) @ mel_bands().T
    found: NDArray[np.float32] = np.log(np.maximum(energy, FLOOR)).astype(np.float32)
    return found


def sound_picture(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the normalised picture (1, 128, 204) of a sound of about two seconds at 16 kHz."""
    offset = samples.mean(dtype=np.float64) if len(samples) else 0.0
    found = filterbank((samples - offset).astype(np.float32))[:FRAMES]
    padded = np.pad(found, ((0, FRAMES - len(found)), (0, 0)))
    picture: NDArray[np.float32] = ((padded.T - MEAN) / STD).astype(np.float32)
    return picture[None]
