"""Lists of pictures and sounds that are looked at together."""

from __future__ import annotations

import json
from pathlib import Path

from deixis.errors import InputFault


def read_pairs(path: Path) -> list[tuple[str, ...]]:
    """Returns (picture, sound) paths of a JSON list, or of JSON lines, of objects with `image` and `audio`.

    Raises:
        InputFault: the file cannot be read, or an entry lacks one of the two.
    """
    try:
        text = path.read_text("utf-8")
        rows = (
            json.loads(text)
            if text.lstrip().startswith("[")
            else [json.loads(x) for x in text.splitlines() if x]
        )
        return [(str(row["image"]), str(row["audio"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputFault(
            "scout.pairs.invalid",
            f"The pairs in {path} cannot be read: {type(error).__name__}: {error}.",
            'Give a JSON list of objects such as {"image": "a.jpg", "audio": "a.wav"}.',
        ) from error
