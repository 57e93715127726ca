"""``deixis train understand | ground | gate | estimate``: the pocket MLLM, its twin, and the gate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deixis.cli.output import print_json, print_table, progress
from deixis.errors import InputFault

if TYPE_CHECKING:
    from rich.progress import TaskID

    from deixis.learned.training.loss import LossPlan, Weighting
    from deixis.learned.training.plan import Plan

SHIPPED = Path("pocket")
MODES = ("token_mean", "step_mean", "step_weighted", "separate_turns", "curriculum")

Out = Annotated[Path, typer.Option("--out", help="The folder of the training.", metavar="FOLDER")]
Minutes = Annotated[float, typer.Option("--minutes", min=0.01, help="How long it may take.")]
Steps = Annotated[int, typer.Option("--steps", min=0, help="So many steps instead of minutes.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the folder's checkpoint.")]
Threads = Annotated[int, typer.Option("--threads", min=1, help="CPU threads.")]
Seed = Annotated[int, typer.Option("--seed", help="Of the weights, the order and the dropout.")]
Loss = Annotated[str, typer.Option("--loss", help=f"How steps are weighed: {', '.join(MODES)}.")]
Coordinates = Annotated[
    float, typer.Option("--coordinate-weight", min=0.01, help="Of coordinate tokens, against 1 of others.")
]
Rate = Annotated[float, typer.Option("--rate", min=1e-7, help="The highest learning rate.")]
Meanings = Annotated[
    float,
    typer.Option("--meanings", min=1e-3, max=1, help="Share of the rate at which what words mean moves."),
]
Muon = Annotated[
    str, typer.Option("--optimizer", help="adamw, or muon: faster from nothing, but not with FSDP.")
]
Batch = Annotated[int, typer.Option("--batch", min=1, help="Rows a step, over all processes.")]
Accumulate = Annotated[
    int, typer.Option("--accumulate", min=1, help="Parts in which a process takes its share of a step.")
]
Bfloat16 = Annotated[
    bool, typer.Option("--bfloat16/--float32", help="Compute in 16 bits; weights keep their 32.")
]
Checkpointing = Annotated[
    bool, typer.Option("--checkpointing", help="Compute layers again on the way back: slower, less memory.")
]
Average = Annotated[
    float,
    typer.Option("--average", min=0, max=0.9999, help="Of the weights, by steps; 0 takes the last ones."),
]
MeasureEvery = Annotated[
    int, typer.Option("--measure-every", min=0, help="Steps between held-out losses; 0: at the end.")
]
Trackers = Annotated[
    list[str] | None, typer.Option("--tracker", help="tensorboard or trackio, besides log.jsonl.")
]
Cpu = Annotated[bool, typer.Option("--cpu", help="Leave accelerators alone.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the card as JSON.")]
Preset = Annotated[str, typer.Option("--preset", help="Of a new model: tiny, small or large.")]
Conversations = Annotated[
    int,
    typer.Option("--conversations", min=8, help="Pictures, sounds and pairs, with some ten questions each."),
]
Pointing = Annotated[
    int, typer.Option("--pointing", min=0, help="Questions of each that coordinates answer.")
]
Choosing = Annotated[
    int, typer.Option("--choosing", min=0, help="Questions of each picture that numbers of boxes answer.")
]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Where drawn data are kept, or media lie; else --out.", metavar="FOLDER"),
]
Samples = Annotated[
    list[Path] | None, typer.Option("--samples", help="SCOUT samples, files or folders; may be repeated.")
]
Base = Annotated[Path | None, typer.Option("--base", help="The stored base model.", metavar="FOLDER")]
Kind = Annotated[str, typer.Option("--kind", help="Of the twin: full, experts, lowrank, lowrank_experts.")]
Rank = Annotated[int, typer.Option("--rank", min=1, help="Of the low-rank kinds.")]
Adapter = Annotated[
    Path | None,
    typer.Option(
        "--adapter",
        help="A twin to go on with: its kind, layers and gate stay. pocket: the shipped one and its base.",
        metavar="FOLDER",
    ),
]
Layers = Annotated[str, typer.Option("--layers", help="every:2, all, first_half or second_half.")]
Forms = Annotated[
    str,
    typer.Option(
        "--forms",
        help="Shares of the samples that come as answers at once, as such with boxes on offer, with steps "
        "that choose proposals, and with steps that write coordinates.",
    ),
]
FORMS = "at_once=0.5,offered=1,proposals=1,coordinates=0.25"


def understand(
    out: Out = Path("understand"),
    preset: Preset = "small",
    base: Base = None,
    data: Data = None,
    conversations: Conversations = 20_000,
    pointing: Pointing = 2,
    choosing: Choosing = 2,
    batch: Batch = 8,
    minutes: Minutes = 60.0,
    steps: Steps = 0,
    resume: Resume = False,
    threads: Threads = 2,
    seed: Seed = 0,
    loss: Loss = "token_mean",
    rate: Rate = 6e-4,
    meanings: Meanings = 0.3,
    optimizer: Muon = "muon",
    accumulate: Accumulate = 1,
    bfloat16: Bfloat16 = True,
    checkpointing: Checkpointing = False,
    average: Average = 0.998,
    measure_every: MeasureEvery = 0,
    tracker: Trackers = None,
    cpu: Cpu = False,
    as_json: AsJson = False,
) -> None:
    """Train the pocket MLLM to understand pictures and sounds of the illustrated world (stage U)."""
    _ready(threads)
    from deixis.learned.training.stages.understand import Understanding, train_understand

    what = Understanding(preset, base, conversations, pointing, choosing, batch=batch, seed=seed)
    plan = _plan(locals())
    how = _loss(loss, 1.0, "by_root")
    with progress() as display:
        card = train_understand(out, what, plan, how, data, resume, _watched(display))
    _show(card, as_json, out / "base")


def ground(
    out: Out = Path("ground"),
    base: Base = None,
    samples: Samples = None,
    data: Data = None,
    adapter: Adapter = None,
    kind: Kind = "full",
    rank: Rank = 16,
    layers: Layers = "every:2",
    forms: Forms = FORMS,
    batch: Batch = 8,
    minutes: Minutes = 60.0,
    steps: Steps = 0,
    resume: Resume = False,
    threads: Threads = 2,
    seed: Seed = 0,
    loss: Loss = "step_mean",
    coordinate_weight: Coordinates = 1.0,
    rate: Rate = 1e-3,
    optimizer: Muon = "adamw",
    accumulate: Accumulate = 1,
    bfloat16: Bfloat16 = True,
    checkpointing: Checkpointing = False,
    average: Average = 0.998,
    measure_every: MeasureEvery = 0,
    tracker: Trackers = None,
    cpu: Cpu = False,
    as_json: AsJson = False,
) -> None:
    """Train a twin of a frozen base to point and to use tools, from SCOUT samples (stage G)."""
    _ready(threads)
    from deixis.learned.training.stages.ground import train_ground

    what = _grounding(locals())
    plan = _plan(locals())
    how = _loss(loss, coordinate_weight)
    with progress() as display:
        card = train_ground(out, what, plan, how, resume, _watched(display))
    _show(card, as_json, out / "twin")


def gate(
    samples: Samples = None,
    conversations: Annotated[
        list[Path] | None,
        typer.Option("--conversations", help="Data folders of stage understand; may be repeated."),
    ] = None,
    prompts: Annotated[
        list[Path] | None, typer.Option("--prompts", help="Files of prompts of both kinds; may be repeated.")
    ] = None,
    base: Base = None,
    adapter: Annotated[
        Path | None,
        typer.Option("--adapter", help="The twin's folder, which the gate is put into.", metavar="FOLDER"),
    ] = None,
    out: Out = Path("gate"),
    false_learn: Annotated[
        float,
        typer.Option("--false-learn", min=0, max=1, help="Share of the base's prompts that may go wrong."),
    ] = 0.0,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Train the classifier that sends grounding prompts to the twin and all others to the base."""
    _ready(1)
    from deixis.learned.training.card import CARD, write_card
    from deixis.learned.training.stages.gate import gathered, store_gate, train_gate_stage

    if adapter is not None and base is None:
        raise InputFault("train.gate.base", "A twin's folder needs its base.", "Name it with --base.")
    found, both = gathered(samples or [], conversations or [], prompts or [])
    trained, card = train_gate_stage(found, seed, false_learn)
    card |= {"of_both_kinds": len(both)}
    out.mkdir(parents=True, exist_ok=True)
    trained.save(out)
    write_card(out, card, page=False)
    if adapter is not None and base is not None:
        store_gate(trained, base, adapter)
    if as_json:
        print_json(card)
        return
    rates = [
        (name, value) for name, value in card["held_out"].items() if isinstance(value, dict) and "n" in value
    ]
    rows = [(name, f"{value['value']} (n {value['n']}, 95 % {value['interval']})") for name, value in rates]
    print_table("gate", ("", ""), [*rows, ("prompts", str(card["prompts"])), ("card", str(out / CARD))])


