"""A language model's reply read as the next step; what is wrong with it is said so that it can be mended."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import ValidationError

from deixis.errors import PlannerFault
from deixis.graphs.planning.protocol import NextStep
from deixis.graphs.planning.seen import clean

MOST_LETTERS = 60_000
MOST_STARTS = 40
MOST_ERRORS = 4
_THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)


def read_reply(text: str) -> NextStep:
    """Returns the step that a reply holds: a JSON object, in a code fence or among words or not.

    Raises:
        PlannerFault: ``planner.reply.json`` without a whole object, ``planner.reply.schema`` for one that is
            no step; the message says what is wrong and where.
    """
    data = _object(_THOUGHTS.sub("", text[:MOST_LETTERS]))
    if data is None:
        raise PlannerFault(
            "planner.reply.json",
            f"The reply holds no whole JSON object; it begins with {clean(text, 60)!r}.",
            "Reply with one JSON object of the schema and nothing else.",
        )
    try:
        return NextStep.model_validate(_without_nulls(data))
    except ValidationError as error:
        rows = error.errors(include_url=False, include_input=False)[:MOST_ERRORS]
        told = "; ".join(f"{'.'.join(map(str, row['loc'])) or 'the step'}: {row['msg']}" for row in rows)
        raise PlannerFault("planner.reply.schema", f"The reply is no step: {clean(told, 600)}.") from error


def _object(text: str) -> dict[str, Any] | None:
    """Returns the first whole JSON object of a text that looks like a step; else the first of any kind."""
    decoder = json.JSONDecoder()
    first: dict[str, Any] | None = None
    at = text.find("{")
    for _ in range(MOST_STARTS):
        if at < 0:
            break
        try:
            data, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        if isinstance(data, dict):
            if "kind" in data:
                return data
            first = first or data
        at = text.find("{", end)
    return first


def _without_nulls(data: Any) -> Any:
    """Returns the data without keys that hold null: strict schemas make models write every key."""
    if isinstance(data, dict):
        return {key: _without_nulls(value) for key, value in data.items() if value is not None}
    if isinstance(data, list):
        return [_without_nulls(value) for value in data]
    return data


def strict_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns a JSON schema in the strict form of OpenAI-compatible endpoints.

    Every key is required, none may be added, and limits and defaults, which such endpoints refuse, are left
    out; they are checked when the reply is read.
    """
    made: dict[str, Any] = _strict(schema)
    return made


_KEPT = frozenset({"type", "enum", "const", "items", "properties", "$ref", "$defs", "anyOf", "description"})


def _strict(node: Any, names: bool = False) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if names:  # a mapping from names to schemas: every key stays
        return {key: _strict(value) for key, value in node.items()}
    made = {
        key: _strict(value, names=key in ("properties", "$defs"))
        for key, value in node.items()
        if key in _KEPT
    }
    if "$ref" in made:
        return {"$ref": made["$ref"]}
    if "properties" in made:
        made["required"] = list(made["properties"])
        made["additionalProperties"] = False
    return made
