"""The log-mel picture against a slow, direct computation, and what its arithmetic promises."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest

from deixis.tools.pocket.logmel import BANDS, HOP, RATE_HZ, log_mel, louder, mel_bands, mixed


def direct(samples: np.ndarray, frame: int) -> list[float]:
    """One frame, term by term: Hann window, discrete Fourier transform, triangles, logarithm."""
    centre = 160 * frame + 80
    cut = [float(samples[i]) if 0 <= i < len(samples) else 0.0 for i in range(centre - 200, centre + 200)]
    shaped = [x * (0.5 - 0.5 * math.cos(2 * math.pi * i / 400)) for i, x in enumerate(cut)]
    turn = [cmath.exp(-2j * math.pi * k / 512) for k in range(512)]
    power = [abs(sum(x * turn[k * i % 512] for i, x in enumerate(shaped))) ** 2 for k in range(257)]
    mels = [1127 * math.log(1 + k * 16_000 / 512 / 700) for k in range(257)]
    low, high = (1127 * math.log(1 + f / 700) for f in (50, 7600))
    corners = [low + (high - low) * i / 65 for i in range(66)]
    found = []
    for left, top, right in zip(corners, corners[1:], corners[2:], strict=False):
        shares = [max(0.0, min((m - left) / (top - left), (right - m) / (right - top))) for m in mels]
        if sum(shares) < 0.5:
            shares = [0.0] * 257
            shares[min(range(257), key=lambda k: abs(mels[k] - top))] = 1.0
        total = sum(share * value for share, value in zip(shares, power, strict=True))
        found.append((math.log(total + 1e-6) + 4) / 4)
    return found


@pytest.mark.parametrize("frame", [0, 3, 9])
def test_it_is_what_the_definition_says(frame):
    samples = np.random.default_rng(1).normal(0, 0.2, 10 * HOP + 37).astype(np.float32)
    picture = log_mel(samples)
    assert picture.shape == (10, BANDS)
    assert picture.dtype == np.float32
    assert np.abs(picture[frame] - direct(samples, frame)).max() < 2e-4


def test_every_band_hears_something_and_a_tone_lights_its_own():
    assert (mel_bands().sum(axis=1) > 0.4).all()
    times = np.arange(RATE_HZ) / RATE_HZ
    tops = [
        int(log_mel(np.sin(2 * np.pi * f * times).astype(np.float32))[50].argmax()) for f in (200, 900, 4000)
    ]
    expected = [np.interp(1127 * math.log(1 + f / 700), *_centres()) for f in (200, 900, 4000)]
    assert tops == pytest.approx(expected, abs=1)


def _centres() -> tuple[np.ndarray, np.ndarray]:
    low, high = (1127 * math.log(1 + f / 700) for f in (50, 7600))
    return np.linspace(low, high, BANDS + 2)[1:-1], np.arange(BANDS)


def test_a_click_lies_in_the_frame_that_it_is_in():
    samples = np.zeros(20 * HOP, np.float32)
    samples[12 * HOP + 80] = 1
    assert log_mel(samples).mean(axis=1).argmax() == 12


def test_shorter_than_a_frame_is_no_frame():
    assert log_mel(np.ones(HOP - 1, np.float32)).shape == (0, BANDS)
    assert log_mel(np.ones(HOP, np.float32)).shape == (1, BANDS)


def test_louder_and_mixed_are_what_the_samples_would_give():
    rng = np.random.default_rng(2)
    one, other = (rng.normal(0, scale, 40 * HOP).astype(np.float32) for scale in (0.1, 0.05))
    assert np.abs(louder(log_mel(one), 6.0) - log_mel(one * 10 ** (6 / 20))).max() < 1e-3
    # Two noises add their powers on average, band by band.
    off = mixed(log_mel(one), log_mel(other)) - log_mel(one + other)
    assert abs(off.mean()) < 0.05
    assert np.abs(off.mean(axis=0)).max() < 0.2
