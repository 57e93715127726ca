"""The ear's recipe: truth by frame, limits, a batch is learned, vectors, the file says what PyTorch says."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.learned.pocket.ear.limits import Listened, choose, counts, f1, hits
from deixis.learned.pocket.ear.samples import ClipPool, batch, changed, kept, truth
from deixis.learned.world.sounds import KINDS, Clip, Event, clip
from deixis.tools.pocket.ear import FRAME_S, Ear, Kind, Limits, centre_s, stretches
from deixis.tools.pocket.logmel import log_mel
from tests.tools.pocket.ears import tone

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

HALF = Limits((0.5,), 0.5, 0.06, 0.09)


def test_the_truth_of_a_frame_is_the_share_in_which_it_sounds():
    start, end = centre_s(10) - FRAME_S / 2, centre_s(20)
    found = truth([(1, start, end)], 30, 3)
    assert found.shape == (30, 3)
    assert found[10:20, 1] == pytest.approx(1, abs=1e-5)
    assert found[20, 1] == pytest.approx(0.5, abs=1e-3)
    assert found.sum() == pytest.approx(10.5, abs=1e-3)


def test_events_made_of_the_truth_are_the_truth():
    """The frames, their times and the rule that makes events agree: no kind of sound is lost or moved."""
    listened = [_told(clip(seed)) for seed in range(900_500, 900_530)]
    assert sum(len(one.truth) for one in listened) > 30
    assert f1(counts(listened, Limits((0.5,) * len(KINDS), 0.5, 0.06, 0.09))) > 0.97
    for one in listened:
        for event in stretches(one.activity, Limits((0.5,) * len(KINDS), 0.5, 0.06, 0.09), 5.0):
            off = min(abs(event.start_s - start) for kind, start, _ in one.truth if kind == event.kind)
            assert off < 0.03


def test_likeliest_ends_are_within_the_tolerance_where_the_network_is_of_two_minds():
    """A sound may end at 2 s or go on, faintly, to one of many later times: the first is the likeliest."""
    ends = [2.0] * 5 + [2.3, 2.5, 2.7, 2.9]
    chance = np.mean([truth([(0, 1.0, end)], 125, 1)[:, 0] for end in ends], axis=0)
    listened = [Listened(chance[:, None].astype(np.float32), ((0, 1.0, end),), 5.0) for end in ends]
    crossing = Limits((0.5,), 0.3, 0.06, 0.09)
    assert counts(listened, crossing)[0, 0] < 5
    assert counts(listened, crossing._replace(about_s=0.12))[0, 0] == 5


def _told(made: Clip) -> Listened:
    spans = tuple((event.kind, event.start_s, event.end_s) for event in made.events)
    return Listened(truth(spans, len(made.samples) // 640, len(KINDS)), spans, len(made.samples) / 16_000)


@pytest.mark.parametrize(
    ("found", "right"),
    [
        ([(0, 1.0, 2.0)], [0]),
        ([(0, 1.2, 1.8)], [0]),
        ([(0, 1.21, 2.0)], []),
        ([(0, 1.0, 2.21)], []),
        ([(1, 1.0, 2.0)], []),
        ([(0, 1.0, 2.0), (0, 1.1, 2.1)], [0]),
        ([], []),
    ],
    ids=["exact", "at the tolerance", "late", "too long", "other kind", "told twice", "nothing"],
)
def test_an_event_is_found_where_kind_and_both_ends_are_right(found, right):
    assert hits(found, [(0, 1.0, 2.0)]) == right


def test_one_event_serves_one_truth_the_nearest():
    two = [(0, 1.0, 2.0), (0, 1.15, 2.15)]
    assert hits([(0, 1.14, 2.14)], two) == [0]
    assert sorted(hits([(0, 1.14, 2.14), (0, 0.95, 2.0)], two)) == [0, 0]


def test_limits_are_chosen_where_events_are_told_from_noise():
    rng = np.random.default_rng(0)
    listened = []
    for _ in range(30):
        activity = np.zeros((125, 2), np.float32)
        activity[40:80, 0], activity[90:110, 1] = 0.85, 0.95
        start = int(rng.integers(0, 20))
        activity[start : start + 10] = (0.65, 0.85)
        spans = ((0, centre_s(39.5), centre_s(79.5)), (1, centre_s(89.5), centre_s(109.5)))
        listened.append(Listened(activity, spans, 5.0))
    limits, reached = choose(listened, 2)
    assert reached == 1.0
    assert 0.65 < limits.high[0] <= 0.85 < limits.high[1] <= 0.95
    assert counts(listened, limits).tolist() == [[30, 30]] * 3
    assert f1(counts(listened, Limits((0.4, 0.4), 0.4, 0.06, 0.09))) < 0.8


def test_a_batch_is_pictures_with_their_truth():
    def tones(seed: int) -> Clip:
        start = 0.5 + seed % 7 * 0.2
        span = (start, start + 1.0, 300.0) if seed % 2 else (start, start + 1.0, 3000.0)
        return Clip(tone(3.0, [span], 1e-5), (Event(seed % 2, *span[:2]),), 40.0, seed)

    rng = np.random.default_rng(0)
    pool = ClipPool(tones, 2, 100, uses=2.0)
    pictures, activities = batch(pool, 24, rng)
    assert pictures.shape == (24, 300, 64)
    assert activities.shape == (24, 75, 2)
    assert pool.next_seed > 110
    loud = pictures.reshape(24, 75, 4, 64).mean(2)
    bands = np.stack([loud[:, :, 30:].max(2), loud[:, :, :30].max(2)], axis=2)
    on, off = bands[activities == 1], bands[activities == 0]
    assert on.mean() > off.mean() + 0.8, "where a kind sounds, its band is loud, mixed, masked or not"
    assert np.quantile(on, 0.2) > np.quantile(off, 0.6)


def test_changes_move_nothing_in_time():
    samples = tone(2.0, [(0.8, 1.2, 300.0)], 1e-5)
    for seed in range(5):
        picture = changed(log_mel(samples), np.random.default_rng(seed))
        assert picture.shape == (200, 64)
        assert picture.dtype == np.float32
        # The loudest frames are within the tone, unless a mask of at most eight lies over them.
        assert set(np.argsort(picture[:, :20].max(1))[-20:].tolist()) <= set(range(78, 122))


def test_a_new_network_learns_a_few_clips():
    from deixis.learned.pocket.ear.network import build_network
    from deixis.learned.pocket.ear.training import WEIGHT_DECAY, loss_of
    from deixis.learned.pocket.optimizer import Optimizer, split

    torch.manual_seed(0)
    network = build_network(len(KINDS))
    clips = [kept(clip(seed), len(KINDS)) for seed in range(1_000_000, 1_000_004)]
    pictures = np.stack([one.picture.astype(np.float32) for one in clips])
    wanted = np.stack([one.activity.astype(np.float32) for one in clips])
    assert wanted.max() == 1
    optimizer = Optimizer(split(network, WEIGHT_DECAY, ("activity",)), 4e-3)
    losses = []
    for _ in range(30):
        loss = loss_of(network, pictures, wanted, bfloat16=False)
        loss.backward()
        optimizer.step(1.0)
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 * losses[0]


def test_the_vector_of_a_frame_is_the_sum_of_what_sounds_in_it():
    from deixis.learned.pocket.ear.training import fitted_vectors

    rng = np.random.default_rng(0)
    anchors = rng.normal(size=(4, 6)).astype(np.float32)
    activity = (rng.random((500, 4)) < 0.3).astype(np.float32)
    features = activity @ rng.normal(size=(4, 10)).astype(np.float32) + 0.5
    weight, bias = fitted_vectors(features.astype(np.float32), activity, anchors)
    placed = features @ weight.T + bias
    assert np.abs(placed - activity @ anchors).max() < 0.1
    assert (placed[activity[:, 2] == 1] @ anchors[2]).mean() > (
        placed[activity[:, 2] == 0] @ anchors[2]
    ).mean() + 1


def test_the_file_says_what_the_network_says(tmp_path):
    from deixis.learned.pocket.ear.network import WIDTH, build_network
    from deixis.learned.pocket.ear.publish import onnx_bytes

    torch.manual_seed(2)
    network = build_network(3).eval()
    rng = np.random.default_rng(0)
    layer = (rng.normal(size=(5, WIDTH["small"])).astype(np.float32), rng.normal(size=5).astype(np.float32))
    kinds = tuple(Kind(name, name, f"/t/{name}", ("sound",)) for name in "abc")
    path = tmp_path / "ear.onnx"
    path.write_bytes(onnx_bytes(network, layer, kinds, Limits((0.5, 0.6, 0.7), 0.3, 0.06, 0.1)))
    one = Ear(path)
    assert (one.kinds, one.limits.high, one.dimension) == (kinds, (0.5, 0.6, 0.7), 5)
    samples = rng.normal(0, 0.1, 640 * 53).astype(np.float32)
    with torch.no_grad():
        logits, features = network(torch.from_numpy(log_mel(samples))[None])
    heard = one.hear(samples)
    assert heard.activity.shape == (53, 3)
    assert features.std() > 1e-3
    assert np.abs(heard.activity - torch.sigmoid(logits[0]).numpy()).max() < 1e-4
    assert np.abs(heard.vectors - (features[0].numpy() @ layer[0].T + layer[1])).max() < 1e-3
