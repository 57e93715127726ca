"""Prompts of both kinds, for training and measuring gates: any list of them will do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from deixis.errors import InputFault


class Prompt(BaseModel):
    """A prompt and the expert that it is meant for.

    Attributes:
        text: the last user turn.
        expert: ``frozen`` for understanding, ``learn`` for what the twin was trained for.
        hard: it looks like the other kind ("Where was this taken?"; "Show me the dog." without "box").
    """

    model_config = ConfigDict(frozen=True)

    text: str
    expert: Literal["frozen", "learn"]
    hard: bool = False


def read_prompts(path: Path) -> list[Prompt]:
    """Returns the prompts of a JSON-lines file: ``{"text": ..., "expert": "frozen"|"learn", "hard": false}``.

    Raises:
        InputFault: the file is missing or a line is wrong; the message has its number.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputFault(
            "twin.prompts.unreadable", f"The prompts in {path} cannot be read.", "Give a JSON-lines file."
        ) from error
    prompts = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            prompts.append(Prompt.model_validate(json.loads(line)))
        except (ValidationError, ValueError) as error:
            raise InputFault(
                "twin.prompts.line",
                f"Line {number} of {path.name} is no prompt.",
                'A line looks like {"text": "Where is the dog?", "expert": "learn", "hard": false}.',
                line=number,
            ) from error
    return prompts


def write_prompts(prompts: Iterable[Prompt], path: Path) -> None:
    """Writes prompts as JSON lines."""
    path.write_text("".join(prompt.model_dump_json() + "\n" for prompt in prompts), "utf-8")
