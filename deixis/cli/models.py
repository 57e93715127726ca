"""``deixis models``: list, fetch, verify and find weight files."""

from __future__ import annotations

import typer

from deixis.cli.output import print_json, print_table

app = typer.Typer(help="List, fetch and verify weight files.")

JSON = typer.Option(False, "--json", help="Print JSON.")


@app.command("list")
def list_(as_json: bool = JSON) -> None:
    """Show every weight file: profile, size, licence, and whether it is here."""
    from deixis.errors import WeightsMissing
    from deixis.tools.weights import locate
    from deixis.tools.weights.manifest import manifest

    rows = []
    for entry in manifest():
        try:
            where = str(locate(entry.name).path)
        except WeightsMissing:
            where = ""
        rows.append({**entry.model_dump(), "path": where or None})
    if as_json:
        print_json(rows)
        return
    print_table(
        "",
        ("profile", "name", "MB", "licence", "here"),
        [
            (r["profile"], r["name"], f"{r['size'] / 1e6:.1f}", r["licence"], "yes" if r["path"] else "no")
            for r in rows
        ],
    )


@app.command("path")
def path(
    name: str = typer.Argument("", help="Name of a file, as in `deixis models list`."), as_json: bool = JSON
) -> None:
    """Print where a file lies, or, without a name, the folders that are searched."""
    from deixis.tools.weights import locate
    from deixis.tools.weights.locate import folders

    found = [str(locate(name).path)] if name else [str(folder) for folder in folders()]
    if as_json:
        print_json({"path": found[0]} if name else {"folders": found})
        return
    print("\n".join(found))
