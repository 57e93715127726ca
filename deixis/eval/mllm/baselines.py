"""``python -m deixis.eval.mllm.baselines``: what the twin is compared with, trained on its data and steps.

A full fine-tune and a LoRA of the same base see the same batches in the same order as the twin, for as many
steps. Two twins that differ in nothing but the loss show what weighing by step does; their held-out losses
are kept as curves, by kind of step, where both losses mean the same.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deixis.errors import InputFault, MissingExtra

KINDS = ("full", "lora", "step_mean", "token_mean")
CURVES = "curves.json"
MAPS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""LoRA goes beside every linear map of the decoder, as is usual since QLoRA (Dettmers et al. 2023)."""

Watch = Callable[[str, int, int, str], None]


def train_full(
    out: Path, what: Any, plan: Any, loss: Any, resume: bool, watch: Watch | None
) -> dict[str, Any]:
    """Returns the card of a full fine-tune, which is stored in ``model``: all but the encoders learns."""
    from deixis.learned.training.loop import Trained

    trainee, processor = _plain(out, what, loss, watch)
    model: Any = trainee.model
    for name, value in model.named_parameters():
        value.requires_grad_(not name.startswith(("model.eye.", "model.ear.")))

    def store(trained: Trained) -> None:
        model.save_pretrained(out / "model")
        processor.save_pretrained(out / "model")

    return _trained("full", out, trainee, plan, resume, watch, store)


