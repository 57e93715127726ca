"""``deixis trace diff | export | rm``: runs compared, taken out, removed."""

from __future__ import annotations

from pathlib import Path

import typer

from deixis.cli.output import print_json
from deixis.cli.trace_go import HOME, JSON


def diff(
    first: str = typer.Argument(help="A run's id, or the beginning of it."),
    second: str = typer.Argument(help="Another run."),
    home: str = HOME,
    as_json: bool = JSON,
) -> None:
    """Show where two runs differ, step by step; exit code 1 where they do."""
    from deixis.agent.render.plain import plain
    from deixis.agent.traces.comparing import differences, readable
    from deixis.store import Store

    store = Store(Path(home) if home else None)
    (one, answer), (other, answered) = readable(store, first), readable(store, second)
    rows = differences(one, other, (answer, answered))
    if as_json:
        print_json([{"place": row.place, "first": row.first, "second": row.second} for row in rows])
    else:
        typer.echo(f"- {one.record.run}\n+ {other.record.run}")
        for row in rows:
            typer.echo(f"\n{row.place}")
            typer.echo(f"- {plain(row.first) or '(nothing)'}\n+ {plain(row.second) or '(nothing)'}")
        if not rows:
            typer.echo("No step differs.")
    if rows:
        raise typer.Exit(1)


def export(
    runs: list[str] = typer.Argument(None, help="Ids; for scout none means every run that was corrected."),
    to: str = typer.Option("scout", "--to", help="scout, or an exporter of answers: json, html, coco, …"),
    out: Path = typer.Option(..., "--out", "-o", help="Folder to write to.", metavar="DIR"),
    home: str = HOME,
    as_json: bool = JSON,
) -> None:
    """Write runs as training samples (scout), or their answers by any exporter.

    Samples are complete runs whose answer claims nothing that no tool saw. `deixis scout check` and the
    training commands take the folder, with --data naming it too.
    """
    from deixis.errors import InputFault
    from deixis.store import Store

    store = Store(Path(home) if home else None)
    if to == "scout":
        from deixis.agent.traces.samples import export_scout

        done = export_scout(store, out, runs or [])
        if as_json:
            print_json({"samples": [one.id for one in done.samples], "left_out": done.left_out})
        else:
            typer.echo(f"{len(done.samples)} samples in {out / 'samples.jsonl'}")
            for run, why in done.left_out.items() if runs else ():
                typer.echo(f"left out: {why}" if run in why else f"left out: {run}: {why}")
        if runs and done.left_out:
            raise typer.Exit(2)
        return
    if not runs:
        raise InputFault("trace.export.none", "No run is named.", "Name runs; see: deixis trace list")
    files: list[str] = []
    for run in runs:
        found = store.runs.find(run)
        answer = store.runs.answer(found)
        if answer is None:
            raise InputFault(
                "trace.export.unanswered",
                f"The run {found} has no answer to export.",
                f"Go on with it: deixis trace resume {found}",
            )
        folder = out / found if len(runs) > 1 else out
        files += [str(path) for path in answer.save(folder, store=store, exporters=[to])]
    if as_json:
        print_json(files)
    else:
        typer.echo("\n".join(files))


def rm(
    runs: list[str] = typer.Argument(help="Ids, or the beginnings of them."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
    home: str = HOME,
) -> None:
    """Remove runs: their records and checkpoints. The media stay."""
    import asyncio

    from deixis.agent.traces.removing import remove
    from deixis.store import Store

    store = Store(Path(home) if home else None)
    found = [store.runs.record(run) for run in runs]
    if not yes:
        for record in found:
            typer.echo(f"{record.run}  {record.status}  {record.question}")
        typer.confirm(f"Remove {len(found)} {'run' if len(found) == 1 else 'runs'}?", abort=True)
    for record in found:
        asyncio.run(remove(store, record.run))
        typer.echo(f"Removed {record.run}")
