"""The signal processing the families of sounds are built from: glides, sources, filters, grains, envelopes.

All sounds are mono float32 arrays at `RATE_HZ`; lengths are in samples where they are integers, in seconds
where their names end in `_s`. Filters work in the frequency domain, where numpy is fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sound = NDArray[Any]
    """float32 (n,): numpy's stubs widen float32 too readily to say so."""
    Spectrum = NDArray[Any]
    """complex64 (n,)."""
    Numbers = Sequence[float] | NDArray[Any]

RATE_HZ = 16_000
TABLE = 4096
COARSE = 2048
_SINE = np.sin(2 * np.pi * np.arange(TABLE) / TABLE).astype(np.float32)
HIGHEST_HZ = 7600.0
"""Harmonics above are left out: they would come back mirrored below the half of the rate."""


def length(seconds: float) -> int:
    """Returns a number of samples, at least 1."""
    return max(1, round(seconds * RATE_HZ))


def glide(count: int, values: Numbers, at: Numbers | None = None) -> Sound:
    """Returns `count` values (n,) that pass through positive `values` geometrically, as pitches do.

    `at` are their places in 0..1; evenly spaced where it is not given.
    """
    places = np.linspace(0, 1, len(values)) if at is None else np.asarray(at)
    coarse = np.linspace(0, 1, min(count, 256))
    logs = np.interp(coarse, places, np.log(np.asarray(values, np.float64)))
    return np.interp(np.linspace(0, 1, count), coarse, np.exp(logs)).astype(np.float32)


def wander(rng: np.random.Generator, count: int, rate_hz: float) -> Sound:
    """Returns a random slow curve (n,) of about unit deviation, `rate_hz` random values a second."""
    knots = rng.standard_normal(int(count * rate_hz / RATE_HZ) + 3)
    at = np.arange(count, dtype=np.float64) * (rate_hz / RATE_HZ) + rng.random()
    return np.interp(at, np.arange(len(knots)), knots).astype(np.float32)


def swing(rng: np.random.Generator, count: int, rate_hz: float) -> Sound:
    """Returns a sine (n,) of `rate_hz` with random phase: for vibrato and tremolo."""
    return sine(np.arange(count) * (rate_hz / RATE_HZ) + rng.random())


def sine(cycles: NDArray[Any]) -> Sound:
    """Returns the sine of phases in cycles."""
    return np.asarray(_SINE[(cycles * TABLE).astype(np.int64) & (TABLE - 1)])


def phase_of(pitch: Sound) -> NDArray[np.float64]:
    """Returns the phase in cycles (n,) of an oscillator of this pitch in Hz (n,)."""
    return np.cumsum(pitch, dtype=np.float64) / RATE_HZ


