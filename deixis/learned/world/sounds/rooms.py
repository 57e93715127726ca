"""Rooms and recorders: made impulse responses, and the colour that a microphone and a codec give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds.signal import RATE_HZ, frequencies, good_length, length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.learned.world.sounds.signal import Sound, Spectrum

ROOM_SHARE, COLOUR_SHARE, LIMITED_SHARE = 0.6, 0.7, 0.3
SHORTEST_S, LONGEST_S = 0.12, 0.7
"""Reverberation times (a fall by 60 dB): from a furnished room to a hall."""
EARLY_S = 0.04


@dataclass(frozen=True)
class Place:
    """Where a clip is recorded.

    `impulse` (n,) starts with the direct sound, 1; None is the open air. `curve_db` are gains at `at_hz`.
    """

    impulse: Sound | None
    at_hz: NDArray[np.float32]
    curve_db: NDArray[np.float32]


def place(rng: np.random.Generator) -> Place:
    """Returns a random room and recorder."""
    impulse = _impulse(rng) if rng.random() < ROOM_SHARE else None
    at_hz = np.array([60, 120, 250, 500, 1000, 2000, 4000, 6000, 7900], np.float32)
    curve = np.zeros(len(at_hz))
    if rng.random() < COLOUR_SHARE:
        curve += rng.normal(0, 2.0, len(at_hz)) + rng.normal(0, 1.2) * np.arange(-4, 5)
    if rng.random() < LIMITED_SHARE:
        curve += -12 * np.maximum(0, np.log2(at_hz / rng.uniform(2800, 7000)))
        curve += -9 * np.maximum(0, np.log2(rng.uniform(60, 300) / at_hz))
    return Place(impulse, at_hz, curve.astype(np.float32))


def _impulse(rng: np.random.Generator) -> Sound:
    """Returns an impulse response: direct sound, a few reflections, noise that dies, duller and duller."""
    seconds = SHORTEST_S * (LONGEST_S / SHORTEST_S) ** rng.random() ** 1.3
    count = length(0.75 * seconds)
    time = np.arange(count, dtype=np.float32) / RATE_HZ
    late = rng.standard_normal(count, dtype=np.float32) * np.exp(time * np.float32(-6.9 / seconds))
    dull = 0.5 + 0.5 * rng.random()
    late[1:] = np.float32(dull) * late[1:] + np.float32(1 - dull) * late[:-1]
    late[: length(0.004)] = 0
    late *= np.float32(10 ** (rng.uniform(-16, 0) / 20)) / (np.sqrt(np.sum(late**2)) + np.float32(1e-9))
    early = rng.integers(length(0.002), min(count, length(EARLY_S)), 6)
    late[early] += (rng.uniform(-0.4, 0.4, 6) * np.exp(-early / (RATE_HZ * 0.02))).astype(np.float32)
    late[0] = 1.0
    return late


def recorded(sound: Sound, where: Place) -> Sound:
    """Returns the sound as it is recorded at a place: (n + length of the impulse response,)."""
    tail = 0 if where.impulse is None else len(where.impulse)
    size = good_length(len(sound) + tail + 64)
    response: Spectrum | Sound = _colour(size, where)
    if where.impulse is not None:
        response = response * np.fft.rfft(where.impulse, size)
    heard = np.fft.irfft(np.fft.rfft(sound, size) * response, size)[: len(sound) + tail]
    return np.asarray(heard, np.float32)


def _colour(size: int, where: Place) -> Sound:
    hertz = np.maximum(frequencies(size), 20)
    # Few points on a logarithmic axis are enough: the curve is smooth.
    coarse = np.geomspace(20, RATE_HZ / 2, 128)
    gains = 10 ** (np.interp(np.log(coarse), np.log(where.at_hz), where.curve_db) / 20)
    return np.interp(hertz, coarse, gains).astype(np.float32)
