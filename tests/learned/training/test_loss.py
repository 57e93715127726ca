"""The equalities of the losses by step, and the weights inside them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.errors import RunStopped
from deixis.learned.training.collate import Collator
from deixis.learned.training.example import KINDS
from deixis.learned.training.loss import MODES, LossPlan, Objective, by_kind, check_finite
from tests.learned.training.tiny import VOCABULARY, example, tiny_model

MODEL = tiny_model().eval()


def _loss(plan: LossPlan, several: list, progress: float = 1.0, pack: int = 0) -> float:
    batch = Collator(turns=plan.mode == "separate_turns", pack=pack)(several)
    with torch.no_grad():
        return float(Objective(plan).mean(MODEL(**batch.inputs).logits, batch, progress))


def _own(several: list) -> float:
    batch = Collator()(several)
    with torch.no_grad():
        return float(MODEL(**batch.inputs, labels=batch.labels).loss)


@pytest.mark.parametrize("mode", MODES)
def test_samples_of_one_step_have_the_models_own_loss(mode: str) -> None:
    several = [example((length,), seed) for seed, length in enumerate((5, 1, 9))]
    assert _loss(LossPlan(mode=mode), several) == pytest.approx(_own(several), abs=2e-6)


@pytest.mark.parametrize("mode", MODES)
def test_equal_steps_make_every_mode_the_token_mean(mode: str) -> None:
    several = [example((4, 4, 4), 1), example((2, 2), 2, gap=3)]
    assert _loss(LossPlan(mode=mode), several) == pytest.approx(_own(several), abs=2e-6)


def test_token_mean_is_the_models_own_loss_whatever_the_steps() -> None:
    several = [example((7, 2, 1), 1), example((1, 5), 2, gap=2)]
    assert _loss(LossPlan(mode="token_mean"), several) == pytest.approx(_own(several), abs=2e-6)


def test_steps_of_7_2_and_1_tokens_give_the_numbers_of_the_note() -> None:
    """2.939 by steps against 2.753 by tokens; the means of the steps are chosen so."""
    means = (2.6, 3.113, 3.104)
    batch = Collator()([example((7, 2, 1))])
    logits = torch.zeros(*batch.labels.shape, VOCABULARY)
    for step, mean in enumerate(means):
        for at in torch.nonzero(batch.step_id[0] == step)[:, 0].tolist():
            # -log p = mean where the right token's logit is this and all others' are 0
            odds = math.exp(-mean)
            logits[0, at - 1, batch.labels[0, at]] = math.log(odds / (1 - odds) * (VOCABULARY - 1))
    by_tokens = float(Objective(LossPlan(mode="token_mean")).mean(logits, batch))
    by_steps = float(Objective(LossPlan(mode="step_mean")).mean(logits, batch))
    assert round(by_tokens, 3) == 2.753
    assert round(by_steps, 3) == 2.939


@given(st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=4), min_size=1, max_size=4))
@settings(max_examples=20)
def test_step_mean_is_what_its_formula_says(lengths: list[list[int]]) -> None:
    several = [example(tuple(one), seed) for seed, one in enumerate(lengths)]
    batch = Collator()(several)
    random = torch.randn(*batch.labels.shape, VOCABULARY, generator=torch.Generator().manual_seed(1))
    chances = -torch.log_softmax(random, -1)
    total = weight = 0.0
    for row, steps in enumerate(lengths):
        found = []
        for step in range(len(steps)):
            places = torch.nonzero(batch.step_id[row] == step)[:, 0]
            found.append(float(chances[row, places - 1, batch.labels[row, places]].mean()))
        total += sum(steps) * float(np.mean(found))
        weight += sum(steps)
    assert float(Objective().mean(random, batch)) == pytest.approx(total / weight, rel=1e-5)


@pytest.mark.parametrize("mode", ["token_mean", "step_mean", "step_weighted", "curriculum"])
@pytest.mark.parametrize(("samples", "power"), [("by_tokens", 1), ("by_root", 0.5), ("alike", 0)])
def test_samples_count_by_a_power_of_their_length(mode: str, samples: str, power: float) -> None:
    lengths = ((9,), (1,), (2, 4))
    several = [example(steps, seed) for seed, steps in enumerate(lengths, 1)]
    batch = Collator()(several)
    random = torch.randn(*batch.labels.shape, VOCABULARY, generator=torch.Generator().manual_seed(1))
    alone = []
    for one in several:
        own = Collator()([one])
        rows = random[len(alone)][None, : own.labels.shape[1]]
        alone.append(float(Objective(LossPlan(mode=mode)).mean(rows, own)))
    weights = [sum(steps) ** power for steps in lengths]
    found = float(Objective(LossPlan(mode=mode, samples=samples)).mean(random, batch))
    assert found == pytest.approx(np.average(alone, weights=weights), rel=1e-5)
    assert found != pytest.approx(np.average(alone, weights=weights[::-1]), rel=1e-3) or power == 0


def test_separate_turns_say_what_step_mean_says() -> None:
    several = [example((7, 2, 1), 3, gap=2), example((1, 6), 4)]
    separate, together = (_loss(LossPlan(mode=mode), several) for mode in ("separate_turns", "step_mean"))
    assert separate == pytest.approx(together, abs=2e-6)
    assert Collator(turns=True)(several).labels.shape[0] == 5


@pytest.mark.parametrize("mode", ["token_mean", "step_mean", "step_weighted", "curriculum"])
def test_packing_changes_no_loss(mode: str) -> None:
    several = [example((7, 2, 1), 3, gap=2), example((1, 6), 4), example((3,), 5)]
    plan = LossPlan(mode=mode, kind_weights={"find": 0.3})
    assert _loss(plan, several, 0.1, pack=64) == pytest.approx(_loss(plan, several, 0.1), abs=2e-6)


def test_weighted_steps_leave_out_what_weighs_nothing() -> None:
    several = [example((5, 2, 3), 1)]
    only = LossPlan(mode="step_weighted", kind_weights={"find": 0.0, "locate": 0.0})
    table = torch.zeros(len(KINDS), 2)
    batch = Collator()(several)
    objective = Objective(only)
    with torch.no_grad():
        targets = objective.targets(batch)
        _, table = objective.summed(MODEL(**batch.inputs).logits[targets.where], targets)
    assert _loss(only, several) == pytest.approx(by_kind(table)["answer"], abs=2e-6)
    assert set(by_kind(table)) == {"find", "locate", "answer"}
    assert table[:, 1].sum() == 10


def test_the_curriculum_unlocks_one_step_after_the_other() -> None:
    several = [example((5, 2, 3), 1)]
    plan = LossPlan(mode="curriculum", unlocked_by=0.5, most_steps=2)
    batch = Collator()(several)
    with torch.no_grad():
        counted = [
            Objective(plan).targets(batch, progress).weights.count_nonzero().item()
            for progress in (0.0, 0.3, 0.5, 1.0)
        ]
    assert counted == [5, 7, 10, 10]
    assert _loss(plan, several, 0.6) == pytest.approx(_loss(LossPlan(), several), abs=1e-7)
    assert _loss(plan, several, 0.0) != pytest.approx(_loss(LossPlan(), several), abs=1e-3)


@pytest.mark.parametrize("weight", [0.25, 4.0])
@pytest.mark.parametrize("mode", ["token_mean", "step_mean"])
def test_gradients_of_coordinates_are_as_many_times_larger_as_their_weight(mode: str, weight: float) -> None:
    batch = Collator()([example((6,), 2)])
    said = batch.labels[0, 3:].tolist()
    coordinates = said[::2]
    norms = {}
    for factor in (1.0, weight):
        logits = torch.zeros(*batch.labels.shape, VOCABULARY, requires_grad=True)
        plan = LossPlan(mode=mode, coordinate_weight=factor)
        Objective(plan, coordinates).mean(logits, batch).backward()
        norms[factor] = logits.grad.norm(dim=-1)[0, 2:-1]
    chosen = torch.tensor([token in coordinates for token in said])
    assert not chosen.all()
    assert norms[1.0][chosen].mean() == pytest.approx(float(norms[1.0][~chosen].mean()), rel=1e-5)
    assert norms[weight][chosen].mean() == pytest.approx(
        weight * float(norms[weight][~chosen].mean()), rel=1e-5
    )


def test_weight_one_for_coordinates_is_off() -> None:
    several = [example((7, 2, 1), 1)]
    with torch.no_grad():
        batch = Collator()(several)
        logits = MODEL(**batch.inputs).logits
        with_them = Objective(LossPlan(coordinate_weight=1.0), range(VOCABULARY)).mean(logits, batch)
        assert torch.equal(with_them, Objective().mean(logits, batch))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_stops_the_training(value: float) -> None:
    with pytest.raises(RunStopped) as caught:
        check_finite(value, 7)
    assert caught.value.code == "train.loss.infinite"
    assert "step 7" in str(caught.value)