def train_lora(
    out: Path, what: Any, plan: Any, loss: Any, resume: bool, watch: Watch | None, rank: int = 16
) -> dict[str, Any]:
    """Returns the card of a LoRA, which is stored in ``adapter`` as PEFT does.

    Raises:
        MissingExtra: PEFT is not installed.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise MissingExtra("learned", "peft", "The LoRA baseline") from error
    import torch

    from deixis.learned.training.loop import Trained

    trainee, _ = _plain(out, what, loss, watch)
    model: Any = trainee.model
    targets = rf".*language_model\.layers\.\d+\..*({'|'.join(MAPS)})"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(what.seed)
        wrapped = get_peft_model(model, LoraConfig(r=rank, lora_alpha=rank, target_modules=targets))
    # PEFT changes the model in place: it keeps its class, and the loop its way to take few logits.
    trainee.model = wrapped.get_base_model()

    def store(trained: Trained) -> None:
        wrapped.save_pretrained(str(out / "adapter"))

    return _trained("lora", out, trainee, plan, resume, watch, store)


def train_twin(
    out: Path, what: Any, plan: Any, loss: Any, resume: bool, watch: Watch | None
) -> dict[str, Any]:
    """Returns the card of a twin, which is stored in ``twin``."""
    from deixis.learned.training.stages.ground import train_ground

    return train_ground(out, what, plan, loss, resume, watch)


def curves(out: Path, modes: Sequence[str] = ("step_mean", "token_mean")) -> dict[str, Any]:
    """Returns the curves of the losses that were trained, and writes them to ``curves.json``.

    Of each mode: ``training``, its own loss by step; ``held_out``, the losses of held-out samples by kind of
    step, in nats a token; ``held_out_mean``, their plain mean over kinds, the same measure in all modes; and
    ``card``, plan, loss and data. The last point is of the averaged weights, the others are not.

    Raises:
        InputFault: there is no log of a training.
    """
    from deixis.learned.publish import write_whole
    from deixis.learned.training.card import CARD
    from deixis.learned.training.journal import read

    found: dict[str, Any] = {}
    for mode in modes:
        lines = read(out / mode)
        if not lines:
            continue
        measured = [line for line in lines if "held_loss" in line]
        card = json.loads((out / mode / CARD).read_text("utf-8"))
        found[mode] = {
            "training": [[line["step"], line["loss"]] for line in lines if "loss" in line],
            "held_out": [{"step": line["step"], **_by_kind(line)} for line in measured],
            "held_out_mean": [[line["step"], _mean(_by_kind(line).values())] for line in measured],
            "card": {name: card[name] for name in ("commit", "plan", "loss", "data", "twin") if name in card},
        }
    if not found:
        raise InputFault(
            "eval.mllm.curves", f"{out} holds no log of a training.", "Train step_mean and token_mean there."
        )
    write_whole((json.dumps(found, indent=1) + "\n").encode(), out / CURVES)
    return found


def _by_kind(line: dict[str, Any]) -> dict[str, float]:
    head = "held_loss_"
    return {name.removeprefix(head): value for name, value in line.items() if name.startswith(head)}


def _mean(values: Iterable[float]) -> float:
    several = list(values)
    return round(sum(several) / len(several), 6) if several else 0.0


def _plain(out: Path, what: Any, loss: Any, watch: Watch | None) -> tuple[Any, Any]:
    """Returns what stage G would train, without the twin, and the processor: the same feed, the bare base."""
    from deixis.learned.mllm.build import load
    from deixis.learned.training.loop import Trainee
    from deixis.learned.training.stages.ground import prepared

    out.mkdir(parents=True, exist_ok=True)
    trainee, twin, _ = prepared(out, what, loss, watch)
    twin.detach()
    bare = Trainee(
        trainee.model,
        trainee.feed,
        trainee.objective,
        unused=True,
        held_out=trainee.held_out,
        held_steps=trainee.held_steps,
    )
    return bare, load(what.base)[1]


def _trained(
    kind: str, out: Path, trainee: Any, plan: Any, resume: bool, watch: Watch | None, store: Any
) -> dict[str, Any]:
    from deixis.learned.training.card import described, write_card
    from deixis.learned.training.loop import train
    from deixis.learned.training.updating import trainable

    count = sum(value.numel() for value in trainable(trainee.model).values())
    facts = {name: value for name, value in trainee.feed.facts.items() if name != "lengths"}
    loss = trainee.objective.plan.model_dump(mode="json")
    trainee.store = store
    trained = train(trainee, out, plan, resume, watch)
    card = described(f"baseline {kind}", trained, plan, count, data=facts, loss=loss)
    write_card(out, card, page=False)
    return card


def train_baselines(
    out: Path,
    what: Any,
    plan: Any,
    kinds: Sequence[str] = KINDS,
    rank: int = 16,
    resume: bool = False,
    watch: Watch | None = None,
) -> dict[str, dict[str, Any]]:
    """Returns the cards of the baselines by kind; each has a folder in `out`. What is finished is not redone.

    Args:
        out: of all of them; `deixis eval mllm --baselines` takes it.
        what: base, samples and twin (`deixis.learned.training.Grounding`), as the twin was trained.
        plan: steps and rates, the same for all.
        kinds: of `KINDS`.
        rank: of LoRA.
        resume: go on with those that were stopped.
        watch: is told what is going on.

    Raises:
        InputFault: as `deixis.learned.training.train`.
    """
    from deixis.learned.training.card import CARD
    from deixis.learned.training.checkpoint import POINTER
    from deixis.learned.training.loss import LossPlan

    cards: dict[str, dict[str, Any]] = {}
    for kind in kinds:
        place = out / kind
        if resume and (place / CARD).is_file():
            cards[kind] = json.loads((place / CARD).read_text("utf-8"))
            continue
        mode: Any = kind if kind in ("step_mean", "token_mean") else "step_mean"
        # The order and the rows are those of the twin's training, whichever loss is taken.
        given = (place, replace(what), plan, LossPlan(mode=mode))
        going = resume and (place / POINTER).is_file()
        if kind == "full":
            cards[kind] = train_full(*given, going, watch)
        elif kind == "lora":
            cards[kind] = train_lora(*given, going, watch, rank)
        else:
            cards[kind] = train_twin(*given, going, watch)
    if {"step_mean", "token_mean"} & set(kinds):
        curves(out)
    return cards


def main(words: Sequence[str] | None = None) -> None:
    """Trains the baselines that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m deixis.eval.mllm.baselines", description=__doc__)
    parser.add_argument("--base", type=Path, required=True, help="the stored base")
    parser.add_argument(
        "--samples", type=Path, required=True, action="append", help="the twin's SCOUT samples"
    )
    parser.add_argument("--data", type=Path, help="of media that are not the world's")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=KINDS, action="append", help="may be repeated; else all")
    parser.add_argument("--steps", type=int, required=True, help="as many as the twin took")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--optimizer", choices=("adamw", "muon"), default="adamw")
    parser.add_argument("--average", type=float, default=0.99, help="decay of the weights' running average")
    parser.add_argument("--rank", type=int, default=16, help="of LoRA")
    parser.add_argument("--kind", default="full", help="of the twins")
    parser.add_argument("--layers", default="every:2", help="of the twins")
    parser.add_argument("--measure-every", type=int, default=100, help="steps between points of the curves")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--float32", action="store_true", help="do not compute in 16 bits")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--json", type=Path, help="write the curves of the two losses here as well")
    chosen = parser.parse_args(words)
    from deixis.learned.extras import require_torch
    from deixis.learned.publish import write_whole

    require_torch("Training baselines")
    import torch

    from deixis.learned.training.plan import Plan
    from deixis.learned.training.stages.ground import Grounding
    from deixis.learned.twin import TwinConfig

    torch.set_num_threads(chosen.threads)
    every = chosen.measure_every
    plan = Plan(
        steps=chosen.steps,
        rate=chosen.rate,
        optimizer=chosen.optimizer,
        average=chosen.average,
        bfloat16=not chosen.float32,
        log_every=min(20, every) if every else 20,
        measure_every=every,
        seed=chosen.seed,
        cpu=chosen.cpu,
    )
    twin = TwinConfig(kind=chosen.kind, layers=chosen.layers, rank=chosen.rank, seed=chosen.seed)
    what = Grounding(chosen.base, chosen.samples, chosen.data, twin, batch=chosen.batch, seed=chosen.seed)
    cards = train_baselines(chosen.out, what, plan, chosen.only or KINDS, chosen.rank, chosen.resume, _shown)
    if chosen.json is not None:
        write_whole((json.dumps(curves(chosen.out), indent=1) + "\n").encode(), chosen.json)
    for kind, card in cards.items():
        print(f"{kind}: {card['steps']} steps, {card['seconds']} s, {card['figures']}")


def _shown(stage: str, done: int, total: int, remark: str) -> None:
    print(f"{stage} {done}/{total or '?'} {remark}", flush=True)


if __name__ == "__main__":
    main()
