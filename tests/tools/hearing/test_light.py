"""The light listener on real sounds and on what is no event."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.tools.hearing.light import light
from tests.conformance.hearing import ask, check_hears_nothing_in_silence, check_listener
from tests.tools.hearing.test_edges import noise

pytestmark = pytest.mark.shared

RATE = 32_000
SCENE = (("siren", 2.0, 7.0), ("vehicle horn, car horn, honking", 5.0, 5.6875), ("speech", 7.0, 7.9675))


@pytest.fixture(scope="module")
def tool():
    return light()


def clip(shared, name: str, start: float = 0.0, seconds: float = 3.0) -> np.ndarray:
    import soundfile
    import soxr

    samples, own = soundfile.read(shared / "data" / "audio" / name, dtype="float32", always_2d=True)
    made = soxr.resample(samples.mean(axis=1), own, RATE)
    return np.asarray(made[round(start * RATE) :][: round(seconds * RATE)])


def hear(tool, store, samples: np.ndarray, **more):
    return ask(tool, store, store.add_audio((np.asarray(samples, np.float32), RATE)), **more)


def test_it_keeps_the_promises_of_listeners(shared, store, tool):
    check_listener(tool, store, store.add_audio((clip(shared, "dog_audio.wav", seconds=2.0), RATE)))
    check_hears_nothing_in_silence(tool, store)
    assert tool.weights_digest.startswith("sha256:")


def test_a_real_scene_is_heard_in_time_and_nothing_else(shared, store, tool):
    path = shared / "data" / "audio" / "scaper_scenes" / "soundscape_20200501_22050.wav"
    events = ask(tool, store, store.add_audio(path)).events
    assert [event.label for event in events] == [label for label, _, _ in SCENE]
    for event, (_, start, end) in zip(events, SCENE, strict=True):
        assert event.span.start_s == pytest.approx(start, abs=0.6)
        assert event.span.end_s == pytest.approx(end, abs=0.6)
        assert event.score.value > 0.5
        assert event.class_id.startswith("/")


@pytest.mark.parametrize("power", [0, 1, 2], ids=["white", "pink", "brown"])
@pytest.mark.parametrize("gain", [0.05, 2.0])
def test_noise_is_no_event(store, tool, power, gain):
    heard = hear(tool, store, np.clip(gain * noise(3.0, power), -1, 1))
    assert heard.events == () and not heard.silent


def test_a_bark_is_timed_among_silence_and_noise(shared, store, tool):
    bark = clip(shared, "dog_audio.wav", 0.0, 2.2)
    for ground in (np.zeros(6 * RATE), 0.01 * noise(6.0, 1)):
        samples = ground.copy()
        samples[2 * RATE :][: len(bark)] += bark
        (event,) = hear(tool, store, samples).events
        assert "dog" in (event.label, *event.parents)
        assert event.span.start_s == pytest.approx(2.0, abs=0.6)
        assert event.span.end_s == pytest.approx(4.2, abs=0.6)


@pytest.mark.parametrize("gain", [0.02, 0.3])
def test_the_same_bark_at_any_volume(shared, store, tool, gain):
    bark = clip(shared, "dog_audio.wav")
    loud, soft = hear(tool, store, bark), hear(tool, store, gain * bark)
    assert [e.label for e in soft.events] == [e.label for e in loud.events] == ["bark"]
    assert soft.level_dbfs - loud.level_dbfs == pytest.approx(20 * np.log10(gain), abs=0.1)


def test_two_sounds_one_after_the_other(shared, store, tool):
    bark, horn = clip(shared, "dog_audio.wav", 0.0, 2.0), clip(shared, "scaper_horn1.wav")
    pause = np.zeros(RATE, np.float32)
    events = hear(tool, store, np.concatenate([bark, pause, horn])).events
    assert [event.label for event in events] == ["bark", "vehicle horn, car horn, honking"]
    assert events[0].span.end_s < 2.6 and events[1].span.start_s == pytest.approx(3.0, abs=0.6)


@pytest.mark.parametrize("seconds", [0.05, 0.1, 0.3])
def test_short_sounds_are_heard_without_inventing_time(shared, store, tool, seconds):
    whole = clip(shared, "dog_audio.wav")
    top = int(np.abs(whole).argmax())
    heard = hear(tool, store, whole[top - round(seconds * RATE / 2) :][: round(seconds * RATE)])
    assert not heard.silent and heard.level_dbfs > -20
    assert all(event.span.end_s <= seconds for event in heard.events)
    assert any("dog" in (event.label, *event.parents) for event in heard.events) or seconds < 0.3
    assert len(heard.events) <= 1


def test_a_click_and_a_bit_of_noise_are_nothing(store, tool):
    click = np.zeros(RATE // 20)
    click[700] = 1.0
    assert hear(tool, store, click).events == ()
    assert hear(tool, store, noise(0.05, 0)).events == ()


def test_the_threshold_takes_away_what_is_less_sure(shared, store, tool):
    scene = clip(shared, "cap_11569.wav", seconds=4.0)
    usual, sure = hear(tool, store, scene), hear(tool, store, scene, threshold=0.7)
    assert len(usual.events) > len(sure.events) > 0
    assert set(sure.events) == {event for event in usual.events if event.score.value >= 0.7}
