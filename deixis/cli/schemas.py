"""``deixis schemas``: the JSON schemas of everything that deixis stores, prints or sends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from deixis.cli.output import print_json

if TYPE_CHECKING:
    from pydantic import BaseModel

app = typer.Typer(help="Show or write the JSON schemas of answers, traces, reports and tools.")

JSON = typer.Option(False, "--json", help="Print JSON.")


def models() -> dict[str, type[BaseModel]]:
    """Returns every published model under the name of its schema file."""
    from deixis.answer import GroundedAnswer
    from deixis.eval.report import Report
    from deixis.learned.scout.sample import Sample
    from deixis.tools.detection.protocol import GroundRequest, GroundResult
    from deixis.tools.embedding.protocol import EmbedRequest, EmbedResult
    from deixis.tools.hearing.protocol import HearRequest, HearResult
    from deixis.tools.linking.protocol import LinkRequest, LinkResult
    from deixis.tools.matching.protocol import MatchRequest, MatchResult
    from deixis.tools.segmentation.protocol import SegmentRequest, SegmentResult
    from deixis.tools.tagging.protocol import TagRequest, TagResult
    from deixis.trace import Event, RunRecord, Step, Trace

    return {
        "grounded-answer": GroundedAnswer,
        "trace": Trace,
        "step": Step,
        "event": Event,
        "run-record": RunRecord,
        "report": Report,
        "scout-sample": Sample,
        "tool-tagging-request": TagRequest,
        "tool-tagging-result": TagResult,
        "tool-detection-request": GroundRequest,
        "tool-detection-result": GroundResult,
        "tool-segmentation-request": SegmentRequest,
        "tool-segmentation-result": SegmentResult,
        "tool-embedding-request": EmbedRequest,
        "tool-embedding-result": EmbedResult,
        "tool-hearing-request": HearRequest,
        "tool-hearing-result": HearResult,
        "tool-linking-request": LinkRequest,
        "tool-linking-result": LinkResult,
        "tool-matching-request": MatchRequest,
        "tool-matching-result": MatchResult,
    }


def schema(name: str) -> dict[str, Any]:
    """Returns one JSON schema: of what is accepted for requests, of what is written for all others.

    Raises:
        InputFault: there is no such schema.
    """
    from deixis.errors import InputFault

    known = models()
    if name not in known:
        raise InputFault("schema.unknown", f"There is no schema {name!r}.", f"Known: {', '.join(known)}.")
    mode: Literal["validation", "serialization"] = (
        "validation" if name.endswith("-request") else "serialization"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **known[name].model_json_schema(mode=mode),
    }


def files() -> dict[str, str]:
    """Returns the text of every schema file under its name."""
    return {
        f"{name}.json": json.dumps(schema(name), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        for name in models()
    }


@app.command("list")
def list_(as_json: bool = JSON) -> None:
    """List the names."""
    if as_json:
        print_json(list(models()))
    else:
        print("\n".join(models()))


@app.command()
def show(name: str = typer.Argument(..., help="As in `deixis schemas list`.")) -> None:
    """Print one schema."""
    print_json(schema(name))


@app.command()
def write(folder: Path = typer.Argument(Path("docs/schemas"), help="Where the files go.")) -> None:
    """Write all schemas into a folder, one file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text, "utf-8")
        print(folder / name)


@app.command()
def check(folder: Path = typer.Argument(Path("docs/schemas"), help="Where the files lie.")) -> None:
    """Compare the files of a folder with the models; exit code 2 if they differ."""
    from deixis.errors import InputFault

    stale = [
        name
        for name, text in files().items()
        if not (folder / name).is_file() or (folder / name).read_text("utf-8") != text
    ]
    strange = sorted({path.name for path in folder.glob("*.json")} - set(files()))
    if stale or strange:
        raise InputFault(
            "schema.stale",
            f"Schemas that are not up to date: {', '.join(stale + strange)}.",
            "Write them again with: deixis schemas write",
        )
    print(f"{len(files())} schemas are up to date")
