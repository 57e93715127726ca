"""The training loop: it learns, fits its time, repeats itself, and goes on as if it had never stopped."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.learned.pocket import budget
from deixis.learned.pocket.budget import Budget, rate_at, train

torch = pytest.importorskip("torch")
STEPS = 30


class Brightness:
    """Learns how bright noise is; its data follow from `seed_at` and the numbers it is given."""

    learning_rate, largest_gradient = 1e-2, 2.0

    def __init__(self, stop_at: int = 0) -> None:
        from torch import nn

        torch.manual_seed(3)
        self.seed_at, self._stop_at = 5, stop_at
        network = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(), nn.Linear(144, 1)
        )
        self.network = network.to(memory_format=torch.channels_last)

    def groups(self):
        return [{"params": list(self.network.parameters()), "weight_decay": 0.01}]

    def loss(self, rng, progress):
        if self._stop_at and self.seed_at - 5 == self._stop_at:
            raise KeyboardInterrupt
        own = np.random.default_rng(self.seed_at)
        self.seed_at += 1
        bright = own.normal(0, 1, (8, 1, 1, 1)) + rng.normal(0, 0.3, (8, 3, 8, 8))
        pictures = torch.from_numpy(bright.astype(np.float32)).to(memory_format=torch.channels_last)
        return (self.network(pictures)[:, 0] - pictures.mean((1, 2, 3))).square().mean()

    def measured(self, network):
        return {"training": float(network.training)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return train(Brightness(), folder, Budget(steps=STEPS)), folder


def test_going_on_after_a_stop_gives_the_weights_of_an_uninterrupted_run(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "SAVED_EVERY_S", -1.0)
    with pytest.raises(KeyboardInterrupt):
        train(Brightness(stop_at=11), tmp_path, Budget(steps=STEPS))
    trainee = Brightness()
    torch.manual_seed(99)
    again = train(trainee, tmp_path, Budget(steps=STEPS), resume=True)
    assert (again.steps, trainee.seed_at) == (STEPS, 5 + STEPS)
    for name, value in whole[0].network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name


def test_what_was_gone_on_with_for_more_steps_says_so_and_can_be_done_again(tmp_path, monkeypatch):
    first, second = STEPS, STEPS + 9
    folder = tmp_path / "run"
    assert train(Brightness(), folder, Budget(steps=first)).legs == ()
    longer = train(Brightness(), folder, Budget(steps=second), resume=True)
    assert (longer.steps, longer.legs) == (second, ((first, first),))
    monkeypatch.setattr(budget, "SAVED_EVERY_S", -1.0)
    other = tmp_path / "other"
    train(Brightness(), other, Budget(steps=first))
    with pytest.raises(KeyboardInterrupt):
        train(Brightness(stop_at=first + 4), other, Budget(steps=second), resume=True)
    again = train(Brightness(), other, Budget(), resume=True)
    assert (again.steps, again.legs) == (second, longer.legs)
    for name, value in longer.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name


def test_a_run_repeats_itself_and_another_seed_does_not(whole, tmp_path):
    same, other = (
        train(Brightness(), tmp_path / str(seed), Budget(steps=STEPS, seed=seed)).network.state_dict()
        for seed in (0, 1)
    )
    for name, value in whole[0].network.state_dict().items():
        assert torch.equal(value, same[name])
        assert name.endswith("num_batches_tracked") or not torch.equal(value, other[name])


def test_it_learns_and_gives_back_the_averaged_network_for_use(tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "LOGGED_EVERY", 50)
    trained = train(Brightness(), tmp_path, Budget(steps=300))
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [50, 100, 150, 200, 250, 300]
    assert rows[-1]["loss"] < 0.6 * rows[0]["loss"]
    assert rows[-1]["figures"] == trained.figures == {"training": 0.0}
    assert not trained.network.training


def test_as_many_steps_are_taken_as_fit_in_the_minutes(tmp_path, monkeypatch):
    clock = 0.0

    class Slow(Brightness):
        def loss(self, rng, progress):
            nonlocal clock
            clock += 1.0
            return super().loss(rng, progress)

    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: clock))
    trained = train(Slow(), tmp_path, Budget(minutes=1.0))
    assert (trained.steps, trained.seconds) == (60, 60.0)
    facts = json.loads((tmp_path / "checkpoint.json").read_text())
    assert facts["done"] == facts["total"] == 60


def test_a_new_run_begins_a_new_log(whole, tmp_path):
    shutil.copytree(whole[1], tmp_path / "run")
    train(Brightness(), tmp_path / "run", Budget(steps=2))
    assert len((tmp_path / "run" / "log.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize("damage", ["none", "torn facts", "torn tensors", "another network"])
def test_what_cannot_be_gone_on_from_is_refused(whole, tmp_path, damage):
    folder = tmp_path / "run"
    if damage != "none":
        shutil.copytree(whole[1], folder)
    if damage == "torn facts":
        (folder / "checkpoint.json").write_text("{")
    if damage == "torn tensors":
        (folder / "checkpoint.safetensors").write_bytes(b"1234")
    trainee = Brightness()
    if damage == "another network":
        trainee.network = torch.nn.Linear(3, 1)
    with pytest.raises(InputFault, match="no checkpoint of this network") as caught:
        train(trainee, folder, Budget(steps=STEPS), resume=True)
    assert caught.value.code == "train.resume.none"


def test_the_rate_rises_and_falls():
    rates = [rate_at(step, 1000) for step in range(1000)]
    top = int(np.argmax(rates))
    assert max(rates) == pytest.approx(1.0, abs=0.02)
    assert 50 <= top <= 70
    assert all(a < b for a, b in pairwise(rates[: top + 1]))
    assert all(a > b for a, b in pairwise(rates[top:]))
    assert rates[-1] == pytest.approx(budget.LOWEST_RATE, abs=0.001)
