"""Frogs and bees: croak, buzz."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds import signal as dsp

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Sound


def croak(rng: np.random.Generator) -> Sound:
    """Returns 2 to 6 croaks of a frog: a train of pulses of two resonances, rising within a call."""
    low, high = rng.uniform(450, 1100), rng.uniform(1500, 2800)
    rate, seconds, calls = rng.uniform(28, 75), rng.uniform(0.16, 0.5), []
    rise = rng.uniform(0.9, 1.5)
    for _ in range(int(rng.integers(2, 7))):
        count = dsp.length(seconds * rng.uniform(0.9, 1.1))
        size = dsp.filter_size(count)
        beat = dsp.harmonic(
            rng,
            dsp.glide(count, [rate, rate * rise]) * np.exp(0.03 * dsp.wander(rng, count, 40)),
            0.1,
            spread=0.05,
        )
        mouths = [
            dsp.resonances(
                size, (low * by, high * by), (low * 0.13, high * 0.1), (1.0, rng.uniform(0.3, 0.9))
            )
            for by in (1.0, rise)
        ]
        first, last = dsp.filtered(beat + np.float32(0.02) * dsp.noise(rng, count), *mouths)
        fade = dsp.line(count, [0, 1])
        calls.append(dsp.unit(first * (1 - fade) + last * fade) * dsp.hull(count, 0.03, 0.05))
    return dsp.joined(rng, calls, rng.uniform(0.08, 0.38) * rng.uniform(0.85, 1.1, 6))


def buzz(rng: np.random.Generator) -> Sound:
    """Returns a bee or fly that comes and goes: a buzz of 150 to 280 Hz, bent as it flies by."""
    count, base = dsp.length(rng.uniform(1.0, 2.6)), rng.uniform(180, 300)
    bend = 1 + np.float32(rng.uniform(0.02, 0.1)) * dsp.wander(rng, count, rng.uniform(1.5, 6))
    pitch = (
        np.float32(base) * bend * np.exp(np.float32(rng.uniform(0.015, 0.04)) * dsp.wander(rng, count, 60))
    )
    number = np.arange(1, 40)
    around = (number * base - rng.uniform(350, 1000)) / rng.uniform(430, 750)
    formant = np.exp(-(around**2) / 2) + rng.uniform(0.25, 0.9) * number ** -rng.uniform(0.6, 1.15)
    source = dsp.harmonic(rng, pitch, amplitudes=formant * rng.uniform(0.5, 1, len(number)), spread=1.0)
    near = np.exp(np.float32(rng.uniform(0.3, 0.85)) * dsp.wander(rng, count, rng.uniform(2.5, 6)))
    air = np.float32(rng.uniform(0.12, 0.32)) * dsp.slope_noise(rng, count, rng.uniform(2, 6), 300)
    flutter = 1 + np.float32(rng.uniform(0.05, 0.35)) * dsp.sine(dsp.phase_of(pitch) / 2)
    return (
        (source * flutter + air)
        * np.minimum(near, 3)
        * dsp.hull(count, rng.uniform(0.05, 0.4), rng.uniform(0.05, 0.4))
    )
