"""The ear's inference: blocks, times, events of activities, files that are none."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.tools.pocket.ear import (
    ACTIVITY,
    BLOCK_FRAMES,
    CONTEXT_FRAMES,
    FRAME_S,
    INPUT,
    Ear,
    Limits,
    Stretch,
    centre_s,
    ear,
    pooled,
    stretches,
)
from deixis.tools.pocket.logmel import log_mel
from tests.tools.pocket.ears import KINDS, LIMITS, tone, tone_ear

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def simple(tmp_path_factory):
    return tone_ear(tmp_path_factory.mktemp("ear") / "ear.onnx")


class Counting:
    """A session that writes down how long the pictures are that it is given."""

    def __init__(self, session):
        self._session, self.lengths = session, []

    def run(self, names, given):
        self.lengths.append(given[INPUT].shape[1])
        return self._session.run(names, given)


def test_the_file_says_its_kinds_and_limits(simple):
    one = Ear(simple)
    assert (one.kinds, one.limits, one.dimension) == (KINDS, LIMITS, 3)
    assert one.weights_digest.startswith("sha256:")
    assert ear(simple) is ear(simple), "a file is loaded once"


def test_an_event_over_the_border_of_blocks_is_one_event(simple):
    one, border = Ear(simple), BLOCK_FRAMES * FRAME_S
    spans = [(border - 1.5, border + 1.5, 300.0), (border, border + 0.5, 3000.0)]
    samples = tone(border + 5, spans)
    found = stretches(one.hear(samples).activity, one.limits, len(samples) / 16_000)
    assert [event.kind for event in found] == [0, 1]
    for event, (start, end, _) in zip(found, spans, strict=True):
        assert event.start_s == pytest.approx(start, abs=0.02)
        assert event.end_s == pytest.approx(end, abs=0.02)
        assert event.score > 0.8


def test_blocks_hear_what_one_long_look_hears(tmp_path):
    """A network of random weights looks far around itself; the blocks' context is as wide as its view."""
    from deixis.learned.pocket.ear.network import WIDTH, build_network
    from deixis.learned.pocket.ear.publish import onnx_bytes

    torch.manual_seed(1)
    network = build_network(2)
    path = tmp_path / "random.onnx"
    layer = (
        np.random.default_rng(0).normal(0, 1, (3, WIDTH["small"])).astype(np.float32),
        np.zeros(3, np.float32),
    )
    path.write_bytes(onnx_bytes(network, layer, KINDS, LIMITS))
    one = Ear(path)
    samples = (
        np.random.default_rng(1)
        .normal(0, 0.1, round(16_000 * (BLOCK_FRAMES * FRAME_S + 6)))
        .astype(np.float32)
    )
    heard = one.hear(samples)
    whole = one._session.run([ACTIVITY], {INPUT: log_mel(samples)[None]})[0][0]
    assert whole.std() > 1e-4, "the network says different things at different times"
    assert np.abs(heard.activity - whole).max() < 1e-4


def test_half_an_hour_is_heard_in_blocks_of_bounded_length(simple):
    one = Ear(simple)
    one._session = counting = Counting(one._session)
    samples = np.zeros(30 * 60 * 16_000, np.float32)
    samples[-16_000:] = tone(1.0, [(0.2, 0.8, 300.0)])
    heard = one.hear(samples)
    assert len(heard.activity) == 30 * 60 * 25
    assert len(counting.lengths) == 30 * 60 * 25 / BLOCK_FRAMES
    assert max(counting.lengths) <= (BLOCK_FRAMES + 2 * CONTEXT_FRAMES) * 4
    (event,) = stretches(heard.activity, one.limits, 1800.0)
    assert event.start_s == pytest.approx(1799.2, abs=0.05)