def estimate(
    stage: Annotated[str, typer.Argument(help="understand or ground.")],
    out: Out = Path("estimate"),
    base: Base = None,
    samples: Samples = None,
    data: Data = None,
    adapter: Adapter = None,
    preset: Preset = "small",
    conversations: Conversations = 64,
    kind: Kind = "full",
    rank: Rank = 16,
    layers: Layers = "every:2",
    forms: Forms = FORMS,
    batch: Batch = 8,
    minutes: Minutes = 60.0,
    steps: Steps = 0,
    threads: Threads = 2,
    seed: Seed = 0,
    loss: Loss = "step_mean",
    optimizer: Muon = "adamw",
    accumulate: Accumulate = 1,
    bfloat16: Bfloat16 = True,
    checkpointing: Checkpointing = False,
    average: Average = 0.998,
    cpu: Cpu = False,
    as_json: AsJson = False,
) -> None:
    """Print the memory and the time of a training before it is started, from a few steps of it."""
    if stage not in ("understand", "ground"):
        raise InputFault("train.stage", f"There is no stage {stage!r}.", "Name understand or ground.")
    _ready(threads)
    from deixis.learned.training.estimating import estimate as measured
    from deixis.learned.training.stages import ground as stage_g
    from deixis.learned.training.stages import understand as stage_u

    plan, how = _plan({**locals(), "rate": 1e-4}), _loss(loss, 1.0)
    out.mkdir(parents=True, exist_ok=True)
    with progress() as display:
        watch = _watched(display)
        if stage == "understand":
            small = stage_u.Understanding(
                preset, base, max(batch, conversations), held=8, batch=batch, seed=seed
            )
            trainee: Any = stage_u.prepared(out, small, how, data, watch)[0]
        else:
            trainee = stage_g.prepared(out, _grounding(locals()), how, watch)[0]
        found = measured(trainee, plan)
    if as_json:
        print_json(found)
        return
    sizes = ("weights", "gradients", "optimizer", "checkpoint", "peak_memory")
    rows = [
        (name.replace("_", " "), f"{value / 1e6:,.1f} MB" if name in sizes else f"{value:,}")
        for name, value in found.items()
    ]
    print_table(f"{stage}: what it will take", ("", ""), rows)


