"""``deixis train ship``: take trained pocket files into the package."""

from __future__ import annotations

from pathlib import Path

import typer

from deixis.cli.output import print_json, print_table


def ship(
    folder: Path = typer.Argument(..., help="The folder that deixis train pocket --out wrote to."),
    to: Path | None = typer.Option(
        None, "--to", help="The folder of the pocket files; the package's own else.", metavar="FOLDER"
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the whole card as JSON."),
) -> None:
    """Copy trained pocket files into the package and write the card that they are checked by."""
    from deixis.learned.pocket.ship import ship as shipped

    card = shipped(folder, _package() if to is None else to)
    if as_json:
        print_json(card)
        return
    rows = [(name, str(facts.get("digest", ""))) for name, facts in card["files"].items()]
    print_table("", ("file", "digest"), rows)


def _package() -> Path:
    from importlib.resources import files

    return Path(str(files("deixis.tools.pocket")))
