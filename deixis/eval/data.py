"""Folders of evaluation data: read with care, refused with the cure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deixis.errors import InputFault


def read_json(data: Path, name: str) -> Any:
    """Returns the JSON file `name` of a data folder.

    Raises:
        InputFault: the file is missing or is not JSON.
    """
    path = data / name
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise InputFault(
            "eval.data.missing",
            f"The data folder has no {name}.",
            "Give --data a folder with the layout that docs/evaluation.md describes.",
        ) from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputFault(
            "eval.data.damaged", f"{name} is not valid JSON ({error}).", "Mend the file."
        ) from error
