"""``deixis trace``: the runs on record: shown, gone on with, corrected, compared, exported, removed."""

from __future__ import annotations

from pathlib import Path

import typer

from deixis.cli.output import print_json, print_table
from deixis.cli.trace_go import HOME, JSON, fork, replay, resume
from deixis.cli.trace_out import diff, export, rm

app = typer.Typer(help="Look at stored runs, step by step; go on with them, correct, compare, export them.")


@app.command("list")
def list_(
    limit: int = typer.Option(20, "--limit", "-n", min=1, help="Most runs, newest first."),
    home: str = HOME,
    as_json: bool = JSON,
) -> None:
    """List the runs, newest first, failed ones with their error code."""
    from deixis.store import Store

    records = Store(Path(home) if home else None).runs.records(limit)
    if as_json:
        print_json([record.model_dump(mode="json") for record in records])
        return
    if not records:
        typer.echo('No runs yet. Try: deixis ask "What is here?" --image photo.jpg')
        return
    rows = []
    for record in records:
        status: str = record.status
        if record.error:
            status = f"{status} ({record.error.get('code')})"
        media = ", ".join(
            name or digest[7:15] for name, digest in zip(record.names, record.media, strict=False)
        )
        rows.append([record.run, status, record.profile, f"{record.seconds:.2f} s", record.question, media])
    print_table("runs", ["run", "status", "profile", "time", "question", "media"], rows)


@app.command()
def show(
    run: str = typer.Argument(help="A run's id, or the beginning of it."),
    home: str = HOME,
    as_json: bool = JSON,
) -> None:
    """Show one run: its steps, what each tool said, and the answer."""
    from rich.console import Console

    from deixis.agent.render import terminal
    from deixis.store import Store

    store = Store(Path(home) if home else None)
    trace = store.runs.trace(run)
    answer = store.runs.answer(trace.record.run)
    if as_json:
        print_json(
            {
                **trace.model_dump(mode="json", exclude_none=True),
                "answer": answer.model_dump(mode="json", exclude_none=True) if answer else None,
            }
        )
        return
    console = Console()
    if answer is not None:
        terminal.show(answer, console, trace=trace)
        return
    terminal.show_trace(trace, console)
    if trace.record.error:
        typer.echo(f"Failed: {trace.record.error.get('message')} [{trace.record.error.get('code')}]")
        typer.echo(str(trace.record.error.get("cure", "")))


for command in (resume, replay, fork, diff, export, rm):
    app.command(command.__name__)(command)
