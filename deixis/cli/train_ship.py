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
    if folder is not None and base is None and adapter is None:
        from deixis.learned.pocket.ship import ship as shipped

        facts = shipped(folder, to or _package("deixis.tools.pocket"))
        head, rows = "digest", {name: str(one.get("digest", "")) for name, one in facts["files"].items()}
    elif folder is None and base is not None and adapter is not None:
        from deixis.learned.extras import require_torch
        from deixis.learned.mllm.shipping import HOME
        from deixis.learned.mllm.shipping import ship as shipped_mllm

        require_torch()
        facts = shipped_mllm(base, adapter, to or _package(HOME))
        head, rows = "bytes", {name: f"{size:,}" for name, size in facts.items()}
    else:
        raise InputFault(
            "train.ship.what",
            "It is not said what is to be shipped.",
            "Name the folder of pocket files, or --base FOLDER and --adapter FOLDER.",
        )
    if as_json:
        print_json(facts)
    else:
        print_table("", ("file", head), list(rows.items()))


def _package(name: str) -> Path:
    from importlib.resources import files

    return Path(str(files(name)))
