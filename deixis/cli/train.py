"""``deixis train``: train the small networks that this project ships, and twins of language models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from deixis.cli.output import print_json, print_table, progress
from deixis.cli.train_pocket import pocket
from deixis.cli.train_ship import ship
from deixis.cli.train_twin import estimate, gate, ground, understand

if TYPE_CHECKING:
    from rich.progress import TaskID

app = typer.Typer(help="Train the small networks that this project ships, and twin experts.")
app.command("pocket")(pocket)
app.command("ship")(ship)
for _command in (understand, ground, gate, estimate):
    app.command(_command.__name__)(_command)


@app.callback()
def _group() -> None:
    """Train the small networks that this project ships, and twin experts."""


@app.command()
def refiner(
    data: Path = typer.Option(
        ..., "--data", help="The folder that holds images/coco_train_tune.", metavar="FOLDER"
    ),
    out: Path = typer.Option(
        Path("refiner.onnx"), "--out", help="The network's file; its card goes beside it.", metavar="FILE"
    ),
    epochs: int = typer.Option(40, "--epochs", min=1, help="How often each thing is shown."),
    seed: int = typer.Option(0, "--seed", help="Of the weights, the order and the changes."),
    members: int = typer.Option(
        1, "--members", min=1, help="Networks from other random weights whose mean is taken."
    ),
    bfloat16: bool = typer.Option(
        False, "--bfloat16", help="Compute in 16 bits: twice as fast on processors that can."
    ),
    folds: int = typer.Option(
        0, "--folds", min=0, help="Cross-validate over pictures first, in so many parts; 0 does not."
    ),
    variants: int = typer.Option(
        3, "--variants", min=1, help="Boxes per thing: the true one, and moved ones."
    ),
    keep: Path | None = typer.Option(
        None, "--keep", help="Where the planes are kept for the next run; else the cache.", metavar="FOLDER"
    ),
    threads: int = typer.Option(2, "--threads", min=1, help="CPU threads for the training."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Train the mask refiner of segmentation/light on outlined photos."""
    from deixis.learned.extras import require_torch
    from deixis.learned.refiner.recipe import Plan, train_refiner

    require_torch()
    import torch

    torch.set_num_threads(threads)
    plan = Plan(epochs=epochs, seed=seed, members=members, bfloat16=bfloat16, variants=variants, folds=folds)
    with progress() as display:
        bars: dict[str, TaskID] = {}

        def watch(stage: str, done: int, total: int, remark: str) -> None:
            if stage not in bars:
                bars[stage] = display.add_task(stage, total=total)
            display.update(bars[stage], completed=done, description=f"{stage} {remark}")

        outcome = train_refiner(data, out, plan, keep or _cache(), watch)
    if as_json:
        print_json({"network": str(outcome.network), "card": outcome.card, "losses": outcome.losses})
        return
    loss, figures = outcome.card["loss"], outcome.card["cross_validation"]
    rows = [("things", str(outcome.card["data"]["things"])), ("parameters", str(outcome.card["parameters"]))]
    rows.append(("loss", f"{loss['first_epoch']:.3f} → {loss['last_epoch']:.3f}"))
    rows += [
        (f"mean IoU, {name}", f"{value['mean_iou']:.3f} (n {value['n']})")
        for name, value in figures.items()
        if isinstance(value, dict)
    ]
    print_table("", ("", ""), [*rows, ("network", str(outcome.network)), ("card", str(outcome.card_path))])


def _cache() -> Path:
    from deixis.tools.weights.locate import cache_folder

    return cache_folder().parent / "refiner"
