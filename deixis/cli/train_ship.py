"""``deixis train ship``: take trained pocket files into the package."""

from __future__ import annotations

from pathlib import Path

import typer

from deixis.cli.output import print_json, print_table
from deixis.errors import InputFault


def ship(
    folder: Path | None = typer.Argument(None, help="The folder that deixis train pocket --out wrote to."),
    base: Path | None = typer.Option(
        None, "--base", help="The base that deixis train understand wrote, with --adapter.", metavar="FOLDER"
    ),
    adapter: Path | None = typer.Option(
        None, "--adapter", help="The twin that deixis train ground wrote, with --base.", metavar="FOLDER"
    ),
    to: Path | None = typer.Option(
        None, "--to", help="The folder to copy into; the package's own else.", metavar="FOLDER"
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the whole card as JSON."),
) -> None:
    """Copy trained pocket files, or a base and its twin, into the package, after checking them."""
    if (folder is None) == (base is None) or (base is None) != (adapter is None):
        raise InputFault(
            "train.ship.what",
            "It is not said what is to be shipped.",
            "Name the folder of pocket files, or --base FOLDER and --adapter FOLDER.",
        )
    if folder is None and base and adapter:
        from deixis.learned.extras import require_torch
        from deixis.learned.mllm.shipping import ship as shipped_mllm

        require_torch()
        sizes = shipped_mllm(base, adapter, to or _package("deixis.learned.pocket"))
        if as_json:
            print_json(sizes)
        else:
            print_table("", ("file", "bytes"), [(name, f"{size:,}") for name, size in sizes.items()])
        return
    from deixis.learned.pocket.ship import ship as shipped

    card = shipped(Path(str(folder)), to or _package("deixis.tools.pocket"))
    if as_json:
        print_json(card)
        return
    rows = [(name, str(facts.get("digest", ""))) for name, facts in card["files"].items()]
    print_table("", ("file", "digest"), rows)


def _package(name: str) -> Path:
    from importlib.resources import files

    return Path(str(files(name)))
