"""Stage U: the whole decoder and the adapters learn to understand pictures and sounds of the world.

The encoders are the pocket tools' own and stay as they are. What comes out is the base, which is frozen from
then on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deixis.learned.mllm.build import load, new_model, save_half
from deixis.learned.mllm.understanding import UnderstandingSpec
from deixis.learned.training.card import described, write_card
from deixis.learned.training.collate import MULTIPLE, Collator
from deixis.learned.training.dialogues import conversations
from deixis.learned.training.feed import Examples
from deixis.learned.training.loop import Trained, Trainee, train
from deixis.learned.training.loss import LossPlan, Objective
from deixis.learned.training.plan import Plan
from deixis.learned.training.running import main_first
from deixis.learned.training.updating import trainable
from deixis.learned.world.scenes import TRAIN_SEED

HELD_SEED = 500_000
"""Conversations by which the loss is measured; between the test seeds and the training seeds."""
PLAN = Plan(optimizer="muon", rate=6e-4, meanings=0.3, average=0.998, minutes=60)
LOSS = LossPlan(mode="token_mean", samples="by_root")

Watch = Callable[[str, int, int, str], None]


@dataclass(frozen=True)
class Understanding:
    """What stage U is made of.

    Attributes:
        preset: of the model, where it is new.
        base: a stored model to go on from; None makes a new one.
        conversations: of the training; each has several questions about one picture, sound or pair.
        pointing: questions of each that are to be answered by coordinates.
        choosing: questions of each picture that are to be answered by numbers of boxes on offer.
        held: conversations that the loss is measured on.
        batch: conversations a step.
        seed: of the weights and the order.
        first_seed: of the world.
        model: further arguments of `new_model`.
        workers: processes that draw conversations while this one looks at them.
    """

    preset: str = "small"
    base: Path | None = None
    conversations: int = 20_000
    pointing: int = 2
    choosing: int = 2
    held: int = 128
    batch: int = 8
    seed: int = 0
    first_seed: int = TRAIN_SEED
    model: dict[str, Any] = field(default_factory=dict)
    workers: int = max(0, (os.cpu_count() or 1) - 1)


def prepared(
    out: Path, what: Understanding, loss: LossPlan, data: Path | None = None, watch: Watch | None = None
) -> tuple[Trainee, Any]:
    """Returns what is trained, and the processor; the data are made as far as they are not there yet."""
    if what.base is not None:
        model, processor = load(what.base)
    else:
        model, processor = new_model(what.preset, seed=what.seed, **what.model)
    folder = data or out / "data"

    def tell(stage: str) -> Callable[[int, int], None]:
        return lambda done, total: watch(stage, done, total, "") if watch else None

    given, spec = (model, processor), UnderstandingSpec(pointing=what.pointing, choosing=what.choosing)
    held = conversations(folder / "held", *given, HELD_SEED, what.held, spec, tell("held-out data"))
    wanted = folder / "train", *given, what.first_seed, what.conversations, spec, tell("data"), what.workers
    shown = conversations(*wanted)
    collator = Collator(processor.tokenizer.pad_token_id, multiple=MULTIPLE)
    name = f"conversations from seed {what.first_seed}"
    feed = Examples(
        len(shown), shown.__getitem__, collator, what.batch, what.seed, lengths=shown.lengths, name=name
    )
    size = min(what.batch, len(held))
    measured = Examples(len(held), held.__getitem__, collator, size, lengths=held.lengths)
    trainee = Trainee(
        model,
        feed,
        Objective(loss),
        unused=True,
        held_out=measured,
        held_steps=max(1, len(held) // size),
    )
    return trainee, processor


def train_understand(
    out: Path,
    what: Understanding = Understanding(),
    plan: Plan = PLAN,
    loss: LossPlan = LOSS,
    data: Path | None = None,
    resume: bool = False,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Returns the card of the base that was trained; `out` holds it as ``base``, with log and checkpoint.

    The base is stored with 16 bits a weight: the twin is then trained on the very base that is shipped.

    Args:
        out: the folder of the training.
        what: model and data.
        plan: how long and how.
        loss: how steps are weighed; questions have one step each.
        data: where conversations and features are kept, for several trainings; in `out` if None.
        resume: go on from the checkpoint in `out`.
        watch: is told what is going on.

    Raises:
        InputFault: as `deixis.learned.training.loop.train`.
    """
    with main_first(plan.cpu):
        trainee, processor = prepared(out, what, loss, data, watch)
    model: Any = trainee.model
    count = sum(value.numel() for value in trainable(model).values())
    facts = {"world": "illustrated scenes and sounds", **trainee.feed.facts, "preset": what.preset}
    facts.pop("lengths", None)

    def card(trained: Trained) -> dict[str, Any]:
        how = loss.model_dump(mode="json")
        return described("understand", trained, plan, count, data=facts, loss=how)

    def store(trained: Trained) -> None:
        base = out / "base"
        save_half(model, processor, base)
        write_card(base, card(trained))

    trainee.store = store
    return card(train(trainee, out, plan, resume, watch))
