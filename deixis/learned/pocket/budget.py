"""A training that fits a time budget, writes what happens, and goes on where it was stopped.

How many steps fit is measured on the first ones, and kept: with the same number of steps and the same
seed the same network comes out on one machine. A checkpoint is a folder file of tensors (safetensors)
and one of facts (JSON), written together every few minutes, with the state of every random number: who
goes on gets the network of an uninterrupted run, as far as the trainee's data depend on `seed_at` and the
numbers it is given alone (a pool of drawn scenes is filled anew).
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from deixis.errors import InputFault
from deixis.learned.averaging import take_in
from deixis.learned.pocket.optimizer import Optimizer

if TYPE_CHECKING:
    import torch

CHANCE = "chance"
"""Name of the tensor with PyTorch's random state."""
TENSORS, FACTS, LOG = "checkpoint.safetensors", "checkpoint.json", "log.jsonl"
MEASURED_FROM, MEASURED_TO = 4, 24
"""Steps by which the speed is measured; the first ones fill the pool."""
SAVED_EVERY_S, LOGGED_EVERY = 120.0, 50
WARM_UP, LOWEST_RATE = 0.06, 0.01
AVERAGING = 0.998

Legs = tuple[tuple[int, int], ...]
Watch = Callable[[str, int, int, str], None]
"""Is told what is being done, the step, of how many, and a remark."""


class Trainee(Protocol):
    """What is trained. `seed_at` is the next seed of its data, which a checkpoint keeps."""

    network: torch.nn.Module
    learning_rate: float
    largest_gradient: float
    seed_at: int

    def groups(self) -> list[dict[str, Any]]:
        """Returns the parameter groups for the optimizer."""
        ...

    def loss(self, rng: np.random.Generator, progress: float) -> torch.Tensor:
        """Returns the loss of the next batch; `progress` in 0..1 is the share of the steps that are done."""
        ...

    def measured(self, network: torch.nn.Module) -> dict[str, float]:
        """Returns figures of the network (in evaluation mode) on validation seeds."""
        ...


@dataclass(frozen=True)
class Budget:
    """How long: `steps` if given, else as many as fit in `minutes`."""

    minutes: float = 20.0
    steps: int = 0
    measure_every: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Trained:
    """The averaged network in evaluation mode, the number of steps, and the log's last figures.

    `legs`: of each training that was gone on with for another number of steps, the step at which that was
    and the number of steps that its schedule was made for.
    """

    network: torch.nn.Module
    steps: int
    seconds: float
    figures: dict[str, float]
    legs: Legs = ()


def rate_at(step: int, total: int) -> float:
    """Returns the share of the highest learning rate: a linear rise, then a half cosine."""
    rise = max(1.0, WARM_UP * total)
    if step < rise:
        return (step + 1) / (rise + 1)
    share = (step - rise) / max(1.0, total - rise)
    return LOWEST_RATE + (1 - LOWEST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def train(
    trainee: Trainee, folder: Path, budget: Budget, resume: bool = False, watch: Watch | None = None
) -> Trained:
    """Returns the trained network; checkpoints and the log are kept in `folder`.

    Raises:
        InputFault: `resume` and the folder holds no checkpoint of this network.
    """
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    network = trainee.network
    average = copy.deepcopy(network).eval()
    optimizer = Optimizer(trainee.groups(), trainee.learning_rate)
    done, total, spent = 0, budget.steps, 0.0
    legs: Legs = ()
    rng = np.random.default_rng([budget.seed, done])
    if resume:
        done, kept, spent, trainee.seed_at, legs = _restored(folder, network, average, optimizer, rng)
        if total not in (0, kept):  # another number of steps bends the rest of the schedule
            legs = (*legs, (done, kept))
        total = total or kept
    elif (folder / LOG).exists():
        (folder / LOG).unlink()
    began = saved = lap = time.monotonic()
    losses: list[float] = []
    network.train()
    while not total or done < total:
        # As long as nobody knows how many steps there will be, their speed is measured on any of them.
        loss = trainee.loss(rng, done / total if total else float(rng.random()))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), trainee.largest_gradient)
        optimizer.step(rate_at(done, total) if total else 1.0 / (MEASURED_TO + 1))
        done += 1
        take_in(average, network, min(AVERAGING, done / (done + 10)))
        losses.append(float(loss.detach()))
        if done == MEASURED_FROM:
            lap = time.monotonic()
        if not total and done == MEASURED_TO:
            each = (time.monotonic() - lap) / (MEASURED_TO - MEASURED_FROM)
            total = done + max(0, int((budget.minutes * 60 - (time.monotonic() - began)) / each))
        now = time.monotonic()
        if done % LOGGED_EVERY == 0 or done == total:
            facts: dict[str, Any] = {"step": done, "steps": total, "loss": round(float(np.mean(losses)), 5)}
            losses = []
            facts["seconds"] = round(spent + now - began, 1)
            if done == total or (budget.measure_every and done % budget.measure_every == 0):
                facts["figures"] = trainee.measured(average)
            _log(folder, facts)
            if watch is not None:
                watch("training", done, total, f"loss {facts['loss']:.4f} {facts.get('figures', '')}")
        if now - saved > SAVED_EVERY_S or done == total:
            at = (done, total, spent + now - began, trainee.seed_at, legs)
            _save(folder, network, average, optimizer, rng, at)
            saved = now
    figures = trainee.measured(average)
    return Trained(average, done, spent + time.monotonic() - began, figures, legs)


def _log(folder: Path, facts: dict[str, Any]) -> None:
    with (folder / LOG).open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(facts) + "\n")


def _save(
    folder: Path,
    network: torch.nn.Module,
    average: torch.nn.Module,
    optimizer: Optimizer,
    rng: np.random.Generator,
    at: tuple[int, int, float, int, Legs],
) -> None:
    import torch
    from safetensors.torch import save_file

    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    tensors |= {f"optimizer.{name}": value for name, value in optimizer.tensors().items()}
    tensors[CHANCE] = torch.get_rng_state()
    part = folder / (TENSORS + ".part")
    save_file({name: value.contiguous().clone() for name, value in tensors.items()}, part)
    part.replace(folder / TENSORS)
    facts: dict[str, Any] = dict(zip(("done", "total", "seconds", "seed_at", "legs"), at, strict=True))
    facts["numbers"] = rng.bit_generator.state
    part = folder / (FACTS + ".part")
    part.write_text(json.dumps(facts), "utf-8")
    part.replace(folder / FACTS)


def _restored(
    folder: Path,
    network: torch.nn.Module,
    average: torch.nn.Module,
    optimizer: Optimizer,
    rng: np.random.Generator,
) -> tuple[int, int, float, int, Legs]:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(folder / TENSORS)
        facts = json.loads((folder / FACTS).read_text("utf-8"))
        network.load_state_dict(_under(tensors, "network."))
        average.load_state_dict(_under(tensors, "average."))
        optimizer.restore(_under(tensors, "optimizer."))
        torch.set_rng_state(tensors[CHANCE])
        rng.bit_generator.state = facts["numbers"]
        legs = tuple((int(at), int(planned)) for at, planned in facts.get("legs", ()))
        return int(facts["done"]), int(facts["total"]), float(facts["seconds"]), int(facts["seed_at"]), legs
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise InputFault(
            "train.resume.none",
            f"{folder.name} holds no checkpoint of this network: {error}",
            "Start it without --resume.",
        ) from error


def _under(tensors: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
