"""The log-mel picture that EfficientAT's networks look at, in numpy.

Front end of Schmid et al. 2023 (EfficientAT), without its training-time augmentation: 32 kHz,
pre-emphasis, power spectrum of 1024 points under a symmetric Hann window of 800 samples every 320,
128 Kaldi mel bands from 0 to 15 kHz, logarithm, fixed scaling.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE_HZ = 32_000
BANDS, FFT, WINDOW, HOP = 128, 1024, 800, 320
FRAMES_PER_S = RATE_HZ // HOP
HIGHEST_HZ = 15_000
PRE_EMPHASIS = 0.97
FLOOR = 1e-5


@cache
def mel_bands() -> NDArray[np.float32]:
    """Returns the triangular filters, shape (128, 513), as Kaldi makes them.

    Kaldi's mel scale is 1127 ln(1 + f / 700), its triangles are straight lines in mel (not in hertz)
    and are not normalised by area. The bin at half the rate is left out.
    """

    def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        scaled: NDArray[np.float64] = 1127.0 * np.log1p(hertz / 700.0)
        return scaled

    corners = np.linspace(0.0, mel(np.array(float(HIGHEST_HZ))), BANDS + 2)
    low, centre, high = (corners[i : i + BANDS, None] for i in range(3))
    bins = mel(np.arange(FFT // 2, dtype=np.float64) * (RATE_HZ / FFT))[None, :]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    bands = np.maximum(0.0, np.minimum(rising, falling))
    return np.pad(bands, ((0, 0), (0, 1))).astype(np.float32)


@cache
def _hann() -> NDArray[np.float32]:
    margin = (FFT - WINDOW) // 2
    return np.pad(np.hanning(WINDOW), (margin, FFT - WINDOW - margin)).astype(np.float32)


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the picture of `samples` (n,) at 32 kHz, shape (128, n // 320 + 1) or one frame less.

    Frame i is centred on sample ``320 i``; the ends are mirrored, as ``torch.stft`` does. Values are
    about -1.4 (digital silence) to 2. `samples` needs at least 514 samples.
    """
    emphasised = samples[1:] - np.float32(PRE_EMPHASIS) * samples[:-1]
    padded = np.pad(emphasised, FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP]
    spectrum = np.fft.rfft(frames * _hann(), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    scaled: NDArray[np.float32] = (np.log(mel_bands() @ power.T + np.float32(FLOOR)) + 4.5) / 5.0
    return scaled.astype(np.float32)
