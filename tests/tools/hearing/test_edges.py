"""Where events begin and end, and what is noise and nothing else: on band levels of made sounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.tools.hearing.activity import band_levels
from deixis.tools.hearing.edges import REACH_S, refined
from deixis.tools.hearing.mel import RATE_HZ
from deixis.tools.hearing.noise import is_plain_noise


def noise(seconds: float, power: float, seed: int = 1) -> np.ndarray:
    """Noise whose energy falls from 20 Hz on with the frequency to this power: white 0, pink 1, brown 2."""
    count = round(seconds * RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    spectrum /= np.maximum(np.arange(len(spectrum)), 1) ** (power / 2)
    spectrum[: round(20 * seconds)] = 0
    samples = np.fft.irfft(spectrum, count)
    return (0.1 * samples / samples.std()).astype(np.float32)


def tone(start: float, end: float, seconds: float = 4.0, loud: float = 0.3) -> np.ndarray:
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    harmonics = sum(np.sin(2 * np.pi * 440 * n * times) / n for n in range(1, 9))
    return (loud * harmonics * ((times >= start) & (times < end))).astype(np.float32)


@pytest.mark.parametrize("ground", [0.0, 0.02])
@pytest.mark.parametrize(
    ("off_start", "off_end"), [(0, 0), (-0.3, 0.3), (0.3, -0.3), (0.4, 0.4), (-0.4, -0.4)]
)
def test_edges_move_to_where_the_sound_sets_in_and_stops(ground, off_start, off_end):
    bands = band_levels(tone(1.2, 2.5) + ground * noise(4.0, 1), 1.0)
    start, end = refined(bands, 1.2 + off_start, 2.5 + off_end)
    assert start == pytest.approx(1.2, abs=0.06)
    assert end == pytest.approx(2.5, abs=0.06)


def test_another_sound_that_goes_on_does_not_draw_the_edges():
    both = tone(1.2, 2.5) + 0.3 * np.sin(2 * np.pi * 6000 * np.arange(4 * RATE_HZ) / RATE_HZ).astype(
        np.float32
    )
    start, end = refined(band_levels(both, 1.0), 1.0, 2.8)
    assert (start, end) == (pytest.approx(1.2, abs=0.06), pytest.approx(2.5, abs=0.06))


def test_without_a_step_the_edges_stay():
    assert refined(band_levels(noise(4.0, 0), 1.0), 1.3, 2.6) == (1.3, 2.6)


@given(st.floats(0, 3.9), st.floats(0.02, 4), st.integers(0, 5))
def test_edges_stay_in_reach_in_order_and_inside(start, length, seed):
    end = min(4.0, start + length)
    bands = np.random.default_rng(seed).normal(0, 1, (200, 32)).astype(np.float32)
    first, last = refined(bands, start, end)
    assert first <= last
    assert abs(first - start) <= REACH_S + 0.03 and abs(last - end) <= REACH_S + 0.03
    assert first >= -0.03 and last <= 4.03


@pytest.mark.parametrize("power", [0, 0.5, 1, 2])
@pytest.mark.parametrize("seconds", [1.0, 6.0])
def test_coloured_noise_is_plain(power, seconds):
    for seed in range(3):
        bands = band_levels(noise(seconds, power, seed), 1.0)
        assert is_plain_noise(bands, 0.0, seconds)
        assert is_plain_noise(band_levels(noise(seconds, power, seed), 0.2), 0.0, seconds)


@pytest.mark.parametrize(
    "made",
    [
        tone(0.0, 4.0),
        tone(0.0, 4.0, loud=0.1) + noise(4.0, 1),
        noise(4.0, 1) * (1 + np.sign(np.sin(np.arange(4 * RATE_HZ) / RATE_HZ * 9))).astype(np.float32),
        np.convolve(noise(4.0, 0), np.sin(np.arange(64) / 64 * 2 * np.pi * 8), "same").astype(np.float32),
        np.zeros(4 * RATE_HZ, np.float32),
    ],
    ids=["tone", "tone in noise", "beating noise", "narrow noise", "silence"],
)
def test_what_has_structure_is_not(made):
    assert not is_plain_noise(band_levels(made, 1.0), 0.0, 4.0)


def test_too_little_to_tell_is_not_called_noise():
    assert not is_plain_noise(band_levels(noise(2.0, 0), 1.0), 0.5, 0.9)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["metro_station-paris.wav", "cap_6340.wav", "thunder_3-144891-B-19.wav"])
def test_real_rumble_is_not_plain(shared, name):
    import soundfile
    import soxr

    samples, rate = soundfile.read(shared / "data" / "audio" / name, dtype="float32", always_2d=True)
    made = soxr.resample(samples.mean(axis=1), rate, RATE_HZ)[: 8 * RATE_HZ]
    assert not is_plain_noise(band_levels(made, 1.0), 0.0, len(made) / RATE_HZ)
