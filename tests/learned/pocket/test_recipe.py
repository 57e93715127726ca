"""What the three recipes share: the trainee's frame, the pool that data come from, and the card."""

from __future__ import annotations

import hashlib
import json
import sys

import numpy as np
import pytest

from deixis.errors import InputFault, MissingExtra
from deixis.learned.pocket.budget import Budget, Trained
from deixis.learned.pocket.pool import FEWEST, Pool
from deixis.learned.pocket.recipe import About, PocketTrainee, require_all, written

torch = pytest.importorskip("torch")

ABOUT = About(
    name="pocket thing",
    purpose="shows what a card says",
    recipe_version="7",
    preset="small",
    channels=[3, 4],
    data={"scenes": 12, "first_seed": 5},
    training={"batch": 2, "bfloat16": False},
    validation={"seeds": [9, 3], "figure": 0.5},
    limits="none",
    more={"input": {"side": 8}},
)


@pytest.fixture
def trained():
    return Trained(torch.nn.Linear(3, 4), steps=11, seconds=4.6, figures={}, legs=((5, 7),))


def test_the_card_lies_beside_the_network_and_says_what_was_done(trained, tmp_path):
    card = written(b"net", trained, Budget(minutes=1.0, seed=3), ABOUT, tmp_path / "thing.onnx")
    assert (tmp_path / "thing.onnx").read_bytes() == b"net"
    assert json.loads((tmp_path / "thing.json").read_text()) == card
    assert card["digest"] == f"sha256:{hashlib.sha256(b'net').hexdigest()}"
    assert card["parameters"] == 3 * 4 + 4 and card["seconds"] == 5
    budget = {"minutes": 1.0, "steps": 11, "legs": [[5, 7]], "measure_every": 0, "seed": 3}
    assert card["budget"] == budget | {"batch": 2, "bfloat16": False}
    assert card["input"] == {"side": 8} and card["validation"]["figure"] == 0.5
    assert list(card)[:4] == ["name", "purpose", "recipe_version", "digest"]


def test_a_folder_that_cannot_be_written_is_the_callers_to_change(trained, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputFault) as caught:
        written(b"net", trained, Budget(), ABOUT, tmp_path / "file" / "thing.onnx")
    assert caught.value.code == "train.out.unwritable"


@pytest.mark.parametrize(("missing", "extra"), [("torch", "learned"), ("onnx", "export")])
def test_what_is_missing_is_said_before_anything_is_trained(monkeypatch, missing, extra):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtra, match=rf"pip install 'deixis\[{extra}\]'"):
        require_all()


def test_a_trainee_goes_on_from_the_seed_of_its_data():
    class Lines(PocketTrainee):
        learning_rate, largest_gradient, weight_decay, outer = 1e-3, 1.0, 0.25, ("out",)

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.out = torch.nn.Linear(4, 5), torch.nn.Linear(5, 6)

    pool = Pool(lambda seed: seed, 40, 10, 2.0)
    one = Lines(Network(), pool, bfloat16=False)
    one.seed_at = 77
    assert (pool.take(np.random.default_rng(0)), one.seed_at) == (77, 78)
    decaying = [weight.shape for group in one.groups() if group["weight_decay"] for weight in group["params"]]
    assert decaying == [(5, 4), (6, 5)], "the inner weight, then what reads the features"
    assert [group.get("inner", False) for group in one.groups()] == [True, False, False]


def test_a_pool_makes_new_ones_at_first_and_then_one_in_so_many_uses():
    made: list[int] = []
    pool = Pool(lambda seed: made.append(seed) or seed, 500, 100, 4.0)
    rng = np.random.default_rng(0)
    first = [pool.take(rng) for _ in range(FEWEST)]
    assert first == made == list(range(500, 500 + FEWEST))
    later = [pool.take(rng) for _ in range(400)]
    assert len(made) - FEWEST in (100, 101) and pool.next_seed == 500 + len(made)
    assert set(later) - set(first) and set(later) & set(first)
    assert len({*later[-200:]}) <= 100 + 51, "no more than `most` are kept, and what was new since"
