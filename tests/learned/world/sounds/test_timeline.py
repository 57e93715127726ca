"""Clips: exact times, levels, noise at a stated ratio, rooms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.learned.world.sounds import KINDS, TEST_SEEDS, TRAIN_SEED, ClipSpec, clip
from deixis.learned.world.sounds.backgrounds import BACKGROUNDS, background, scaled_to
from deixis.learned.world.sounds.rooms import Place, place, recorded
from deixis.learned.world.sounds.signal import RATE_HZ
from deixis.learned.world.sounds.synthesis import synthesise
from deixis.learned.world.sounds.timeline import compose, level

ALWAYS = {"noise_share": 0.0, "silence_share": 0.0}
CLEAN = ClipSpec(clean_share=1.0, driven_share=0.0, counts=(1.0,), **ALWAYS)


@settings(max_examples=25)
@given(st.integers(0, 2**31))
def test_any_seed_gives_a_sound_clip_and_the_same_again(seed: int) -> None:
    one, other = clip(seed), clip(seed)
    assert np.array_equal(one.samples, other.samples)
    assert one.events == other.events
    assert one.samples.shape == (5 * RATE_HZ,)
    assert np.isfinite(one.samples).all()
    assert np.abs(one.samples).max() <= 1.0
    assert len(one.events) <= 3
    assert len({event.kind for event in one.events}) == len(one.events)
    for event in one.events:
        assert 0 <= event.start_s < event.end_s <= 5.0
        assert 0 <= event.kind < len(KINDS)


@pytest.mark.parametrize("seed", range(24))
def test_outside_its_event_a_clean_clip_is_at_least_40_db_weaker(seed: int) -> None:
    made = clip(seed, CLEAN)
    (event,) = made.events
    first, last = round(event.start_s * RATE_HZ), round(event.end_s * RATE_HZ)
    inside, peak = made.samples[first:last], np.abs(made.samples).max()
    outside = np.concatenate([made.samples[:first], made.samples[last:]])
    assert np.abs(outside).max(initial=0) < 0.01 * peak
    edge = round(0.02 * RATE_HZ)
    assert np.abs(inside[:edge]).max() >= 0.0099 * peak
    assert np.abs(inside[-edge:]).max() >= 0.0099 * peak
    assert made.snr_db == float("inf")


def test_a_tenth_of_the_clips_has_no_event() -> None:
    spec = ClipSpec(seconds=1.0, kinds=("tick",))
    clips = [clip(seed, spec) for seed in range(400)]
    silent = [one for one in clips if not one.events]
    assert 20 <= len(silent) <= 65
    assert {one.snr_db for one in silent} == {float("inf"), float("-inf")}
    assert all((np.abs(one.samples).max() == 0) == (one.snr_db > 0) for one in silent)


@pytest.mark.parametrize("snr_db", [0.0, 12.0, 30.0])
def test_the_noise_is_as_loud_as_stated(snr_db: float) -> None:
    """The same draws without and with noise differ by the noise alone, once both are at one level."""
    spec = {"driven_share": 0.0, "counts": (0.0, 1.0), **ALWAYS}
    noisy = clip(11, ClipSpec(clean_share=0.0, snr_db=(snr_db, snr_db), **spec))
    clean = clip(11, ClipSpec(clean_share=1.0, **spec))
    assert noisy.snr_db == pytest.approx(snr_db)
    first = min(round(event.start_s * RATE_HZ) for event in clean.events)
    last = max(round(event.end_s * RATE_HZ) for event in clean.events)
    quiet = np.ones(len(clean.samples), bool)
    quiet[first - 100 : last + 100] = False
    gain = _gain(noisy.samples, clean.samples)
    noise = noisy.samples / gain - clean.samples
    covered = np.zeros(len(quiet), bool)
    for event in clean.events:
        covered[round(event.start_s * RATE_HZ) : round(event.end_s * RATE_HZ)] = True
    ratio = np.mean(clean.samples[covered] ** 2) / np.mean(noise**2)
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=1.0)


def _gain(noisy: np.ndarray, clean: np.ndarray) -> float:
    """Returns by how much the clean clip is louder in the noisy one: noise is orthogonal to it, nearly."""
    return float(noisy @ clean / (clean @ clean))


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_backgrounds_have_unit_power_and_obey_the_ratio(kind: str) -> None:
    noise = background(np.random.default_rng(3), 32_000, kind)
    assert np.isfinite(noise).all()
    assert np.mean(noise**2) == pytest.approx(1.0, rel=1e-3)
    assert np.mean(scaled_to(noise, 0.04, 20.0) ** 2) == pytest.approx(0.0004, rel=1e-3)


def test_events_are_at_most_10_db_apart() -> None:
    rng = np.random.default_rng(4)
    where = Place(None, np.array([100.0, 7000.0], np.float32), np.zeros(2, np.float32))
    spec = ClipSpec(clean_share=1.0, driven_share=0.0, seconds=30.0)
    for _ in range(6):
        made = compose(rng, ["horn", "hoot", "cry"], spec, where, {}, 0)
        apart = [
            level(made.samples[round(one.start_s * RATE_HZ) : round(one.end_s * RATE_HZ)])
            for one in made.events
            if not any(
                one is not two and one.start_s < two.end_s and two.start_s < one.end_s for two in made.events
            )
        ]
        assert 20 * np.log10(max(apart, default=1) / min(apart, default=1)) < 11


def test_a_room_prolongs_a_sound_and_keeps_its_start() -> None:
    sound = synthesise("hammer", np.random.default_rng(1))
    rooms = [place(np.random.default_rng(seed)) for seed in range(20)]
    assert {room.impulse is None for room in rooms} == {True, False}
    for room in rooms:
        heard = recorded(sound, room)
        assert len(heard) == len(sound) + (0 if room.impulse is None else len(room.impulse))
        assert np.isfinite(heard).all()


def test_recordings_take_the_place_of_made_sounds() -> None:
    beep = np.sin(np.arange(8000) * 0.5).astype(np.float32)
    spec = ClipSpec(kinds=("bark",), real_share=1.0, counts=(1.0,), **ALWAYS)
    made = [clip(seed, spec, {"bark": (beep,)}) for seed in range(4)]
    for one in made:
        spectrum = np.abs(np.fft.rfft(one.samples))
        assert abs(int(spectrum[100:].argmax()) + 100 - 0.5 / (2 * np.pi) * len(one.samples)) < 40
    assert not np.array_equal(made[0].samples, clip(0, spec).samples)


def test_seeds_of_tests_and_training_are_apart() -> None:
    assert TEST_SEEDS[-1] < TRAIN_SEED
