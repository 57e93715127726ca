"""Noise behind the events: white, pink, brown, hum, wind, a murmur of many voices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds import signal as dsp

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Sound

BACKGROUNDS = ("white", "pink", "brown", "hum", "wind", "murmur")
LIKELY = (0.15, 0.3, 0.25, 0.1, 0.1, 0.1)


def background(rng: np.random.Generator, count: int, kind: str | None = None) -> Sound:
    """Returns noise (n,) of a random or given one of `BACKGROUNDS`, of root mean square 1.

    A murmur has the formants and the rhythm of voices, and no syllables: it is nobody's speech.
    """
    kind = str(rng.choice(BACKGROUNDS, p=LIKELY)) if kind is None else kind
    if kind == "white":
        sound = dsp.noise(rng, count)
    elif kind in ("pink", "brown"):
        slope = rng.uniform(2.5, 4.0) if kind == "pink" else rng.uniform(5.0, 7.0)
        sound = dsp.slope_noise(rng, count, slope, rng.uniform(30, 120))
    elif kind == "hum":
        mains = np.full(count, rng.choice([50.0, 60.0]) * rng.uniform(0.995, 1.005), np.float32)
        sound = dsp.harmonic(rng, mains, rng.uniform(0.8, 1.6), spread=1.0)
        sound = sound + np.float32(rng.uniform(0.1, 0.5)) * dsp.slope_noise(rng, count, 3, 50)
    elif kind == "wind":
        low = dsp.slope_noise(rng, count, rng.uniform(6, 8), rng.uniform(80, 250))
        sound = low * np.exp(np.float32(0.5) * dsp.wander(rng, count, 2))
    else:
        sound = _murmur(rng, count)
    sound = sound - sound.mean()
    return np.asarray(sound / np.sqrt(np.mean(sound**2) + 1e-12), np.float32)


def _murmur(rng: np.random.Generator, count: int) -> Sound:
    size = dsp.good_length(count)
    total = np.zeros(count, np.float32)
    for _ in range(4):
        centres = (rng.uniform(350, 750), rng.uniform(900, 2000), rng.uniform(2300, 3200))
        mouth = dsp.resonances(size, centres, (150, 250, 400), (1.0, 0.5, 0.2)) * dsp.band(size, 120, 3500, 1)
        total += dsp.noise(rng, count, mouth) * np.exp(np.float32(0.4) * dsp.wander(rng, count, 5.0))
    return total


def scaled_to(sound: Sound, power: float, snr_db: float) -> Sound:
    """Returns the noise so loud that a signal of this mean power is `snr_db` above it."""
    own = float(np.mean(sound.astype(np.float64) ** 2))
    return sound * np.float32(np.sqrt(power / (own + 1e-20)) * 10 ** (-snr_db / 20))
