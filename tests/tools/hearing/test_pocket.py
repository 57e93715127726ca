"""The pocket listener over an ear that hears tones, and the shipped ear on made clips."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.tools.hearing.level import loudest_dbfs
from deixis.tools.hearing.pocket import LOUDEST_DBFS, QUIETEST_DBFS, PocketHearing, levelled, pocket
from deixis.tools.pocket.ear import BLOCK_FRAMES, FRAME_S
from tests.conformance.hearing import ask, check_hears_nothing_in_silence, check_listener
from tests.tools.pocket.ears import tone, tone_ear
from tests.tools.pocket.present import needs_shipped

RATE = 16_000


@pytest.fixture(scope="module")
def tool(tmp_path_factory):
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    return pocket(tone_ear(tmp_path_factory.mktemp("ear") / "ear.onnx"))


def hear(tool, store, samples: np.ndarray, rate: int = RATE, **more):
    return ask(tool, store, store.add_audio((samples.astype(np.float32), rate)), **more)


def test_it_keeps_the_promises_of_listeners(tool, store):
    samples = tone(3.0, [(0.4, 1.0, 300, 0.15), (1.2, 1.9, 300, 0.1), (0.7, 2.2, 3000)])
    check_listener(tool, store, store.add_audio((samples, RATE)))
    check_hears_nothing_in_silence(tool, store)
    assert tool.weights_digest.startswith("sha256:")


def test_events_have_names_times_and_scores(tool, store):
    heard = hear(tool, store, tone(4.0, [(0.5, 1.5, 300), (1.0, 3.0, 3000)]))
    assert [event.label for event in heard.events] == ["low tone", "high tone"]
    for event, (start, end) in zip(heard.events, ((0.5, 1.5), (1.0, 3.0)), strict=True):
        assert event.span.start_s == pytest.approx(start, abs=0.03)
        assert event.span.end_s == pytest.approx(end, abs=0.03)
        assert event.score.value > 0.8
    assert heard.events[0].class_id == "/t/low"
    assert heard.events[0].parents == ("tone", "sound")
    assert {one.label for one in heard.clip} == {"low tone", "high tone"}


def test_the_same_times_at_another_rate_and_level(tool, store):
    import soxr

    samples = tone(3.0, [(1.0, 2.0, 300)])
    for scale in (0.01, 1.0, 4.0):
        (event,) = hear(tool, store, soxr.resample(samples * scale, RATE, 44_100), rate=44_100).events
        assert (event.span.start_s, event.span.end_s) == pytest.approx((1.0, 2.0), abs=0.06)


@pytest.mark.parametrize("dbfs", [-55.0, -40.0, -20.0, -10.0, -1.0])
def test_levels_are_brought_to_where_the_ear_was_trained(dbfs):
    samples = tone(1.0, [(0.2, 0.8, 300)], 1e-7)
    given = (samples * 10 ** ((dbfs - loudest_dbfs(samples, RATE)) / 20) + 0.01).astype(np.float32)
    made = levelled(given, loudest_dbfs(given, RATE))
    assert loudest_dbfs(made, RATE) == pytest.approx(np.clip(dbfs, QUIETEST_DBFS, LOUDEST_DBFS), abs=0.1)
    assert abs(float(made.mean())) < 1e-5, "a constant offset is taken off"


def test_faint_noise_and_silence_have_no_events(tool, store):
    heard = hear(tool, store, np.zeros(5 * RATE))
    assert heard.silent and heard.events == () and heard.clip == ()
    hiss = np.random.default_rng(0).normal(0, 0.0004, 5 * RATE)
    assert hear(tool, store, hiss).silent


def test_a_sound_that_starts_and_ends_with_the_recording_has_its_times(tool, store):
    for seconds in (0.3, 2.00075, 21.3):
        (event,) = hear(tool, store, tone(seconds, [(0.0, seconds, 300)])).events
        assert event.span.start_s == 0
        assert event.span.end_s == pytest.approx(seconds, abs=FRAME_S)
        assert event.span.end_s <= seconds


def test_the_plan_says_how_a_long_sound_was_heard(tool, store):
    block = BLOCK_FRAMES * FRAME_S
    heard = hear(tool, store, tone(2 * block + 1, [(block - 1, block + 1, 300)]))
    assert heard.plan is not None
    assert (heard.plan.count, heard.plan.length_s) == (3, block)
    (event,) = heard.events
    assert (event.span.start_s, event.span.end_s) == pytest.approx((block - 1, block + 1), abs=0.03)


def test_a_file_that_is_no_ear_is_refused(tmp_path):
    (tmp_path / "ear.onnx").write_bytes(b"no network")
    with pytest.raises(InputFault, match="deixis train pocket --part ear"):
        pocket(tmp_path / "ear.onnx")


@needs_shipped("ear.onnx")
class TestShipped:
    """The ear in the package."""

    def test_it_keeps_the_promises_of_listeners(self, store):
        from deixis.learned.world.sounds import ClipSpec, clip

        tool = pocket()
        assert isinstance(tool, PocketHearing)
        made = clip(0, ClipSpec(kinds=("siren",), most=1, noise_share=0, silence_share=0))
        check_listener(tool, store, store.add_audio((made.samples, RATE)))
        check_hears_nothing_in_silence(tool, store)

    def test_events_of_clips_that_no_training_heard_are_found(self, store):
        from deixis.eval.pocket.sounds import counted, f1

        assert f1([counted(pocket(), seed, store) for seed in range(300, 330)]) > 0.6
