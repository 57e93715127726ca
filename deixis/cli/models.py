"""``deixis models``: list, fetch, verify and find weight files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from deixis.cli.fetching import pulled
from deixis.cli.output import print_json, print_table

if TYPE_CHECKING:
    from deixis.tools.weights.manifest import ManifestEntry
    from deixis.tools.weights.pull import Pulled

app = typer.Typer(help="List, fetch and verify weight files.")

JSON = typer.Option(False, "--json", help="Print JSON.")


@app.command("list")
def list_(as_json: bool = JSON) -> None:
    """Show every weight file: profile, size, licence, and whether it is here."""
    from deixis.tools.weights.locate import find
    from deixis.tools.weights.manifest import manifest

    rows = [(entry, find(entry)) for entry in manifest()]
    if as_json:
        print_json([{**entry.model_dump(), "path": path and str(path)} for entry, path in rows])
        return
    print_table(
        "",
        ("profile", "name", "MB", "here", "licence"),
        [
            (entry.profile, entry.name, f"{entry.size / 1e6:.1f}", "yes" if path else "no", entry.licence)
            for entry, path in rows
        ],
    )
    missing = sum(entry.size for entry, path in rows if path is None)
    print(f"{sum(e.size for e, _ in rows) / 1e6:.1f} MB in all, {missing / 1e6:.1f} MB not here")


@app.command()
def pull(
    profile: str = typer.Argument(..., help="A profile of the manifest, e.g. light."),
    only: list[str] = typer.Option(
        [],
        "--only",
        help="Only this file, or the files of this tool, such as sam; repeatable.",
        metavar="NAME",
    ),
    mirror: str = typer.Option(
        "", "--mirror", help="A folder or a base address to take the files from.", metavar="URL-OR-FOLDER"
    ),
    to: Path | None = typer.Option(
        None, "--to", help="Where they go; else DEIXIS_WEIGHTS, else the cache.", metavar="FOLDER"
    ),
    as_json: bool = JSON,
) -> None:
    """Fetch the weight files of a profile; what is here already is kept, what broke off is continued."""
    from deixis.tools.weights import pull as pulling

    wanted = pulling.chosen(profile, only)
    outcomes = pulled(wanted, to, mirror or None)
    if as_json:
        print_json([_row(one) for one in outcomes])
    else:
        for one in outcomes:
            print(f"{one.outcome:8} {one.name}" + (f"  {one.path}" if one.path else ""))
    _raise_failures(outcomes, wanted, pulling.destination(to))


def _row(one: Pulled) -> dict[str, Any]:
    return {
        "name": one.name,
        "outcome": one.outcome,
        "path": one.path and str(one.path),
        "error": one.error and one.error.as_dict(),
    }


def _raise_failures(outcomes: list[Pulled], wanted: tuple[ManifestEntry, ...], folder: Path) -> None:
    """Raises one error for all files that failed, after a line about each and how to fetch it by hand."""
    from deixis.errors import InputFault

    failed = {one.name: one.error for one in outcomes if one.error is not None}
    if not failed:
        return
    for name, error in failed.items():
        print(f"{name}: {error.message} [{error.code}]", file=sys.stderr)
    print("By hand:", file=sys.stderr)
    for entry in wanted:
        if entry.name in failed and entry.derive is None:
            target = folder / entry.name
            print(f"  {entry.url}\n    to {target}\n    sha256 {entry.sha256}", file=sys.stderr)
    worst = next((error for error in failed.values() if error.code != "weights.stopped"), None)
    raise InputFault(
        "weights.incomplete",
        f"{len(failed)} of {len(outcomes)} files were not fetched.",
        worst.cure if worst else "Run the same command again.",
        failed=sorted(failed),
    )


def _begun(listed: tuple[ManifestEntry, ...]) -> set[str]:
    """Returns the profiles of which a file is here, and light: nobody is to miss what was never wanted."""
    from deixis.tools.weights.locate import search_folders

    folders = search_folders()
    return {"light"} | {e.profile for e in listed if any((f / e.name).is_file() for f in folders)}


@app.command()
def verify(
    profile: str = typer.Argument("", help="A profile of the manifest; all that were pulled if left out."),
    as_json: bool = JSON,
) -> None:
    """Recompute the sha256 of every file that is here; exit code 2 if one is missing or differs."""
    from deixis.tools.weights.manifest import entries, manifest
    from deixis.tools.weights.verify import verify as verify_all

    wanted = entries(profile) if profile else tuple(e for e in manifest() if e.profile in _begun(manifest()))
    rows = list(verify_all(wanted))
    if as_json:
        print_json(
            [
                {
                    "name": row.name,
                    "state": row.state,
                    "path": row.path and str(row.path),
                    "sha256": row.found,
                    "pinned": row.wanted,
                }
                for row in rows
            ]
        )
    else:
        for row in rows:
            print(f"{row.state:8} {row.name}")
            if row.state == "mismatch":
                print(f"         {row.path}\n         has    {row.found}\n         pinned {row.wanted}")
    if any(row.state != "ok" for row in rows):
        raise typer.Exit(2)


@app.command()
def path(
    name: str = typer.Argument("", help="Name of a file, as in `deixis models list`."), as_json: bool = JSON
) -> None:
    """Print where a file lies, or, without a name, the folders that are searched."""
    from deixis.tools.weights.locate import locate, search_folders

    found = [str(locate(name).path)] if name else [str(folder) for folder in search_folders()]
    if as_json:
        print_json({"path": found[0]} if name else {"folders": found})
        return
    print("\n".join(found))
