"""Muon for the inner weights, AdamW for the rest, and both go on where they were stopped."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch")

from deixis.errors import InputFault  # noqa: E402
from deixis.learned.pocket.optimizer import MUON_FACTOR, Optimizer, split  # noqa: E402


def network(layout: torch.memory_format) -> torch.nn.Module:
    torch.manual_seed(0)
    made = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Conv2d(8, 6, 3), torch.nn.Flatten(),
        torch.nn.Linear(6 * 16, 5), torch.nn.Linear(5, 2),
    )  # fmt: skip
    return made.to(memory_format=layout)


def taught(made: torch.nn.Module, optimizer: Optimizer, seeds: range) -> list[float]:
    losses = []
    for seed in seeds:
        given = torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(seed % 2))
        loss = (made(given)[:, 0] - given.mean((1, 2, 3)) * 10).square().mean()
        loss.backward()
        optimizer.step(0.5)
        losses.append(float(loss.detach()))
    return losses


LAYOUTS = [torch.contiguous_format, torch.channels_last]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_weight_moves_and_the_loss_falls(layout: torch.memory_format):
    made = network(layout)
    before = {name: value.clone() for name, value in made.named_parameters()}
    losses = taught(made, Optimizer(split(made, 0.01, ("5",)), 1e-2), range(40))
    assert sum(losses[-8:]) < 0.3 * sum(losses[:8])
    assert all(not torch.equal(before[name], value) for name, value in made.named_parameters())
    assert all(value.grad is None for value in made.parameters())


def test_both_layouts_take_the_same_steps():
    made = [network(layout) for layout in LAYOUTS]
    for one in made:
        taught(one, Optimizer(split(one, 0.01), 1e-3), range(3))
    for first, second in zip(made[0].parameters(), made[1].parameters(), strict=True):
        assert torch.allclose(first, second, atol=2e-3)


def test_a_step_of_an_inner_weight_is_orthogonal():
    made = network(torch.channels_last)
    before = made[2].weight.detach().clone()
    optimizer = Optimizer(split(made, 0.0), 1e-2)
    taught(made, optimizer, range(1))
    change = (made[2].weight.detach() - before).permute(0, 2, 3, 1).flatten(1)
    values = torch.linalg.svdvals(change) / (1e-2 * MUON_FACTOR * 0.5 * 0.2 * 72**0.5)
    assert values.min() > 0.6
    assert values.max() < 1.3  # five Newton-Schulz steps bring singular values to about 1


def test_the_groups_hold_every_weight_once_and_the_inner_ones_apart():
    made = network(torch.contiguous_format)
    inner, others, free = split(made, 0.03, ("5",))
    assert [id(one) for one in inner["params"]] == [id(made[2].weight), id(made[4].weight)]
    assert {id(one) for one in others["params"]} == {id(made[0].weight), id(made[5].weight)}
    assert free["weight_decay"] == 0
    assert all(one.ndim == 1 for one in free["params"])
    everything = [id(one) for group in (inner, others, free) for one in group["params"]]
    assert sorted(everything) == sorted(id(one) for one in made.parameters())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_restored_optimizer_goes_on_to_the_bit(layout: torch.memory_format):
    made = network(layout)
    optimizer = Optimizer(split(made, 0.01), 1e-3)
    taught(made, optimizer, range(5))
    kept = {name: value.clone() for name, value in optimizer.tensors().items()}
    other = copy.deepcopy(made)
    taught(made, optimizer, range(5, 9))
    again = Optimizer(split(other, 0.01), 1e-3)
    again.restore(kept)
    taught(other, again, range(5, 9))
    for first, second in zip(made.parameters(), other.parameters(), strict=True):
        assert torch.equal(first, second)


def test_the_memory_of_another_network_is_refused():
    made = network(torch.contiguous_format)
    optimizer = Optimizer(split(made, 0.01), 1e-3)
    taught(made, optimizer, range(2))
    smaller = torch.nn.Sequential(torch.nn.Linear(4, 4))
    with pytest.raises(InputFault) as caught:
        Optimizer(split(smaller, 0.01), 1e-3).restore(optimizer.tensors())
    assert caught.value.code == "train.resume.shape"