def _ready(threads: int) -> None:
    from deixis.learned.extras import require_torch

    require_torch("Training")
    import torch

    torch.set_num_threads(threads)


def _plan(options: dict[str, Any]) -> Plan:
    """Returns the plan of a command's options."""
    from pydantic import ValidationError

    from deixis.learned.training.plan import Plan

    names = {*Plan.model_fields} & {*options}
    try:
        given = {name: options[name] for name in names}
        return Plan(**given, trackers=tuple(options.get("tracker") or ()))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputFault(
            "train.plan", f"The option {'.'.join(map(str, first['loc']))}: {first['msg']}.", "See --help."
        ) from error


def _loss(mode: str, coordinate_weight: float, samples: Weighting = "by_tokens") -> LossPlan:
    from deixis.learned.training.loss import LossPlan

    if mode not in MODES:
        raise InputFault("train.loss", f"There is no loss {mode!r}.", f"Name one of: {', '.join(MODES)}.")
    return LossPlan(mode=mode, samples=samples, coordinate_weight=coordinate_weight)


def _grounding(options: dict[str, Any]) -> Any:
    """Returns what stage G is made of, from a command's options."""
    from pydantic import ValidationError

    from deixis.learned.training.stages.ground import Grounding
    from deixis.learned.twin import TwinConfig

    base, adapter = options["base"], options["adapter"]
    if adapter == SHIPPED and not (adapter / "adapter_config.json").is_file():
        from deixis.graphs.planning.pocket.weights import folders

        shipped, adapter = folders()
        base = base or shipped
    if base is None or not options["samples"]:
        raise InputFault(
            "train.ground.what",
            "A twin needs a base and samples.",
            "Name them with --base and --samples; `deixis scout make` makes samples.",
        )
    try:
        twin = TwinConfig(
            kind=options["kind"], rank=options["rank"], layers=options["layers"], seed=options["seed"]
        )
    except ValidationError as error:
        raise InputFault("train.twin", str(error.errors()[0]["msg"]), "See --help.") from error
    return Grounding(
        base,
        options["samples"],
        options["data"],
        twin,
        adapter,
        _forms(options["forms"]),
        batch=options["batch"],
        seed=options["seed"],
    )


def _forms(text: str) -> Any:
    """Returns the share of each form of a text such as ``at_once=1,proposals=0.5``."""
    from deixis.learned.training.dialogues import FORMS as KNOWN

    try:
        found = {name.strip(): float(share) for name, share in (one.split("=") for one in text.split(","))}
    except ValueError:
        found = {}
    if not found or {*found} - {*KNOWN} or not all(0 < share <= 1 for share in found.values()):
        raise InputFault(
            "train.forms", f"--forms {text!r} is not understood.", f"Write it as: {FORMS}; shares up to 1."
        )
    return found


def _watched(display: Any) -> Callable[[str, int, int, str], None]:
    bars: dict[str, TaskID] = {}

    def watch(stage: str, done: int, total: int, remark: str) -> None:
        if stage not in bars:
            bars[stage] = display.add_task(stage, total=total)
        display.update(bars[stage], completed=done, total=total or None, description=f"{stage} {remark}")

    return watch


def _show(card: dict[str, Any], as_json: bool, where: Path) -> None:
    if as_json:
        print_json(card)
        return
    rows = [(name, str(card[name])) for name in ("steps", "seconds", "trained_parameters")]
    rows += [(name, f"{value:.4f}") for name, value in card["figures"].items()]
    print_table(card["stage"], ("", ""), [*rows, ("stored in", str(where))])
