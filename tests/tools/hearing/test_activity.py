"""Windows and blocks: everything is heard once, and a long sound takes no more memory than its scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.tools.hearing import activity
from deixis.tools.hearing.activity import (
    BAND_STEP_S,
    WINDOW_S,
    band_levels,
    planned,
    repeated,
    window_centres,
)
from deixis.tools.hearing.level import loudest_dbfs
from deixis.tools.hearing.mel import RATE_HZ


@pytest.mark.parametrize(
    ("seconds", "hop", "count"),
    [
        (0.05, 0.1, 2), (1.0, 0.1, 11), (120, 0.1, 1201), (121, 0.25, 485), (1800, 0.25, 7201),
        (7200, 0.5, 14401),
    ],
)  # fmt: skip
def test_the_plan_grows_slower_than_the_sound(seconds, hop, count):
    plan = planned(seconds)
    assert (plan.length_s, plan.hop_s, plan.count) == (WINDOW_S, hop, count)


@given(st.floats(0.01, 4000))
def test_windows_reach_both_ends_and_stay_inside(seconds):
    plan = planned(seconds)
    centres = window_centres(plan, seconds)
    half = min(plan.length_s, seconds) / 2
    assert len(centres) == plan.count
    assert centres[0] == pytest.approx(half) and centres[-1] == pytest.approx(seconds - half)
    assert (np.diff(centres) >= 0).all() and (np.diff(centres) <= plan.hop_s + 1e-9).all()


@pytest.mark.parametrize("seconds", [0.3, 2.0, 25.03, 1800.0])
def test_blocks_hold_their_windows_whole_and_are_short(seconds):
    """Each block carries the samples' own numbers, so that what a window sees can be told."""
    samples = np.arange(1, round(seconds * RATE_HZ) + 1, dtype=np.float32)
    plan = planned(seconds)
    wanted = window_centres(plan, seconds)
    seen = 0
    for first, centres, block in activity._blocks(samples, plan, 1.0):
        assert first == seen
        assert len(block) <= 60 * RATE_HZ, "a block of half an hour's sound takes less than a minute of it"
        for number, centre in list(enumerate(centres))[:: max(1, len(centres) - 1)]:
            middle = round(centre * RATE_HZ)
            assert middle - RATE_HZ // 2 >= 0 and middle + RATE_HZ // 2 <= len(block)
            own = round(wanted[first + number] * RATE_HZ)
            if own < len(samples):
                assert block[middle] == pytest.approx(samples[own], abs=2)
        seen += len(centres)
    assert seen == plan.count


def test_half_an_hour_goes_through_the_networks_in_small_parts(monkeypatch):
    """With networks that only look at sizes: no call sees more than a block, each window is seen once."""
    seen: list[int] = []

    class Fake:
        class_ids = ("a", "b")

        def scores(self, windows):
            seen.append(len(windows))
            return np.full((len(windows), 2), 0.25, np.float32)

    monkeypatch.setattr(activity, "mn04", Fake)
    monkeypatch.setattr(activity, "yamnet", Fake)
    monkeypatch.setattr(activity, "log_mel", lambda x: np.zeros((128, len(x) // 320 + 1), np.float32))
    monkeypatch.setattr("soxr.resample", lambda x, one, other: x[: len(x) * other // one])
    heard = activity.activity(np.zeros(1800 * RATE_HZ, np.float32))
    assert max(seen) <= activity.BLOCK_WINDOWS
    assert sum(seen) == 2 * 7201 + 180
    assert heard.scores.shape == (7201, 2) and heard.scores == pytest.approx(0.25)
    assert heard.bands.shape == (90_000, 32)


@pytest.mark.parametrize("seconds", [0.05, 0.7, 3.0])
def test_bands_are_the_same_however_they_are_cut(seconds, monkeypatch):
    samples = (0.1 * np.random.default_rng(1).standard_normal(round(seconds * RATE_HZ))).astype(np.float32)
    levels = band_levels(samples, 2.0)
    assert levels.shape == (round(seconds / BAND_STEP_S), 32)
    assert levels == pytest.approx(band_levels(2 * samples, 1.0), abs=1e-4)
    monkeypatch.setattr(activity, "BAND_BLOCK", 7)
    assert band_levels(samples, 2.0) == pytest.approx(levels, abs=1e-3)


def test_a_band_stands_where_its_sound_is():
    samples = np.zeros(2 * RATE_HZ, np.float32)
    samples[RATE_HZ : RATE_HZ + 3200] = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(3200) / RATE_HZ)
    loud = band_levels(samples, 1.0).max(axis=1) > 0
    assert np.flatnonzero(loud)[[0, -1]] == pytest.approx([50, 54], abs=1)


@pytest.mark.parametrize("length", [1, 2, 50, 1600, 9600, 19_000])
def test_short_sounds_are_repeated_with_pauses(length):
    once = np.full(length, 0.5, np.float32)
    made = repeated(once)
    assert len(made) == RATE_HZ
    if length >= 1600:
        assert made[length // 2] == 0.5 and not made[length : 2 * length].any()
        assert made[0] == 0 == made[length - 1], "the ends are faded"
        again = made[2 * length : 3 * length]
        assert (again == made[: len(again)]).all()
    assert (once == 0.5).all(), "the sound itself stays as it is"


@pytest.mark.parametrize(
    ("samples", "level"),
    [
        (np.zeros(1000), -120),
        (np.full(1000, 0.7), -120),
        (np.array([]), -120),
        (np.tile([1.0, -1.0], 8000), 0),
        (0.01 * np.tile([1.0, -1.0], 8000), -40),
        (np.concatenate([np.zeros(64_000), np.tile([0.1, -0.1], 800)]), -20),
        (np.concatenate([np.tile([0.1, -0.1], 800), np.zeros(16_010)]), -20),
    ],
)
def test_the_level_is_that_of_the_loudest_tenth_of_a_second(samples, level):
    assert loudest_dbfs(samples.astype(np.float32), 16_000) == pytest.approx(level, abs=0.1)