@pytest.mark.parametrize("count", [0, 1, 639, 640, 641])
def test_the_shortest_sounds_have_a_frame(simple, count):
    heard = Ear(simple).hear(np.full(count, 0.1, np.float32))
    assert heard.activity.shape == (max(1, -(-count // 640)), 2)
    assert np.isfinite(heard.vectors).all()


def curve(*parts: tuple[float, int]) -> np.ndarray:
    return np.concatenate([np.full(frames, value, np.float32) for value, frames in parts])[:, None]


def test_an_event_begins_and_ends_where_the_activity_crosses_the_low_limit():
    (event,) = stretches(curve((0.0, 10), (0.8, 20), (0.0, 10)), Limits((0.7,), 0.4, 0.06, 0.1), 1.6)
    assert event.start_s == pytest.approx(centre_s(9.5))
    assert event.end_s == pytest.approx(centre_s(29.5))
    assert event.score == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("activity", "found"),
    [
        (curve((0.0, 10), (0.6, 20), (0.0, 10)), 0),
        (curve((0.0, 10), (0.9, 1), (0.0, 10)), 0),
        (curve((0.9, 10), (0.0, 2), (0.9, 10)), 1),
        (curve((0.9, 10), (0.0, 4), (0.9, 10)), 2),
        (curve((0.6, 10), (0.0, 2), (0.9, 10)), 1),
        (curve((0.0, 30)), 0),
        (curve((1.0, 30)), 1),
    ],
    ids=["too faint", "too short", "short gap", "long gap", "faint before a short gap", "nothing", "all"],
)
def test_what_is_an_event(activity, found):
    limits = Limits((0.7,), 0.4, 0.06, 0.1)
    events = stretches(activity, limits, len(activity) * FRAME_S)
    assert len(events) == found
    if activity[0, 0] >= 0.4 and found == 1:
        assert events[0].start_s == 0, "what is there at the first frame begins with the recording"
        assert events[0].end_s == pytest.approx(len(activity) * FRAME_S, abs=FRAME_S)


def test_a_higher_limit_takes_events_away_and_moves_none():
    rng = np.random.default_rng(3)
    activity = np.repeat(rng.random((40, 3)), 3, axis=0).astype(np.float32)
    every = stretches(activity, Limits((0.4,) * 3, 0.4, 0.06, 0.1), 4.8)
    for high in (0.6, 0.8, 0.95):
        fewer = stretches(activity, Limits((high,) * 3, 0.4, 0.06, 0.1), 4.8)
        assert set(fewer) < set(every)
        assert every == sorted(every, key=lambda one: (one.start_s, one.kind))
        assert all(isinstance(one, Stretch) and one.start_s < one.end_s <= 4.8 for one in fewer)


def test_vectors_are_pooled_by_weight():
    vectors = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    assert pooled(vectors, np.array([0, 2, 0], np.float32)).tolist() == [0, 1]
    assert pooled(vectors, np.array([1, 2, 1], np.float32)) == pytest.approx([0.5**0.5, 0.5**0.5])
    assert pooled(vectors, np.zeros(3, np.float32)) is None


@pytest.mark.parametrize("content", [None, b"", b"no network"])
def test_what_is_no_ear_is_refused_with_the_cure(tmp_path, content):
    path = tmp_path / "mine.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputFault, match=r"mine\.onnx is not an ear") as caught:
        ear(path)
    assert caught.value.code == "tools.pocket.ear"
    assert "deixis train pocket --part ear" in caught.value.cure


def test_an_ear_whose_parts_do_not_belong_together_is_refused(tmp_path, simple):
    import onnx

    from deixis.tools.pocket.ear import FACTS, facts

    model = onnx.load(simple)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {FACTS: facts(KINDS[:1], LIMITS)})
    path = tmp_path / "short.onnx"
    onnx.save(model, path)
    with pytest.raises(InputFault, match="do not belong together"):
        ear(path)


ABOUT = Limits((0.7,), 0.4, 0.06, 0.1, about_s=0.12)


def test_an_end_is_where_the_activity_falls_most_not_where_it_passes_the_limit():
    falling = np.concatenate(
        [np.linspace(0.95, 0.6, 20), np.linspace(0.15, 0.05, 20), np.linspace(0.05, 0, 10)]
    )
    activity = np.concatenate([curve((0.0, 10), (0.95, 20))[:, 0], falling]).astype(np.float32)[:, None]
    limits = Limits((0.7,), 0.1, 0.06, 0.1)
    (crossed,) = stretches(activity, limits, 3.2)
    (likely,) = stretches(activity, limits._replace(about_s=0.12), 3.2)
    assert crossed.end_s > centre_s(58)
    assert likely.end_s == pytest.approx(centre_s(49.5), abs=0.05)
    assert likely.start_s == pytest.approx(crossed.start_s, abs=0.02), "a sharp beginning stays"
    assert (likely.peak, likely.score) == (crossed.peak, crossed.score)


@pytest.mark.parametrize("seed", range(20))
def test_likeliest_ends_keep_events_in_order_and_within_the_sound(seed):
    rng = np.random.default_rng(seed)
    rough = rng.random((30, 2)).repeat(rng.integers(1, 9), axis=0)
    smooth = np.apply_along_axis(lambda one: np.convolve(one, np.ones(5) / 5, "same"), 0, rough)
    limits, seconds = Limits((0.5, 0.5), 0.4, 0.0, 0.05, about_s=0.12), len(smooth) * FRAME_S
    found = stretches(smooth.astype(np.float32), limits, seconds)
    crossed = stretches(smooth.astype(np.float32), limits._replace(about_s=0.0), seconds)
    assert len(found) == len(crossed) > 0
    for kind in (0, 1):
        own = [one for one in found if one.kind == kind]
        assert all(0 <= one.start_s <= one.end_s <= seconds for one in own)
        assert all(one.end_s <= other.start_s + FRAME_S for one, other in pairwise(own))


def test_a_sound_that_fills_the_recording_begins_and_ends_with_it():
    (event,) = stretches(curve((0.9, 50)), ABOUT, 50 * FRAME_S)
    assert event.start_s == 0
    assert event.end_s == pytest.approx(50 * FRAME_S, abs=FRAME_S)
