"""Stage G: the twin learns to point and to use tools from SCOUT samples, beside the frozen base."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from deixis.errors import InputFault
from deixis.learned.mllm.build import load
from deixis.learned.training.card import described, read_card, write_card
from deixis.learned.training.collate import MULTIPLE, Collator
from deixis.learned.training.dialogues import FORMS, Form, Traces, coordinate_ids, read_samples, seen
from deixis.learned.training.feed import Examples
from deixis.learned.training.loop import Trained, Trainee, train
from deixis.learned.training.loss import LossPlan, Objective
from deixis.learned.training.plan import Plan
from deixis.learned.training.running import main_first
from deixis.learned.twin import Twin, TwinConfig, attach, graft
from deixis.learned.twin.digests import differences, tensor_digests

PLAN = Plan(rate=1e-3, average=0.998, minutes=60)
HELD_SHARE = 0.03
MOST_HELD = 256

Watch = Callable[[str, int, int, str], None]


@dataclass(frozen=True)
class Grounding:
    """What stage G is made of.

    Attributes:
        base: the stored model that stage U made.
        samples: files or folders of SCOUT samples.
        data: the folder of media that are not the world's.
        twin: its kind, layers and sizes.
        adapter: a twin of this base to go on with, instead of a new one as `twin` says; its gate stays.
        forms: the share of the samples that come in each form.
        together: samples of the same media that share a row; the loss separate_turns takes 1.
        batch: rows a step.
        longest: tokens of a row.
        seed: of the order.
    """

    base: Path
    samples: Sequence[Path]
    data: Path | None = None
    twin: TwinConfig = field(default_factory=TwinConfig)
    adapter: Path | None = None
    forms: Mapping[Form, float] = field(default_factory=FORMS.copy)
    together: int = 8
    batch: int = 8
    longest: int = 1024
    seed: int = 0


def grounding_trainee(twin: Twin, feed: Any, objective: Objective, **more: Any) -> Trainee:
    """Returns what trains a twin of any model, with the gate fixed to it; its base takes no gradients."""
    return Trainee(
        twin.model,
        feed,
        objective,
        held=partial(twin.using, "learn"),
        auxiliary=twin.auxiliary_loss if "experts" in twin.config.kind else None,
        training=twin.train,
        resting=twin.eval,
        **more,
    )


def base_digests(twin: Twin) -> dict[str, str]:
    """Returns the digest of each tensor of the base, by name."""
    return tensor_digests(twin.board.base_state())


def check_unchanged(twin: Twin, before: dict[str, str]) -> None:
    """Says nothing where every tensor of the base has the digest that it had before.

    Raises:
        InputFault: one has another; the twin is not to be stored then.
    """
    other = differences(before, base_digests(twin))
    if other:
        raise InputFault(
            "train.base.changed",
            f"Training the twin changed {len(other)} tensors of the base, such as {other[0]}.",
            "Keep the base frozen: train what twin.parameters() gives, and nothing else.",
        )


def prepared(
    out: Path, what: Grounding, loss: LossPlan, watch: Watch | None = None
) -> tuple[Trainee, Twin, dict[str, Any]]:
    """Returns what is trained, its twin, and the facts of the data."""
    samples = read_samples(what.samples)
    model, processor = load(what.base)
    tokenizer = processor.tokenizer
    alone = loss.mode == "separate_turns"

    def tell(done: int, total: int) -> None:
        if watch:
            watch("media", done, total, "")

    kept = seen(samples, out / "features", model, processor, what.data, tell)
    held = _held(len(samples))
    together = 1 if alone else what.together
    parts = [
        Traces(part, kept, model, tokenizer, what.forms, together, what.longest)
        for part in (samples[held:], samples[:held])
    ]
    collator = Collator(
        tokenizer.pad_token_id, turns=alone, multiple=MULTIPLE, thing=model.config.object_token_id
    )
    name = f"{len(samples)} samples, {samples[0].id[:19]}"
    shown, measured = parts
    feed = Examples(
        len(shown), shown.__getitem__, collator, what.batch, what.seed, lengths=shown.lengths, name=name
    )
    size = min(what.batch, max(1, len(measured)))
    out_of = Examples(len(measured), measured.__getitem__, collator, size, lengths=measured.lengths)
    twin = attach(model, what.adapter) if what.adapter else graft(model, what.twin)
    trainee = grounding_trainee(
        twin,
        feed,
        Objective(loss, coordinate_ids(tokenizer)),
        held_out=out_of,
        held_steps=max(1, len(measured) // size),
    )
    facts = {"samples": len(samples), "held_out": held, "left_out": shown.left_out, "rows": len(shown)}
    return trainee, twin, facts


def train_ground(
    out: Path,
    what: Grounding,
    plan: Plan = PLAN,
    loss: LossPlan | None = None,
    resume: bool = False,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Returns the card of the twin that was trained; `out` holds it as the adapter folder ``twin``.

    Args:
        out: the folder of the training.
        what: base, samples and twin.
        plan: how long and how.
        loss: how steps are weighed; ``step_mean`` if None.
        resume: go on from the checkpoint in `out`.
        watch: is told what is going on.

    Raises:
        InputFault: as `deixis.learned.training.loop.train`, or as `deixis.learned.twin.attach`; or the base
            was changed.
    """
    loss = loss or LossPlan()
    out.mkdir(parents=True, exist_ok=True)
    with main_first(plan.cpu):
        trainee, twin, facts = prepared(out, what, loss, watch)
    digests = base_digests(twin)
    more = {
        "data": facts,
        "base": {"folder": what.base.name, "tensors_unchanged": len(digests)},
        "twin": twin.config.model_dump(mode="json"),
        "loss": loss.model_dump(mode="json"),
    }
    if what.adapter:
        more["begun_with"] = read_card(what.adapter)
    count = sum(value.numel() for value in twin.parameters())

    def store(trained: Trained) -> None:
        check_unchanged(twin, digests)
        twin.save(out / "twin", half=True)
        write_card(out, described("ground", trained, plan, count, **more), page=False)

    trainee.store = store
    trained = train(trainee, out, plan, resume, watch)
    return described("ground", trained, plan, count, **more)


def _held(count: int) -> int:
    """Returns how many samples the loss is measured on; the first ones, which are not trained on."""
    return min(MOST_HELD, max(1, round(count * HELD_SHARE)))
