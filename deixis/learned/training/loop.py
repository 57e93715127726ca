"""The loop: on one processor, one accelerator, or several processes under accelerate.

A step's loss is the mean over everything that all processes and accumulated parts have in it, so how the
work is shared out does not change what is learned. Batches and random numbers follow from the number of the
step, so a training that was killed goes on as if it had not been.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from deixis.errors import InputFault
from deixis.learned.provenance import revision
from deixis.learned.training import checkpoint
from deixis.learned.training.example import KINDS, Batch
from deixis.learned.training.feed import Feed, ahead
from deixis.learned.training.journal import Journal
from deixis.learned.training.loss import Objective, by_kind, check_finite
from deixis.learned.training.plan import MEASURED_FROM, MEASURED_TO, Plan
from deixis.learned.training.running import Runner
from deixis.learned.training.updating import Average, optimizer_of, trainable

Watch = Callable[[str, int, int, str], None]
"""Is told what is being done, the step, of how many, and a remark."""


@dataclass
class Trainee:
    """What is trained.

    Attributes:
        model: takes a batch's inputs and gives ``logits``; what takes gradients in it is trained.
        feed: the batches.
        objective: the loss.
        held: the context of every forward and backward pass, such as ``twin.using("learn")``.
        auxiliary: a further loss of the latest forward pass, such as ``twin.auxiliary_loss``.
        training: puts the model into training mode.
        resting: puts it into evaluation mode.
        unused: whether a batch may leave parameters unused, which several processes have to know.
        held_out: batches that the loss is measured on, `held_steps` of them.
        store: writes what was trained; called by one process only, while the whole weights are at hand.
    """

    model: nn.Module
    feed: Feed
    objective: Objective = field(default_factory=Objective)
    held: Callable[[], AbstractContextManager[Any]] = nullcontext
    auxiliary: Callable[[], torch.Tensor] | None = None
    training: Callable[[], object] | None = None
    resting: Callable[[], object] | None = None
    unused: bool = False
    held_out: Feed | None = None
    held_steps: int = 8
    store: Callable[[Trained], None] | None = None


@dataclass(frozen=True)
class Trained:
    """What came of it: steps, seconds of all runs together, tokens of this run, the last figures, the runs.

    Of each run are told the step that it went on `from`, how many `steps` there were to be, and its `commit`.
    """

    steps: int
    seconds: float
    tokens: int
    figures: dict[str, float]
    runs: tuple[dict[str, Any], ...] = ()


def train(
    trainee: Trainee, folder: Path, plan: Plan, resume: bool = False, watch: Watch | None = None
) -> Trained:
    """Returns what came of training `trainee.model`, which then holds the trained (or averaged) weights.

    Checkpoints and the log are kept in `folder`.

    Raises:
        InputFault: `resume`, and the folder holds no checkpoint of this training; or the disk is full.
        RunStopped: the loss is not a finite number.
    """
    runner = Runner(trainee.model, plan, trainee.unused)
    try:
        trained = _Training(trainee, folder, plan, runner, watch).run(resume)
        with runner.whole():
            if trainee.store is not None and runner.main:
                trainee.store(trained)
        runner.wait()
        return trained
    finally:
        runner.leave()
        (trainee.resting or trainee.model.eval)()


class _Training:
    """One call of `train`."""

    def __init__(
        self, trainee: Trainee, folder: Path, plan: Plan, runner: Runner, watch: Watch | None
    ) -> None:
        self.trainee, self.folder, self.plan, self.runner = trainee, folder, plan, runner
        self.watch = watch or (lambda stage, done, total, remark: None)
        self.named = trainable(runner.model)
        if not self.named:
            raise InputFault("train.nothing", "Nothing takes gradients.", "Unfreeze what is to be trained.")
        self.optimizer = optimizer_of(self.named, plan)
        self.average = Average(self.named, plan.average) if plan.average else None
        self.sliced = "logits_at" in inspect.signature(type(trainee.model).forward).parameters
        self.done, self.total, self.spent, self.tokens = 0, plan.steps, 0.0, 0
        self.earlier: list[dict[str, Any]] = []
        self.begun, self.commit = 0, revision()
        self.window = torch.zeros(len(KINDS) + 1, 2, dtype=torch.float64, device=runner.device)
        """Sums since the last line of the log: by kind, and last the loss and its steps."""

    def run(self, resume: bool) -> Trained:
        self.folder.mkdir(parents=True, exist_ok=True)
        if resume:
            self._restore()
        main = self.runner.main
        journal = Journal(self.folder, self.done, self.plan.trackers) if main else None
        began = saved = lap = time.monotonic()
        kept, figures = self.done, dict[str, float]()
        self._prepare()
        with ahead(self._batches) as batches:
            while not self.total or self.done < self.total:
                now = time.monotonic()
                if self.done == MEASURED_FROM:
                    lap = now
                if not self.total and self.done >= MEASURED_TO:
                    each = (now - lap) / (MEASURED_TO - MEASURED_FROM)
                    left = self.plan.minutes * 60 - self.spent - (now - began)
                    self.total = self.runner.told(self.done + max(1, int(left / each)))
                if self.runner.told(self._due(kept, now - saved)):
                    self._save(self.spent + now - began)
                    kept, saved = self.done, now
                norm = self._step(batches(self.done))
                measures = bool(self.plan.measure_every) and self.done % self.plan.measure_every == 0
                if measures or self.done % self.plan.log_every == 0 or self.done == self.total:
                    facts = self._facts(norm, self.spent + time.monotonic() - began)
                    facts |= self._measured() if measures else {}
                    if journal is not None:
                        journal.write(facts)
                    self.watch("training", self.done, self.total, f"loss {facts['loss']:.4f}")
        seconds = self.spent + time.monotonic() - began
        if kept != self.done or not self.done:
            self._save(seconds)
        if self.average is not None:
            self.average.swap(self.named)
        figures = self._measured()
        if journal is not None and figures:
            journal.write({"step": self.done, **figures})
        return Trained(self.done, seconds, self.runner.summed(self.tokens), figures, self._runs())

    def _runs(self) -> tuple[dict[str, Any], ...]:
        """Returns all runs; one that only finished what was trained is a run as well."""
        own = {"from": self.begun, "steps": self.total, "commit": self.commit}
        return (*self.earlier, own)

    def _prepare(self) -> None:
        (self.trainee.training or self.trainee.model.train)()

    def _batches(self, step: int) -> list[Batch]:
        """Returns this process's parts of a step, in the memory of the processor."""
        runner, parts = self.runner, self.plan.accumulate
        number = runner.count * parts
        return [self.trainee.feed.batch(step, runner.rank * parts + part, number) for part in range(parts)]

    def _due(self, kept: int, seconds: float) -> int:
        if self.done == kept or not self.total:
            return 0
        if self.plan.save_every:
            return int(self.done % self.plan.save_every == 0)
        return int(seconds > self.plan.save_every_s)

    def _step(self, batches: list[Batch]) -> float:
        """Returns the norm of the gradients of a step, which is taken."""
        runner, trainee, progress = self.runner, self.trainee, self.done / self.total if self.total else 0.0
        ready = [batch.to(runner.device) for batch in batches]
        targets = [trainee.objective.targets(batch, progress) for batch in ready]
        mass = runner.reduced(torch.stack([one.mass for one in targets]).sum()).clamp(min=1e-9)
        # The same numbers after a resumption, and other ones in every process.
        torch.manual_seed((self.plan.seed * 1_000_003 + self.done) * 1_009 + runner.rank)
        for number, (batch, target) in enumerate(zip(ready, targets, strict=True)):
            last = number == len(ready) - 1
            with runner.synchronized(last), trainee.held():
                logits = self._logits(batch, target.where)
                found, table = trainee.objective.summed(logits, target)
                # Processes' gradients are averaged, so each part is scaled up by their number.
                loss = found / mass * runner.count
                if trainee.auxiliary is not None:
                    loss = loss + trainee.auxiliary() * (target.mass / mass * runner.count)
                runner.backward(loss)
            self.window[:-1] += table
            self.window[-1, 0] += (loss / runner.count).detach()
            self.tokens += batch.tokens
        self.window[-1, 1] += 1.0 / runner.count
        norm = runner.clipped(self.plan.clip)
        self.optimizer.step(self.plan.share(self.done, self.total))
        self.done += 1
        if self.average is not None:
            self.average.follow(self.named, self.done)
        return norm

    def _logits(self, batch: Batch, where: torch.Tensor) -> torch.Tensor:
        """Returns the logits (n, vocabulary) of the n positions."""
        with self.runner.autocast():
            given = {"logits_at": where} if self.sliced else {}
            logits: torch.Tensor = self.runner.model(**batch.inputs, **given, use_cache=False).logits
            return logits if self.sliced else logits[where]

    def _facts(self, norm: float, seconds: float) -> dict[str, Any]:
        """Returns the line of the log for the steps since the last one, and begins anew."""
        sums = self.runner.reduced(self.window)
        loss = float(sums[-1, 0] / sums[-1, 1])
        check_finite(loss, self.done)
        self.window.zero_()
        facts: dict[str, Any] = {"step": self.done, "steps": self.total, "loss": round(loss, 7)}
        facts |= {f"loss_{kind}": round(value, 7) for kind, value in by_kind(sums[:-1]).items()}
        rate = self.plan.rate * self.plan.share(self.done - 1, self.total)
        return facts | {"rate": rate, "norm": round(norm, 6), "seconds": round(seconds, 2)}

    @torch.no_grad()
    def _measured(self) -> dict[str, float]:
        """Returns the held-out loss, and that of each step kind."""
        trainee, runner = self.trainee, self.runner
        if trainee.held_out is None:
            return {}
        (trainee.resting or trainee.model.eval)()
        sums = torch.zeros_like(self.window)
        for step in range(trainee.held_steps):
            batch = trainee.held_out.batch(step, runner.rank, runner.count).to(runner.device)
            target = trainee.objective.targets(batch)
            with trainee.held():
                found, table = trainee.objective.summed(self._logits(batch, target.where), target)
            sums[:-1] += table
            sums[-1] += torch.stack([found, target.mass])
        self._prepare()
        sums = runner.reduced(sums)
        figures = {"held_loss": float(sums[-1, 0] / sums[-1, 1])}
        return figures | {f"held_loss_{kind}": value for kind, value in by_kind(sums[:-1]).items()}

    def _save(self, seconds: float) -> None:
        """Writes a checkpoint of the steps that are done."""
        runner = self.runner
        sums = runner.reduced(self.window)
        self.window = sums if runner.main else torch.zeros_like(sums)
        if sums[-1, 1]:
            check_finite(float(sums[-1, 0]), self.done)
        if runner.sharded or runner.main:
            tensors = {f"weights.{name}": runner.local(value) for name, value in self.named.items()}
            tensors |= {f"optimizer.{name}": value for name, value in self.optimizer.tensors().items()}
            if self.average is not None:
                tensors |= {f"average.{name}": value for name, value in self.average.tensors.items()}
            tensors["window"] = self.window
            checkpoint.write_tensors(self.folder, self.done, tensors, runner.rank)
        runner.wait()
        if runner.main:
            facts = {**self._same(), "total": self.total, "seconds": seconds, "runs": self._runs()}
            checkpoint.publish(self.folder, self.done, facts)
        runner.wait()

    def _same(self) -> dict[str, Any]:
        """Returns what has to be the same when a training goes on."""
        own = {"accumulate", "average", "bfloat16", "clip", "decay", "meanings", "optimizer", "rate", "seed"}
        settings = self.plan.model_dump(include=own)
        processes = {"sharded_to": self.runner.count} if self.runner.sharded else {}
        loss = self.trainee.objective.plan.model_dump(mode="json")
        return {**settings, "loss": loss, "data": self.trainee.feed.facts, **processes}

    def _restore(self) -> None:
        runner = self.runner
        facts = checkpoint.read_facts(self.folder)
        checkpoint.check_same(facts, self._same())
        found = checkpoint.read_tensors(self.folder, facts, runner.rank if runner.sharded else 0)
        parts = {
            name: {key[len(name) + 1 :]: value for key, value in found.items() if key.startswith(f"{name}.")}
            for name in ("weights", "optimizer", "average")
        }
        self._check_weights(parts["weights"])
        with torch.no_grad():
            for name, value in self.named.items():
                runner.local(value).copy_(parts["weights"][name])
            for name, kept in (self.average.tensors if self.average else {}).items():
                kept.copy_(parts["average"][name])
        self.optimizer.restore(parts["optimizer"])
        if runner.main:
            self.window.copy_(found["window"])
        self.done, self.spent = int(facts["step"]), float(facts["seconds"])
        self.begun, self.earlier = self.done, list(facts.get("runs", ()))
        # Another number of steps bends the rest of the schedule.
        self.total = self.plan.steps or int(facts["total"])

    def _check_weights(self, kept: dict[str, torch.Tensor]) -> None:
        local = {name: self.runner.local(value).shape for name, value in self.named.items()}
        shapes = {name: value.shape for name, value in kept.items()}
        if local != shapes:
            other = sorted(name for name in {*local, *shapes} if local.get(name) != shapes.get(name))
            raise InputFault(
                "train.resume.shape",
                f"The checkpoint is of another network: {len(other)} weights differ, such as {other[0]}.",
                "Start it without --resume.",
            )
