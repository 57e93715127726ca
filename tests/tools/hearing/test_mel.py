"""The front end of mn04 against the same picture worked out slowly, sample by sample."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deixis.tools.hearing.mel import BANDS, FFT, HIGHEST_HZ, HOP, RATE_HZ, log_mel, mel_bands


def mel(hertz: float) -> float:
    return 1127.0 * math.log(1.0 + hertz / 700.0)


def slowly(samples: np.ndarray, frame: int) -> list[float]:
    """One column of the picture, by the definitions and in double precision."""
    emphasised = [float(samples[i + 1]) - 0.97 * float(samples[i]) for i in range(len(samples) - 1)]
    cut = []
    for i in range(800):
        at = frame * 320 - 400 + i
        at = -at if at < 0 else at
        at = 2 * (len(emphasised) - 1) - at if at >= len(emphasised) else at
        cut.append(emphasised[at] * (0.5 - 0.5 * math.cos(2 * math.pi * i / 799)))
    power = [
        abs(sum(value * complex(math.cos(w * i), -math.sin(w * i)) for i, value in enumerate(cut))) ** 2
        for w in (2 * math.pi * k / 1024 for k in range(512))
    ]
    step = mel(15_000) / 129
    column = []
    for band in range(128):
        total = 0.0
        for k, value in enumerate(power):
            distance = abs(mel(k * 32_000 / 1024) / step - (band + 1))
            total += value * max(0.0, 1.0 - distance)
        column.append((math.log(total + 1e-5) + 4.5) / 5.0)
    return column


def test_columns_are_those_worked_out_slowly():
    samples = (0.3 * np.random.default_rng(4).standard_normal(3200)).astype(np.float32)
    picture = log_mel(samples)
    assert picture.shape == (128, 10) and picture.dtype == np.float32
    for frame in (0, 5, 9):
        assert picture[:, frame] == pytest.approx(slowly(samples, frame), abs=1e-4)


def test_silence_has_the_value_of_the_floor():
    assert log_mel(np.zeros(RATE_HZ, np.float32)) == pytest.approx((math.log(1e-5) + 4.5) / 5, abs=1e-6)


def test_a_frame_is_centred_on_its_sample():
    samples = np.zeros(RATE_HZ, np.float32)
    samples[40 * HOP] = 1.0
    level = log_mel(samples).mean(axis=0)
    assert level.argmax() == 40
    assert level[39] == pytest.approx(level[41], abs=0.05), "pre-emphasis moves it by one sample"
    assert level[[36, 44]] == pytest.approx(level[0])


@pytest.mark.parametrize("hertz", [100, 440, 1000, 5000, 12_000])
def test_a_tone_lies_in_the_band_of_its_pitch(hertz):
    samples = (0.5 * np.sin(2 * np.pi * hertz * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)
    found = log_mel(samples)[:, 50].argmax()
    assert found + 1 == pytest.approx(mel(hertz) / mel(HIGHEST_HZ) * (BANDS + 1), abs=1)


def test_ten_times_the_amplitude_is_ln_100_over_5():
    samples = (0.05 * np.random.default_rng(5).standard_normal(RATE_HZ)).astype(np.float32)
    assert (log_mel(10 * samples) - log_mel(samples)).mean() == pytest.approx(math.log(100) / 5, abs=0.01)


def test_filters_add_up_to_one_between_the_first_and_last_centre():
    bands = mel_bands()
    assert bands.shape == (BANDS, FFT // 2 + 1) and not bands[:, -1].any()
    inside = bands.sum(axis=0)[2:468]
    assert inside == pytest.approx(np.ones(len(inside)), abs=1e-5)
