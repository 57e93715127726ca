"""``deixis train pocket``: make the networks of the profile pocket from nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from deixis.cli.output import print_json, print_table, progress
from deixis.errors import InputFault

if TYPE_CHECKING:
    from rich.progress import TaskID

NETWORKS = {
    "eye": "deixis.learned.pocket.eye.recipe:train_eye",
    "outline": "deixis.learned.pocket.outline.recipe:train_outline",
    "ear": "deixis.learned.pocket.ear.recipe:train_ear",
}
"""Recipes with the arguments (out, budget, preset=, resume=, bfloat16=, watch=); they return the card."""
WORDS = "words"
EYE, EAR = "eye", "ear"
PARTS = (WORDS, *NETWORKS)


def pocket(
    part: list[str] = typer.Option(
        list(NETWORKS), "--part", help=f"What to train: {', '.join(PARTS)}; may be given again."
    ),
    out: Path = typer.Option(
        Path("pocket"),
        "--out",
        help="The folder for networks, cards, logs and checkpoints.",
        metavar="FOLDER",
    ),
    preset: str = typer.Option("small", "--preset", help="small, or large where an accelerator is at hand."),
    minutes: float = typer.Option(40.0, "--minutes", min=0.05, help="How long a part may take."),
    steps: int = typer.Option(0, "--steps", min=0, help="So many steps instead of minutes."),
    resume: bool = typer.Option(False, "--resume", help="Go on from the folder's checkpoint."),
    seed: int = typer.Option(0, "--seed", help="Of the weights and of the order."),
    bfloat16: bool = typer.Option(
        True, "--bfloat16/--float32", help="Compute in 16 bits: twice as fast on processors that can."
    ),
    threads: int = typer.Option(2, "--threads", min=1, help="CPU threads for the training."),
    measure_every: int = typer.Option(
        0, "--measure-every", min=0, help="Steps between measures on validation seeds; 0: at the end."
    ),
    model: Path | None = typer.Option(
        None, "--model", help="For words: a folder with all-MiniLM-L6-v2.", metavar="FOLDER"
    ),
    wordnet: Path | None = typer.Option(
        None, "--wordnet", help="For words: a folder with WordNet 3.0's noun files.", metavar="FOLDER"
    ),
    photos: Path | None = typer.Option(
        None,
        "--photos",
        help="For the eye: a data folder whose tuning photos tell it what is no drawing.",
        metavar="FOLDER",
    ),
    recordings: Path | None = typer.Option(
        None,
        "--recordings",
        help="For the ear: a data folder whose real recordings are mixed into the made sounds.",
        metavar="FOLDER",
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the cards as JSON."),
) -> None:
    """Train the networks of the profile pocket in the illustrated world."""
    _check(part, preset, model, wordnet)
    from deixis.learned.extras import require_torch

    require_torch()
    import torch

    from deixis.learned.pocket.budget import Budget

    torch.set_num_threads(threads)
    budget = Budget(minutes, steps, measure_every, seed)
    cards: dict[str, dict[str, Any]] = {}
    with progress() as display:
        for name in part:
            watch = _watched(display, name)
            if name == WORDS:
                from deixis.learned.pocket.words import train_words

                cards[name] = train_words(out, model or Path(), wordnet or Path(), watch)
                continue
            module, _, function = NETWORKS[name].partition(":")
            train = getattr(import_module(module), function)
            more = {"recordings": recordings} if name == EAR else {}
            cards[name] = train(
                out, budget, preset=preset, resume=resume, bfloat16=bfloat16, watch=watch, **more
            )
            if name == EYE:
                from deixis.learned.pocket.eye.finish import finish

                cards[name] = finish(out, photos, progress=partial(_told, watch))
    if as_json:
        print_json(cards)
        return
    for name, card in cards.items():
        figures = card.get("validation", card.get("figures", {}))
        print_table(name, ("", ""), [*((key, str(value)) for key, value in figures.items())])


def _told(watch: Callable[[str, int, int, str], None], done: int, total: int) -> None:
    watch("limits", done, total, "")


def _check(part: list[str], preset: str, model: Path | None, wordnet: Path | None) -> None:
    for name in part:
        if name not in PARTS:
            raise InputFault(
                "train.pocket.part", f"There is no part {name!r}.", f"Name one of: {', '.join(PARTS)}."
            )
    if preset not in ("small", "large"):
        raise InputFault("train.pocket.preset", f"There is no preset {preset!r}.", "Name small or large.")
    if WORDS in part and (model is None or wordnet is None):
        raise InputFault(
            "train.pocket.words",
            "The table of words is made of a sentence model and of WordNet.",
            "Name their folders with --model and --wordnet.",
        )


def _watched(display: Any, part: str) -> Callable[[str, int, int, str], None]:
    bars: dict[str, TaskID] = {}

    def watch(stage: str, done: int, total: int, remark: str) -> None:
        if stage not in bars:
            bars[stage] = display.add_task(f"{part}: {stage}", total=total)
        display.update(bars[stage], completed=done, total=total, description=f"{part}: {stage} {remark}")

    return watch
