"""``deixis batch``: the questions of a manifest, resumable."""

from __future__ import annotations

import typer

app = typer.Typer(help="Answer the questions of a manifest, resumable.")


@app.command()
def batch(
    manifest: str = typer.Argument(help="JSON lines or CSV: id, question, image, audio."),
    out: str = typer.Option(
        ..., "--out", "-o", help="Folder for the answers; an earlier one is gone on with."
    ),
    profile: str = typer.Option(
        "auto", "--profile", "-p", help="auto, light, pocket, sketch, or a .toml file."
    ),
    export: list[str] = typer.Option(["json", "coco", "png"], "--export", help="Exporters. Repeatable."),
    retry_failed: bool = typer.Option(False, "--retry-failed", help="Ask again what failed before."),
    as_json: bool = typer.Option(False, "--json", help="Print the results as JSON."),
) -> None:
    """Answer every question of a manifest and write each answer to OUT/ID.

    A batch that was killed goes on where it was when it is called again; nothing is done twice.
    """
    from pathlib import Path

    from deixis.agent.agent import Agent
    from deixis.agent.batch import Result, read_manifest, run_batch
    from deixis.cli.output import print_json, progress

    items = read_manifest(Path(manifest))
    agent = Agent(profile)
    with progress() as bar:
        task = bar.add_task("questions", total=len(items))

        def tell(result: Result) -> None:
            bar.advance(task)

        results = run_batch(agent, items, Path(out), export, retry_failed, tell)
    if as_json:
        print_json([result.model_dump(mode="json", exclude_none=True) for result in results])
    failed = [result for result in results if result.status == "failed"]
    if not as_json:
        typer.echo(
            f"{len(results) - len(failed)} answered, {len(failed)} failed; results in {out}/results.jsonl"
        )
        for result in failed:
            error = result.error or {}
            typer.echo(
                f"  {result.id}: {error.get('message')} [{error.get('code')}] {error.get('cure')}", err=True
            )
    if failed:
        raise typer.Exit(2)
