"""How loud a sound is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SILENCE_DBFS = -60.0
"""Below it nothing is listened for: the self-noise of ordinary microphones lies about there."""
LEVEL_WINDOW_S = 0.1
NOTHING_DBFS = -120.0


def loudest_dbfs(samples: NDArray[np.float32], rate_hz: int) -> float:
    """Returns the RMS level of the loudest tenth of a second, dB relative to full scale, at least -120.

    The mean is taken off first: a constant offset is no sound.
    """
    if not len(samples):
        return NOTHING_DBFS
    length = max(1, round(LEVEL_WINDOW_S * rate_hz))
    mean = float(samples.mean(dtype=np.float64))
    loudest = 0.0
    for start in range(0, len(samples), 100 * length):
        part = samples[start : start + 100 * length].astype(np.float64) - mean
        power = np.add.reduceat(part**2, np.arange(0, len(part), length))
        counts = np.diff(np.append(np.arange(0, len(part), length), len(part)))
        # A short rest at the end would be a window of its own: it counts as a part of a whole one.
        loudest = max(loudest, float((power / np.maximum(counts, min(length, len(samples)))).max()))
    return max(NOTHING_DBFS, 10 * float(np.log10(loudest + 1e-12)))
