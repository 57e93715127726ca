"""A tolerant reader of what chat models reply: JSON, fenced JSON, or lines of "phrase - label"."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from deixis.tools.linking.placing import Pair

_FENCE = re.compile(r"```[a-zA-Z]*\s*\n?(.*?)```", re.DOTALL)
_BULLET = re.compile(r"^\s*(?:[-*•‣–—·]\s+|\(?\d{1,3}[.):]\s*)?")
_SEPARATOR = re.compile(r"\s+[-–—]+\s+|\s*[—–]\s*|\s*(?:->|=>|→|⇒)\s*|\t+|\s*:\s+")
_QUOTES = "\"'“”‘’`*_ \t"
_NOTHING = re.compile(
    r"^\W*(?:none|nothing|no (?:matches|pairs|links|entities)[^.]*|\[\s*\]|n/a)\W*$", re.IGNORECASE
)
_MOST_LINES = 500


class Unreadable(ValueError):
    """The reply holds no pairs; the message tells the model what is wrong with it."""


def read_reply(reply: str) -> list[Pair]:
    """Returns the pairs of a reply, in order; an empty list where it says that nothing fits.

    Raises:
        Unreadable: it is neither the JSON asked for nor lines of pairs.
    """
    text = reply.strip()
    for candidate in [*_FENCE.findall(text), text]:
        data = _json_in(candidate)
        if data is not None:
            return _from_json(data)
    if _NOTHING.match(text):
        return []
    pairs = [pair for line in text.splitlines()[:_MOST_LINES] if (pair := _from_line(line)) is not None]
    if not pairs:
        raise Unreadable("it is not a JSON list of {phrase, start, end, label, confidence}.")
    return pairs


def _json_in(text: str) -> Any:
    """Returns the first JSON list or object in a text, or None."""
    decoder = json.JSONDecoder()
    starts = [found.start() for found in re.finditer(r"[\[{]", text)][:20]
    for start in starts:
        try:
            data, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if _holds_pairs(data):
            return data
    return None


def _holds_pairs(data: Any) -> bool:
    if isinstance(data, dict):
        return "phrase" in data or any(isinstance(v, list) and _holds_pairs(v) for v in data.values())
    return isinstance(data, list) and (not data or any(isinstance(item, dict | list) for item in data))


def _from_json(data: Any) -> list[Pair]:
    if isinstance(data, dict) and "phrase" not in data:
        data = next(value for value in data.values() if isinstance(value, list) and _holds_pairs(value))
    items = data if isinstance(data, list) else [data]
    pairs = [pair for item in items if (pair := _from_item(item)) is not None]
    if items and not pairs:
        raise Unreadable('its objects lack "phrase" or "label".')
    return pairs


def _from_item(item: Any) -> Pair | None:
    if isinstance(item, list) and len(item) >= 2:
        item = dict(zip(("phrase", "label"), item, strict=False))
    if not isinstance(item, dict):
        return None
    named = {str(key).strip().casefold(): value for key, value in item.items()}
    phrase, label = named.get("phrase"), named.get("label")
    if not isinstance(phrase, str) or not isinstance(label, str) or not phrase.strip() or not label.strip():
        return None
    return Pair(
        phrase, label, _place(named.get("start")), _place(named.get("end")), _share(named.get("confidence"))
    )


def _place(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _share(value: Any) -> float | None:
    """Returns a confidence in 0..1, read from a share or a percentage; None where there is none."""
    try:
        number = float(str(value).strip().rstrip("%")) / (100 if str(value).strip().endswith("%") else 1)
    except ValueError:
        return None
    return min(max(number, 0.0), 1.0) if math.isfinite(number) else None


def _from_line(line: str) -> Pair | None:
    bare = _BULLET.sub("", line, count=1).strip()
    sides = [side.strip(_QUOTES) for side in _SEPARATOR.split(bare)]
    if len(sides) != 2 or not all(sides) or len(bare) > 300:
        return None
    phrase, label = sides[0], sides[1].rstrip(".,;")
    # A sentence with a dash in it is prose, not a pair.
    return Pair(phrase, label) if len(label.split()) <= 8 and len(phrase.split()) <= 12 else None
