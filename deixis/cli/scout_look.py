"""``deixis scout stats | render | show``: numbers of samples, training text of them, pages to look at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import typer

from deixis.cli.output import print_json
from deixis.cli.scout_table import tell_statistics
from deixis.errors import InputFault

if TYPE_CHECKING:
    from deixis.learned.scout.sample import Sample

SAMPLES = typer.Argument(help="A .jsonl file, or a folder that `deixis scout make` wrote.")
STYLES = ("chat", "steps", "answer")


def stats(samples: Path = SAMPLES, as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """Count samples, tasks, steps, calls, boxes, absences, and what was rejected."""
    from deixis.learned.scout.statistics import statistics

    rejected: dict[str, int] = {}
    count = 0
    if samples.is_dir() and (samples / "progress.json").is_file():
        state = json.loads((samples / "progress.json").read_text("utf-8"))
        count, rejected = int(state.get("rejected", 0)), state.get("rejected_by_rule", {})
    broken: list[Any] = []
    numbers = statistics(_read(samples, broken), count, rejected)
    if as_json:
        print_json(numbers)
    else:
        tell_statistics(numbers)
    _tell_broken(broken)


def render(
    samples: Path = SAMPLES,
    out: Path | None = typer.Option(
        None, "--out", "-o", help="JSON lines; else standard output.", metavar="FILE"
    ),
    style: str = typer.Option("chat", "--style", help="chat (calls and steps), steps, or answer."),
    places: str = typer.Option(
        "plain", "--format", "-f", help="How places are written: plain, shikra, qwen3-vl, kosmos-2, …"
    ),
    input_side: int | None = typer.Option(
        None, "--input-side", min=1, help="Pixels of the model's input, for formats that count in them."
    ),
    count: int | None = typer.Option(None, "--count", min=1, help="At most so many samples."),
) -> None:
    """Write samples as chat turns, one JSON object a line, with places in any grounded text format."""
    import sys

    from deixis.learned.scout.render.chat import chat
    from deixis.learned.scout.render.places import places as writer

    if style not in STYLES:
        raise InputFault("scout.style.unknown", f"There is no style {style!r}.", f"Take {', '.join(STYLES)}.")
    write = writer(places, input_side)
    broken: list[Any] = []
    left = 0

    def lines(file: TextIO) -> int:
        nonlocal left
        done = 0
        for sample in islice(_read(samples, broken), count):
            try:
                turns = chat(sample, write, calls=style == "chat", steps=style != "answer")
            except InputFault as fault:
                left += 1
                if left == 1:
                    typer.echo(f"left out: {sample.id[7:19]}: {fault} [{fault.code}]", err=True)
                continue
            media = [{"kind": medium.kind, "source": medium.source} for medium in sample.media]
            row = {"id": sample.id, "split": sample.split, "media": media, "messages": turns}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            done += 1
        return done

    if out is None:
        lines(sys.stdout)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("w", encoding="utf-8") as file:
            done = lines(file)
        typer.echo(f"{done} samples in {out}")
    if left:
        typer.echo(f"{left} samples were left out: {places} cannot write them", err=True)
    _tell_broken(broken)


def show(
    samples: Path = SAMPLES,
    wanted: str = typer.Argument("", help="The beginning of a sample's id; else the first ones are shown."),
    out: Path = typer.Option(
        Path("scout.html"), "--out", "-o", help="An .html or a .png file.", metavar="FILE"
    ),
    count: int = typer.Option(12, "--count", min=1, max=200, help="How many samples."),
    skip: int = typer.Option(0, "--skip", min=0, help="How many to pass over first."),
    task: str = typer.Option("", "--task", help="Only this task."),
    denied: bool = typer.Option(False, "--denied", help="Only what is not there."),
    data: Path | None = typer.Option(None, "--data", help="Where the media of photos lie.", metavar="DIR"),
) -> None:
    """Draw the steps of samples, with their boxes on the picture, into a page or a picture."""
    broken: list[Any] = []
    wanted = wanted.removeprefix("sha256:")
    fitting = (
        sample
        for sample in _read(samples, broken)
        if sample.id.removeprefix("sha256:").startswith(wanted)
        and (not task or sample.task == task)
        and (not denied or sample.absence)
    )
    chosen = list(islice(fitting, skip, skip + count))
    if not chosen:
        _tell_broken(broken)
        raise InputFault(
            "scout.show.none", "No sample fits.", "Choose another id or task; see `deixis scout stats`."
        )
    if out.suffix.lower() not in (".html", ".png"):
        raise InputFault(
            "scout.show.suffix", f"{out.name} is neither .html nor .png.", "Name one of the two."
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix.lower() == ".html":
        from deixis.agent.export.samples import page

        out.write_text(page(chosen, data), "utf-8")
    else:
        from deixis.agent.render.samples import sheet

        sheet(chosen, data).save(out, "PNG")
    typer.echo(f"{len(chosen)} samples in {out}")
    _tell_broken(broken)


def _read(path: Path, broken: list[Any]) -> Iterator[Sample]:
    from deixis.learned.scout.reading import samples

    return samples(path, broken=broken.append)


def _tell_broken(broken: list[Any]) -> None:
    if broken:
        typer.echo(f"{len(broken)} broken lines were passed over; the first: {broken[0].message}", err=True)
