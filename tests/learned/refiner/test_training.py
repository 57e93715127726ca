"""The recipe on made-up samples: it learns, repeats itself, and the exported file says what PyTorch says."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from deixis.errors import InputFault, MissingExtra
from deixis.learned.refiner.samples import Samples
from deixis.tools.segmentation.planes import PICTURE_PLANES, PLANES, SIDE, box_planes
from deixis.tools.segmentation.refiner import Refiner, mirrored

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")


def made_up(things: int = 16, seed: int = 0) -> Samples:
    """Discs in boxes, seen a little through one of the planes; two rows a thing."""
    rng = np.random.default_rng(seed)
    n = things * 2
    at = (np.arange(SIDE) + 0.5) / SIDE
    box = np.tile(np.array([[0.15, 0.2, 0.85, 0.8]], np.float32), (n, 1)) + rng.normal(0, 0.03, (n, 4))
    x, y = (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2
    disc = (at[None, None] - x[:, None, None]) ** 2 + (at[None, :, None] - y[:, None, None]) ** 2 < 0.08
    planes = rng.normal(0, 0.5, (n, PICTURE_PLANES, SIDE, SIDE))
    planes[:, 3] += disc * 2.0 - 1
    return Samples(
        planes.astype(np.float16), disc.astype(np.uint8) * 255, box.astype(np.float32),
        np.repeat(np.arange(things), 2), np.repeat(np.arange(things) // 2, 2), np.tile([True, False], things),
        np.tile(np.array([[0, 0, SIDE, SIDE]]), (n, 1)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def fitted():
    from deixis.learned.refiner.training import fit

    samples = made_up()
    return samples, fit(samples, np.arange(len(samples)), epochs=24, seed=3)


def test_the_loss_falls_and_unseen_discs_are_found(fitted):
    from deixis.learned.refiner.measure import predicted

    _, outcome = fitted
    assert outcome.losses[-1] < 0.6 * outcome.losses[0]
    unseen = made_up(8, seed=9)
    chances = predicted(outcome.network, unseen, np.arange(len(unseen)))
    truth = unseen.truth > 127
    found = chances > 0.5
    ious = (found & truth).sum((1, 2)) / (found | truth).sum((1, 2))
    assert ious.mean() > 0.6


def test_the_exported_file_says_what_pytorch_says(fitted, tmp_path):
    """Nearly so in 16 bits; in 32 it does."""
    from deixis.learned.masks import mask_bytes
    from deixis.learned.refiner.publish import onnx_bytes

    samples, outcome = fitted
    half, whole = tmp_path / "refiner.onnx", tmp_path / "whole.onnx"
    half.write_bytes(onnx_bytes(outcome.network))
    whole.write_bytes(mask_bytes(outcome.network, PLANES, SIDE))
    assert half.stat().st_size < 200_000 < whole.stat().st_size
    planes = np.stack(
        [np.concatenate([samples.planes[i].astype(np.float32), box_planes(samples.box[i])]) for i in range(5)]
    )
    with torch.no_grad():
        logits, quality = outcome.network(torch.from_numpy(planes))
        turned, other = outcome.network(torch.from_numpy(mirrored(planes)))
    expected = (torch.sigmoid(quality) + torch.sigmoid(other)) / 2
    for path, tolerance in ((whole, 1e-4), (half, 1e-2)):
        found, sure = Refiner(path).logits(planes)
        assert np.abs(found - ((logits + turned.flip(2)) / 2).numpy()).max() < tolerance
        assert np.abs(sure - expected.numpy()).max() < tolerance


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    from deixis.learned.refiner.training import fit

    samples = made_up(6)
    rows = np.arange(len(samples))
    one, two, three = (fit(samples, rows, epochs=2, seed=seed).network.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], three[name]) for name in one)


def test_changes_move_the_box_with_the_picture():
    from deixis.learned.refiner.augment import Batch, augmented, full_planes

    samples = made_up(8)
    samples.planes[:, 3] = box_planes((0.0, 0.0, 1.0, 1.0))[0]
    for row in range(len(samples)):
        samples.planes[row, 4] = box_planes(samples.box[row])[0]
    batch = Batch(
        torch.from_numpy(samples.planes.astype(np.float32)),
        torch.from_numpy(samples.truth.astype(np.float32) / 255),
        torch.from_numpy(samples.box),
    )
    changed = augmented(batch, torch.Generator().manual_seed(0))
    assert not torch.allclose(changed.box, batch.box)
    drawn = full_planes(changed)[:, PICTURE_PLANES]
    # The plane that shows the box moved with the pixels; the box's own plane is drawn anew.
    assert (drawn - changed.planes[:, 4]).abs().mean() < 0.02
    assert torch.isfinite(changed.planes).all()


def test_the_planes_of_a_box_are_those_that_the_tool_makes():
    from deixis.learned.refiner.augment import Batch, full_planes

    box = torch.tensor([[0.2, 0.1, 0.9, 0.75], [-0.1, 0.3, 0.3, 1.2]])
    batch = Batch(torch.zeros(2, PICTURE_PLANES, SIDE, SIDE), torch.zeros(2, SIDE, SIDE), box)
    planes = full_planes(batch)
    assert planes.shape == (2, PLANES, SIDE, SIDE)
    for row in range(2):
        assert np.abs(planes[row, PICTURE_PLANES:].numpy() - box_planes(box[row].tolist())).max() < 1e-5


def test_mirroring_twice_changes_nothing_and_is_the_mirrored_box():
    planes = np.concatenate(
        [np.random.default_rng(0).random((13, SIDE, SIDE)), box_planes((0.2, 0.1, 0.7, 0.9))]
    )
    stack = planes[None].astype(np.float32)
    assert np.allclose(mirrored(mirrored(stack)), stack)
    assert np.allclose(mirrored(stack)[0, 13:], box_planes((0.3, 0.1, 0.8, 0.9)), atol=1e-5)


def test_folds_keep_pictures_whole():
    from deixis.learned.refiner.measure import folds

    pictures = np.repeat(np.arange(11), 3)
    found = folds(pictures, 4, seed=0)
    assert set(found) == {0, 1, 2, 3}
    assert all(len(set(found[pictures == picture])) == 1 for picture in range(11))


def test_without_pytorch_the_error_is_the_install_line(monkeypatch, tmp_path):
    from deixis.learned.refiner.recipe import Plan, train_refiner

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"pip install 'deixis\[learned\]'"):
        train_refiner(tmp_path, tmp_path / "r.onnx", Plan())
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtra, match=r"pip install 'deixis\[export\]'"):
        train_refiner(tmp_path, tmp_path / "r.onnx", Plan())


def test_files_appear_whole_beside_each_other(tmp_path):
    from deixis.learned.publish import write_files

    card = write_files(b"net", {"name": "x"}, tmp_path / "new" / "mine.onnx")
    assert card == tmp_path / "new" / "mine.json"
    assert json.loads(card.read_text()) == {"name": "x"}
    assert sorted(path.name for path in card.parent.iterdir()) == ["mine.json", "mine.onnx"]
    (tmp_path / "file").write_text("")
    with pytest.raises(InputFault) as caught:
        write_files(b"net", {}, tmp_path / "file" / "mine.onnx")
    assert caught.value.code == "train.out.unwritable"


def test_the_mean_of_networks_gives_the_mean_of_their_logits():
    import torch

    from deixis.learned.refiner.network import averaged
    from deixis.learned.refiner.training import build_seeded

    members = [build_seeded(seed).eval() for seed in (1, 2, 3)]
    planes = torch.randn(2, 16, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = averaged(members)(planes)
        each = [member(planes) for member in members]
    for which in (0, 1):
        expected = torch.stack([one[which] for one in each]).mean(0)
        assert torch.allclose(found[which], expected, atol=1e-6)
        assert not torch.allclose(found[which], each[0][which], atol=1e-3)
