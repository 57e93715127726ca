"""``deixis world``: look at the illustrated world, write data sets of it, measure how fast it is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from deixis.cli.output import print_json, print_table, progress
from deixis.errors import InputFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from deixis.learned.world.scenes import SceneSpec

app = typer.Typer(help="The illustrated world: scenes and sounds whose truth is known exactly.")

STYLES = ("training", "unseen")


@app.callback()
def _group() -> None:
    """The illustrated world: scenes and sounds whose truth is known exactly."""


@app.command()
def preview(
    out: Path = typer.Option(Path("world.png"), "--out", help="The PNG file.", metavar="FILE"),
    count: int = typer.Option(24, "--count", min=1, max=400, help="How many scenes."),
    seed: int = typer.Option(0, "--seed", min=0, help="Of the first scene."),
    style: str = typer.Option("training", "--style", help="training or unseen."),
    side: int = typer.Option(160, "--side", min=32, max=640, help="Pixels of a scene's side."),
) -> None:
    """Write a contact sheet of scenes with their truth drawn in."""
    from deixis.learned.world.preview import contact_sheet
    from deixis.learned.world.scenes import scenes

    out.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(scenes(seed, count, _spec(style, side))).save(out, "PNG")
    typer.echo(str(out))


@app.command()
def make(
    out: Path = typer.Option(..., "--out", help="The folder; made where it is missing.", metavar="DIR"),
    count: int = typer.Option(100, "--count", min=1, help="How many pictures, sounds and pairs each."),
    seed: int = typer.Option(0, "--seed", min=0, help="Of the first; below 100000 is never trained on."),
    style: str = typer.Option("training", "--style", help="training or unseen."),
    side: int = typer.Option(160, "--side", min=32, max=2048, help="Pixels of a picture's side."),
    films: int = typer.Option(0, "--films", min=0, help="How many films (needs the extra video)."),
    workers: int = typer.Option(0, "--workers", min=0, help="Processes that draw ahead."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Write pictures, sounds, pairs, films and their truth as `deixis eval --data DIR` reads them."""
    from deixis.learned.world import dataset, dataset_films, dataset_pairs
    from deixis.learned.world.scenes import scenes

    spec = _spec(style, side)
    written: dict[str, int] = {}
    with progress() as display:

        def told(what: str) -> Callable[[int, int], None]:
            bar = display.add_task(what, total=count)
            return lambda done, total: display.update(bar, completed=done, total=total)

        if films:
            written |= dataset_films.write_films(seed, films, out, told("films"))
        drawn = scenes(seed, count, spec, workers)
        written |= dataset.write_scenes(drawn, count, out, told("scenes"))
        written |= dataset.write_clips(seed, count, out, told("sounds"))
        written["pictures of one thing"] = dataset_pairs.write_subjects(
            seed, count, out, told("pictures of one thing"), spec
        )
        written["clips of one sound"] = dataset_pairs.write_labelled(
            seed, count, out, told("clips of one sound")
        )
        written["pairs"] = dataset_pairs.write_pairs(seed, count, out, told("pairs"))
    if as_json:
        print_json({"folder": str(out), **written})
        return
    print_table(
        "", ("", ""), [*((name, str(number)) for name, number in written.items()), ("folder", str(out))]
    )


@app.command()
def bench(
    count: int = typer.Option(600, "--count", min=10, help="How many scenes are drawn each time."),
    json_file: Path | None = typer.Option(None, "--json", help="Keep the figures.", metavar="FILE"),
) -> None:
    """Measure how many scenes a second are drawn, in this process and by two others."""
    from deixis.learned.world.bench import measured

    figures = measured(count)
    if json_file is not None:
        import json

        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    rows = [(name, str(value)) for name, value in figures.items()]
    print_table("", ("", ""), rows)


def _spec(style: str, side: int) -> SceneSpec:
    from deixis.learned.world.scenes import TRAIN_FAMILIES, UNSEEN_FAMILY, SceneSpec

    if style not in STYLES:
        raise InputFault("world.style.unknown", f"There is no style {style!r}.", "Choose training or unseen.")
    return SceneSpec(side=side, families=TRAIN_FAMILIES if style == "training" else (UNSEEN_FAMILY,))
