"""Batch: many questions from a manifest, answered one by one, resumable after any end.

A manifest is JSON lines (``{"question": ..., "image": ..., "audio": ..., "id": ...}``) or CSV with the
same columns; `image` and `audio` are paths relative to the manifest, or lists of them. Each answer is
written to ``OUT/<id>/`` and then a line to ``OUT/results.jsonl``; items that have a line are not done
again, so a killed batch goes on where it was, without duplicates.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue, ValidationError

from deixis.agent.agent import Agent
from deixis.errors import DeixisError, InputFault
from deixis.geometry import Frozen
from deixis.media.fetch import is_address

SAFE_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")
RESULTS = "results.jsonl"


class Item(Frozen):
    """One question of a manifest."""

    id: str = Field(pattern=f"^{SAFE_ID.pattern}$", description="also the name of its folder")
    question: str = ""
    image: tuple[str, ...] = ()
    audio: tuple[str, ...] = ()


class Result(Frozen):
    """How an item ended: its answer's text, or its error."""

    id: str
    status: Literal["complete", "degraded", "partial", "needs_mllm", "failed"]
    text: str = ""
    run: str = ""
    error: dict[str, JsonValue] | None = None


def read_manifest(path: Path) -> list[Item]:
    """Returns the items of a manifest; an item without an id gets its line number.

    Raises:
        InputFault: the file is missing or a line is wrong; the message names the line.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputFault(
            "batch.manifest.unreadable", f"{path} cannot be read ({error}).", "Check it."
        ) from error
    items: list[Item] = []
    for number, row in enumerate(_rows(path, text), 1):
        items.append(_item(path, number, row))
    ids = [item.id for item in items]
    for item_id in ids:
        if ids.count(item_id) > 1:
            raise InputFault(
                "batch.manifest.duplicate", f"The id {item_id!r} stands twice in {path}.", "Make ids unique."
            )
    return items


def _rows(path: Path, text: str) -> list[Any]:
    if path.suffix.lower() == ".csv":
        return list(csv.DictReader(text.splitlines()))
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise InputFault(
                    "batch.manifest.invalid", f"Line {number} of {path} is not JSON ({error}).", "Mend it."
                ) from error
    return rows


def _item(path: Path, number: int, row: Any) -> Item:
    if not isinstance(row, dict):
        raise InputFault("batch.manifest.invalid", f"Item {number} of {path} is not an object.", "Mend it.")
    try:
        return Item(
            id=str(row.get("id") or f"{number:06d}"),
            question=str(row.get("question") or ""),
            image=_sources(path, row.get("image")),
            audio=_sources(path, row.get("audio")),
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputFault(
            "batch.manifest.invalid",
            f"Item {number} of {path}: {first['loc'][0]}: {first['msg']}.",
            "Ids are letters, digits, dots, dashes and underscores.",
        ) from error


def _sources(path: Path, value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value] if value else []
    return tuple(text if is_address(text) else str(path.parent / text) for text in map(str, listed))


def done(out: Path) -> dict[str, Result]:
    """Returns the results on record by id; a last line torn by a kill is left out."""
    path = out / RESULTS
    found: dict[str, Result] = {}
    for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
        try:
            result = Result.model_validate_json(line)
        except ValidationError:
            continue
        found[result.id] = result
    return found


def run_batch(
    agent: Agent,
    items: Sequence[Item],
    out: Path,
    exporters: Sequence[str] = ("json", "coco", "png"),
    retry_failed: bool = False,
    progress: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Returns the results of all items, those of an earlier call included, in the manifest's order.

    An item that fails does not stop the others; it is on record with its error.
    """
    out.mkdir(parents=True, exist_ok=True)
    earlier = done(out)
    _mend(out / RESULTS)
    for item in items:
        known = earlier.get(item.id)
        if known is None or (retry_failed and known.status == "failed"):
            result = _answered(agent, item, out / item.id, exporters)
            with (out / RESULTS).open("a", encoding="utf-8") as file:
                file.write(result.model_dump_json(exclude_none=True) + "\n")
            earlier[item.id] = result
            progress(result)
    return [earlier[item.id] for item in items]


def _mend(path: Path) -> None:
    """Ends a line that a kill tore, so that the next one is not glued to it."""
    if path.is_file() and path.stat().st_size and not path.read_bytes().endswith(b"\n"):
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")


def _answered(agent: Agent, item: Item, folder: Path, exporters: Sequence[str]) -> Result:
    try:
        answer = agent.ask(item.question, image=list(item.image) or None, audio=list(item.audio) or None)
        answer.save(folder, store=agent.store, exporters=exporters)
    except DeixisError as error:
        run = str(error.details.get("run", ""))
        return Result(id=item.id, status="failed", run=run, error=error.as_dict())
    return Result(id=item.id, status=answer.status, text=answer.text, run=answer.run)