def harmonic(
    rng: np.random.Generator,
    pitch: Sound,
    tilt: float = 1.0,
    amplitudes: Numbers | None = None,
    spread: float = 0.6,
) -> Sound:
    """Returns a periodic sound (n,) of this pitch.

    Harmonic k has the strength k**-tilt, or `amplitudes[k - 1]`. `spread` bends their phases: 0 is a sharp
    pulse, 1 is none.
    """
    most = max(1, int(HIGHEST_HZ / float(pitch.max())))
    if amplitudes is None:
        number = np.arange(1, min(most, 160) + 1)
        strengths = number ** -float(tilt)
    else:
        strengths = np.asarray(amplitudes[:most], np.float64)
    spectrum = np.zeros(TABLE // 2 + 1, np.complex128)
    bends = np.exp(2j * np.pi * spread * rng.random(len(strengths)))
    spectrum[1 : len(strengths) + 1] = strengths * bends
    table = np.fft.irfft(spectrum).astype(np.float32)
    table /= np.abs(table).max() + 1e-9
    at = (phase_of(pitch) * TABLE + rng.random() * TABLE).astype(np.int64)
    return np.asarray(table[at & (TABLE - 1)])


def good_length(count: int) -> int:
    """Returns the least length >= `count` of the form 2**a, 3 * 2**a or 5 * 2**a: FFTs of it are fast."""
    best = 1 << max(0, count - 1).bit_length()
    for odd in (3, 5, 9, 15):
        shift = max(0, -(-count // odd) - 1).bit_length()
        best = min(best, odd << shift)
    return best


@lru_cache(64)
def frequencies(size: int) -> Sound:
    """Returns the frequencies in Hz (size // 2 + 1,) of the spectrum of `size` samples; not to be written."""
    found = np.linspace(0, RATE_HZ / 2, size // 2 + 1, dtype=np.float32)
    found.setflags(write=False)
    return found


def filtered(sound: Sound, *responses: Spectrum | Sound, tail: int = 0) -> list[Sound]:
    """Returns the sound through each response, which has the frequencies of `filter_size(len(sound))`."""
    size = filter_size(len(sound))
    spectrum = np.fft.rfft(sound, size)
    return [np.fft.irfft(spectrum * response, size)[: len(sound) + tail] for response in responses]


def filter_size(count: int) -> int:
    """Returns the FFT length at which `filtered` works: room for a filter that rings 30 ms."""
    return good_length(count + 480)


def resonances(size: int, centres: Numbers, widths: Numbers, gains: Numbers | None = None) -> Spectrum:
    """Returns the response of resonances of these centres and bandwidths in Hz, for FFTs of `size`.

    Without `gains` they follow each other, as the formants of a vocal tract do (Fant 1960); with `gains`
    they stand side by side and each passes its band. Causal: what they ring is after, not before.
    """
    # Resonances are smooth: they are worked out every 8 Hz or so, and the lines between are straight.
    coarse = size > COARSE
    hertz = frequencies(COARSE if coarse else size)
    joined = np.ones(len(hertz), np.complex64) if gains is None else np.zeros(len(hertz), np.complex64)
    for place, (centre, width) in enumerate(zip(centres, widths, strict=True)):
        ratio = hertz / np.float32(centre)
        damping = 1j * ratio * np.float32(width / centre)
        if gains is None:
            joined /= 1 - ratio**2 + damping
        else:
            joined += np.float32(gains[place]) * damping / (1 - ratio**2 + damping)
    if not coarse:
        return joined
    every = frequencies(size)
    between = np.interp(every, hertz, joined.real) + 1j * np.interp(every, hertz, joined.imag)
    return between.astype(np.complex64)


def band(size: int, low_hz: float, high_hz: float, slope: float = 2.0) -> Sound:
    """Returns a response that passes low..high Hz and falls by 6 * `slope` dB an octave beside it."""
    hertz = frequencies(size) + 1
    power = 2 * slope
    return 1 / np.sqrt(
        (1 + (np.float32(low_hz) / hertz) ** power) * (1 + (hertz / np.float32(high_hz)) ** power)
    )


def noise(rng: np.random.Generator, count: int, response: Spectrum | Sound | None = None) -> Sound:
    """Returns white noise (n,), or noise through a response for FFTs of `good_length(count)`; deviation 1."""
    if response is None:
        return rng.standard_normal(count, dtype=np.float32)
    size = good_length(count)
    bins = rng.standard_normal(size + 2, dtype=np.float32).view(np.complex64)
    sound = np.fft.irfft(bins * response, size)[:count]
    return np.asarray(sound / (sound.std() + np.float32(1e-9)))


def slope_noise(rng: np.random.Generator, count: int, db_per_octave: float, low_hz: float = 30.0) -> Sound:
    """Returns noise (n,) that falls by this much an octave above `low_hz`; deviation 1."""
    hertz = np.maximum(frequencies(good_length(count)), np.float32(low_hz))
    return noise(rng, count, (hertz / np.float32(low_hz)) ** np.float32(-db_per_octave / 6.02))


def hull(count: int, attack_s: float, release_s: float, curve: float = 0.0) -> Sound:
    """Returns an envelope (n,) that rises and falls as half cosines; between it falls by e**-curve."""
    shape = np.exp(np.linspace(0, -curve, count, dtype=np.float32)) if curve else np.ones(count, np.float32)
    rise, fall = (min(count // 2, max(1, round(part * RATE_HZ))) for part in (attack_s, release_s))
    shape[:rise] *= 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, rise, dtype=np.float32))
    shape[count - fall :] *= 0.5 + 0.5 * np.cos(np.linspace(0, np.pi, fall, dtype=np.float32))
    return shape


def line(count: int, values: Numbers, at: Numbers | None = None) -> Sound:
    """Returns straight lines (n,) through `values`, which may be 0; `at` as in `glide`."""
    places = np.linspace(0, 1, len(values)) if at is None else np.asarray(at)
    return np.interp(np.linspace(0, 1, count), places, values).astype(np.float32)


def modes(count: int, hertz: Numbers, decays_s: Numbers, gains: Numbers) -> Sound:
    """Returns damped sines (n,) that start at 0: what a struck or plucked body does.

    A decay is the time in which a mode falls by 60 dB; a mode is dropped where it is inaudible.
    """
    sound = np.zeros(count, np.float32)
    ramp = np.arange(count, dtype=np.float32) / RATE_HZ
    for pitch, decay, gain in zip(hertz, decays_s, gains, strict=True):
        if pitch < HIGHEST_HZ:
            until = min(count, length(decay))
            time = ramp[:until]
            sound[:until] += (
                np.float32(gain) * sine(time * np.float32(pitch)) * np.exp(time * np.float32(-6.9 / decay))
            )
    return sound


def joined(rng: np.random.Generator, calls: Sequence[Sound], gaps_s: Numbers, vary_db: float = 3.0) -> Sound:
    """Returns the calls one after the other with these gaps, each at another level."""
    starts = [0]
    for call, gap in zip(calls, gaps_s, strict=False):
        starts.append(starts[-1] + len(call) + round(gap * RATE_HZ))
    return scattered(
        [starts[place] for place in range(len(calls))],
        calls,
        [10 ** (rng.uniform(-vary_db, 0) / 20) for _ in calls],
    )


def scattered(starts: Sequence[int], grains: Sequence[Sound], gains: Numbers) -> Sound:
    """Returns the sum of grains at these samples, as long as it needs to be."""
    total = max(start + len(grain) for start, grain in zip(starts, grains, strict=True))
    sound = np.zeros(total, np.float32)
    for start, grain, gain in zip(starts, grains, gains, strict=True):
        sound[start : start + len(grain)] += np.float32(gain) * grain
    return sound


def unit(sound: Sound) -> Sound:
    """Returns the sound at peak 1."""
    return np.asarray(sound / (np.abs(sound).max() + np.float32(1e-9)))
