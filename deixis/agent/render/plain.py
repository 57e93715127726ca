"""Words of strangers made safe to show: no control characters, no escape codes, no hidden direction marks."""

from __future__ import annotations

import re
import unicodedata

ESCAPE_CODES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
"""ECMA-48 control sequences, operating system commands, two-byte escapes."""
DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Bidirectional controls, which could make a text read otherwise than it is."""


def plain(text: str, *, lines: bool = False) -> str:
    """Returns `text` without escape codes, control characters and direction marks.

    With `lines`, line breaks and tabs stay; otherwise they become blanks.
    """
    text = DIRECTION.sub("", ESCAPE_CODES.sub("", text))
    out = []
    for char in text:
        if char in "\n\t":
            out.append(char if lines else " ")
        elif unicodedata.category(char) not in ("Cc", "Cs"):
            out.append(char)
    return "".join(out)


def shortened(text: str, most: int) -> str:
    """Returns `text` on one line, cut to `most` characters with an ellipsis."""
    text = " ".join(plain(text).split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
