"""``deixis demo``: the main job on the bundled examples, with pages to look at."""

from __future__ import annotations

import typer

app = typer.Typer(help="Run the main job on the bundled examples.")


@app.command()
def demo(
    profile: str = typer.Option(
        "auto", "--profile", "-p", help="auto, light, pocket, sketch, or a .toml file."
    ),
    out: str = typer.Option("demo-out", "--out", "-o", help="Folder for the pages and pictures."),
) -> None:
    """Ask the bundled questions about the bundled photos and sounds, and write a page for each.

    Light weights are used where they are here, or can be fetched; without them the demo runs the networks
    of the package on illustrated scenes, and says so.
    """
    from pathlib import Path

    from rich.console import Console

    from deixis import examples
    from deixis.agent.agent import Agent
    from deixis.agent.render import terminal
    from deixis.cli.ask import answered
    from deixis.cli.fetching import fetched_if_possible

    if profile in ("auto", "light"):
        typer.echo("Looking for the weights of light …")
        if said := fetched_if_possible("light"):
            typer.echo(said)
    agent = Agent(profile)
    typer.echo(f"Profile {agent.profile.name}: {agent.profile.about}.")
    if agent.profile.why:
        typer.echo(f"Chosen because {agent.profile.why}.")
    folder = Path(out)
    for example in examples.for_profile(agent.profile.name):
        typer.echo(f"\n› {example.question}   ({', '.join(example.files)})")
        image = [str(examples.path(name)) for name in example.images]
        audio = [str(examples.path(name)) for name in example.sounds]
        answer = answered(agent, example.question, image, audio, quiet=False, steps=False)
        terminal.show(answer, Console())
        answer.save(folder / example.name, store=agent.store)
        typer.echo(f"Page: {folder / example.name / 'index.html'}")
    typer.echo(f"\nEverything lies in {folder}/; open the pages in a browser.")
