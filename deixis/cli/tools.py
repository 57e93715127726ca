"""``deixis tools``: which tools there are, whether they could run here, and whether they do."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import typer

from deixis.cli.output import print_json, print_table
from deixis.cli.tools_serve import serve

app = typer.Typer(help="List, try and serve the tools that a run can call.")
app.command()(serve)

JSON = typer.Option(False, "--json", help="Print JSON.")
PROFILE = typer.Option("auto", "--profile", "-p", help="auto, light, pocket, sketch, or a .toml file.")

RUNTIMES = {".onnx": "onnxruntime", ".tflite": "ai_edge_litert"}
"""The package that a weight file of this suffix is run with."""


def _rows(profile: str) -> list[dict[str, Any]]:
    """Returns a row for every tool; nothing is loaded, only looked for."""
    from deixis import registry
    from deixis.agent.profile import load_profile
    from deixis.tools.weights.locate import find
    from deixis.tools.weights.manifest import manifest

    box = load_profile(profile).toolbox()
    used = {box.name(role) for role in box.roles()}
    rows = []
    for name in registry.tools.names():
        files = [entry for entry in manifest() if name in entry.tools]
        missing = [entry.name for entry in files if find(entry) is None]
        runtimes = {RUNTIMES[suffix] for suffix in RUNTIMES if any(e.name.endswith(suffix) for e in files)}
        absent = sorted(package for package in runtimes if find_spec(package) is None)
        rows.append(
            {
                "role": name.partition("/")[0],
                "name": name,
                "used": name in used,
                "ready": not missing and not absent,
                "missing_weights": missing,
                "missing_packages": absent,
                "weights": [entry.name for entry in files],
                "megabytes": round(sum(entry.size for entry in files) / 1e6, 1),
                "licences": sorted({entry.licence for entry in files}),
            }
        )
    return rows


@app.command("list")
def list_(profile: str = PROFILE, as_json: bool = JSON) -> None:
    """Show all tools by role: the ones the profile uses (*), and whether their weights are here."""
    rows = _rows(profile)
    if as_json:
        print_json(rows)
        return
    print_table(
        "",
        ("role", "", "name", "MB", "state", "licences of its weights"),
        [
            (
                row["role"],
                "*" if row["used"] else "",
                row["name"],
                f"{row['megabytes']:.1f}" if row["weights"] else "",
                _state(row),
                "; ".join(row["licences"]),
            )
            for row in rows
        ],
    )


def _state(row: dict[str, Any]) -> str:
    if row["missing_packages"]:
        return f"package missing: {', '.join(row['missing_packages'])}"
    if row["missing_weights"]:
        return f"weights missing: {len(row['missing_weights'])} of {len(row['weights'])}"
    return "ready"


@app.command()
def check(
    name: str = typer.Argument("", help="Registry name; without it, all tools of the profile."),
    profile: str = PROFILE,
    as_json: bool = JSON,
) -> None:
    """Load tools and run each on a drawn picture or a made sound; exit code 3 if one fails."""
    import tempfile
    from pathlib import Path

    from deixis.agent.profile import load_profile
    from deixis.cli.trial import try_tool
    from deixis.errors import DeixisError
    from deixis.store import Store

    box = load_profile(profile).toolbox()
    names = [name] if name else [box.name(role) for role in box.roles()]
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for one in names:
            try:
                trial = try_tool(one, store)
                rows.append({**vars(trial), "ok": True, "error": None})
            except DeixisError as error:
                if name and not as_json:
                    raise
                rows.append({"name": one, "ok": False, "error": error.as_dict()})
            except Exception as error:
                # A stranger's tool may raise anything; the check says so and goes on with the next one.
                facts = {"code": "unexpected", "message": f"{type(error).__name__}: {error}", "cure": ""}
                rows.append({"name": one, "ok": False, "error": facts})
            if not as_json:
                print(_line(rows[-1]))
    if as_json:
        print_json(rows)
    if not all(row["ok"] for row in rows):
        raise typer.Exit(3)


def _line(row: dict[str, Any]) -> str:
    if row["ok"]:
        times = f"{1000 * row['seconds']:7.1f} ms, loaded in {row['load_s']:.2f} s"
        return f"ok    {row['name']:28} {times}; {row['found']}"
    error = row["error"]
    return f"fail  {row['name']:28} {error['message']} [{error['code']}] {error['cure']}".rstrip()
