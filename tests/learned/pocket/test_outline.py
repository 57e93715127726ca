"""The outline recipe: prompts are true to the scene, a batch is learned, the file says what PyTorch says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deixis.geometry import Box
from deixis.learned.pocket.outline.samples import (
    Batch,
    ScenePool,
    askable,
    assembled,
    augmented,
    batch,
    of_box,
    of_nothing,
    of_point,
    size_of,
)
from deixis.learned.world.scenes import scene
from deixis.tools.pocket.outline import MARGIN, SIDE, Outline, mirrored
from deixis.tools.segmentation.window import enlarged, window_around

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

SEEDS = range(1_000_000, 1_000_012)


@pytest.fixture(scope="module")
def things():
    """Scenes with a thing of each that may be asked for."""
    return [(one, int(thing)) for one in map(scene, SEEDS) for thing in askable(one)[:2]]


@pytest.fixture(scope="module")
def network():
    from deixis.learned.pocket.outline.network import build_network

    torch.manual_seed(0)
    return build_network().eval()


def test_the_truth_of_a_box_put_back_is_the_thing(things):
    """Cells are coarser than pixels: thin things lose some, no thing loses much."""
    ious = []
    for one, thing in things:
        box = Box.of(one.boxes[thing].tolist())
        sample = of_box(one, thing, box)
        window = window_around(box.clip(size_of(one)), size_of(one), MARGIN)
        found = np.zeros(one.owner.shape, bool)
        found[window.y1 : window.y2, window.x1 : window.x2] = enlarged(
            sample.truth.astype(np.float32) / 255, window, box
        )
        truth = one.mask(thing)
        ious.append((found & truth).sum() / (found | truth).sum())
        assert sample.beyond == 0, "the window of a true box holds all of its thing"
    assert np.mean(ious) > 0.95
    assert min(ious) > 0.8


def test_a_point_lies_on_its_thing_and_what_is_cut_off_is_counted(things):
    rng = np.random.default_rng(0)
    beyond = []
    for one, thing in things:
        sample = of_point(one, thing, rng)
        row, column = np.unravel_index(sample.prompt[3].argmax(), (SIDE, SIDE))
        near = sample.truth[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        assert near.max() > 127
        assert not sample.inside
        beyond.append(sample.beyond)
    assert min(beyond) == 0 < max(beyond), "narrow windows cut their thing off, wide ones do not"


def test_a_box_on_the_ground_has_an_empty_mask():
    rng = np.random.default_rng(1)
    found = [of_nothing(scene(seed), rng) for seed in SEEDS for _ in range(5)]
    kept = [one for one in found if one is not None]
    assert kept
    assert all(one.truth.max() == 0 for one in kept)


def test_changes_of_colour_and_mirroring_leave_the_truth_on_its_thing():
    """The truth is painted into the picture: wherever a sample is turned, paint and truth stay together."""
    rng = np.random.default_rng(2)
    plain = assembled([of_box(one, int(askable(one)[0]), Box.of(one.boxes[askable(one)[0]].tolist()))
                       for one in map(scene, SEEDS) if len(askable(one))])  # fmt: skip
    planes = plain.planes.copy()
    planes[:, :3] = plain.truth[:, None] * 4 - 2
    changed = augmented(Batch(planes, plain.truth, plain.beyond, plain.inside), rng)
    straight = turned = 0
    for index in range(len(plain.truth)):
        same, truth = plain.planes[index : index + 1], plain.truth[index]
        paint = changed.planes[index, :3].mean(0).ravel()
        assert abs(np.corrcoef(paint, changed.truth[index].ravel())[0, 1]) > 0.6
        asked = changed.planes[index, 3:]
        as_drawn = np.array_equal(changed.truth[index], truth) and np.array_equal(asked, same[0, 3:])
        as_seen = np.array_equal(changed.truth[index], truth[:, ::-1])
        as_seen = as_seen and np.array_equal(asked, mirrored(same)[0, 3:])
        assert as_drawn or as_seen
        straight, turned = straight + as_drawn, turned + as_seen
    assert straight and turned


def test_the_pool_draws_each_scene_once_and_gives_it_several_times():
    drawn: list[int] = []
    pool = ScenePool(lambda seed: drawn.append(seed) or seed, 500, most=100, uses=4.0)
    rng = np.random.default_rng(0)
    given = [pool.take(rng) for _ in range(1000)]
    assert drawn == list(range(500, pool.next_seed))
    assert len(given) / len(drawn) == pytest.approx(4, rel=0.3)
    assert max(given[-50:]) > 700, "new scenes come in"
    assert min(given[-50:]) > 500, "old ones go"


def test_a_new_network_learns_a_batch_of_a_few_scenes():
    from deixis.learned.pocket.optimizer import Optimizer, split
    from deixis.learned.pocket.outline.network import build_network
    from deixis.learned.pocket.outline.training import WEIGHT_DECAY, loss_of

    torch.manual_seed(0)
    network = build_network().to(memory_format=torch.channels_last)
    one = batch(ScenePool(scene, SEEDS[0]), 8, np.random.default_rng(0))
    optimizer = Optimizer(split(network, WEIGHT_DECAY), 6e-3)
    losses = []
    for _ in range(45):
        loss = loss_of(network, one, bfloat16=False)
        loss.backward()
        optimizer.step(1.0)
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.45 * losses[0]
    with torch.no_grad():
        logits, _ = network(torch.from_numpy(one.planes).to(memory_format=torch.channels_last))
    inside = np.where(one.inside[:, None, None], one.planes[:, 3] > 0.5, True)
    found, truth = (logits.numpy() > 0) & inside, one.truth > 0.5
    ious = (found & truth).sum((1, 2)) / np.maximum((found | truth).sum((1, 2)), 1)
    assert np.mean(ious) > 0.75


def test_the_file_says_what_the_network_says(network, tmp_path):
    from deixis.learned.pocket.outline.publish import onnx_bytes

    path = tmp_path / "outline.onnx"
    path.write_bytes(onnx_bytes(network))
    planes = batch(ScenePool(scene, SEEDS[0]), 20, np.random.default_rng(3)).planes
    with torch.no_grad():
        there, sure = network(torch.from_numpy(planes))
        back, sure_back = network(torch.from_numpy(mirrored(planes)))
    expected = torch.sigmoid((there + back.flip(2)) / 2).numpy()
    quality = ((torch.sigmoid(sure) + torch.sigmoid(sure_back)) / 2).numpy()
    chances, estimated = Outline(path).masks(planes)
    assert expected.std() > 1e-3
    assert np.abs(chances - expected).max() < 1e-4
    assert np.abs(estimated - quality).max() < 1e-4


def test_the_measure_is_one_for_the_truth_and_low_for_its_opposite(things):
    from deixis.learned.pocket.outline.training import box_ious

    class Said(torch.nn.Module):
        """Says what is white in the picture, or what is not."""

        def __init__(self, sign: float) -> None:
            super().__init__()
            self.sign = sign

        def forward(self, planes):
            return planes[:, 0] * self.sign, planes[:, 0].mean((1, 2))

    painted = [
        replace(one, pixels=np.repeat(255 * (one.owner == k + 1)[:, :, None], 3, 2).astype(np.uint8),
                owner=np.where(one.owner == k + 1, 1, 0).astype(np.uint8), boxes=one.boxes[k : k + 1],
                shown=one.shown[k : k + 1])
        for one, k in things
    ]  # fmt: skip
    assert box_ious(Said(1.0), painted).mean() > 0.97
    assert box_ious(Said(-1.0), painted).mean() < 0.1
