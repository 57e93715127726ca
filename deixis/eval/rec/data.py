"""Referring expressions and their boxes, from ``images/refcoco/expressions.json`` of a data folder."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from deixis.errors import InputFault
from deixis.eval.data import read_json
from deixis.geometry import Box, Frozen

FILE = "images/refcoco/expressions.json"
_SUBSETS = (
    ("refcocog", "refcocog"),
    ("refcoco+", "refcoco+"),
    ("refcocoplus", "refcoco+"),
    ("refcoco", "refcoco"),
)


class Referring(Frozen):
    """One expression, the picture's path below the data folder, and the box meant, in pixels."""

    picture: str
    expression: str
    box: Box
    subset: str


def read_expressions(data: Path) -> tuple[list[Referring], int]:
    """Returns the expressions in the order of the file, and how many entries could not be used.

    An entry is a mapping with ``expression``, ``bbox`` (x0, y0, x1, y1 in pixels), ``file`` (below
    the data folder) or ``img_path`` (beside the JSON file), and maybe ``subset``.

    Raises:
        InputFault: the file is missing, damaged, or holds no usable entry.
    """
    raw = read_json(data, FILE)
    entries = raw if isinstance(raw, list) else []
    found = [item for entry in entries if (item := _item(data, entry)) is not None]
    if not found:
        raise InputFault(
            "eval.rec.empty",
            f"{FILE} holds no usable expression.",
            "Each entry needs expression, bbox and file, and the picture must be in the folder.",
        )
    return found, len(entries) - len(found)


def subset_of(name: object) -> str:
    """Returns refcoco, refcoco+ or refcocog for a subset's name, and ``other`` for any other."""
    text = str(name or "").casefold()
    return next((subset for key, subset in _SUBSETS if text.startswith(key)), "other")


def _item(data: Path, entry: Any) -> Referring | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("expression"), str):
        return None
    picture = _picture(data, entry)
    corners = entry.get("bbox")
    if picture is None or not isinstance(corners, list) or len(corners) != 4:
        return None
    try:
        x1, y1, x2, y2 = (float(value) for value in corners)
    except (TypeError, ValueError):
        return None
    if not all(map(math.isfinite, (x1, y1, x2, y2))) or x2 <= x1 or y2 <= y1:
        return None
    box = Box(x1=x1, y1=y1, x2=x2, y2=y2)
    return Referring(
        picture=picture, expression=entry["expression"], box=box, subset=subset_of(entry.get("subset"))
    )


def _picture(data: Path, entry: dict[str, Any]) -> str | None:
    """Returns the path below the data folder of an entry's picture; None where it is not inside."""
    beside = Path(FILE).parent
    for name, folder in ((entry.get("file"), Path()), (entry.get("img_path"), beside)):
        if isinstance(name, str) and name:
            path = (data / folder / name).resolve()
            if path.is_file() and path.is_relative_to(data.resolve()):
                return str(path.relative_to(data.resolve()))
    return None
