"""What an evaluation leaves out because a tool was trained on it."""

from __future__ import annotations

from pathlib import Path

from deixis.tools.weights.digest import sha256_of


def heard_before(tool: object, path: Path) -> bool:
    """Returns whether the file is one that the tool says (by ``trained_on``, digests) it was trained on."""
    known: frozenset[str] = getattr(tool, "trained_on", frozenset())
    return bool(known) and path.is_file() and f"sha256:{sha256_of(path)}" in known


def left_out(count: int, what: str) -> tuple[str, ...]:
    """Returns the remark that a report carries about what was left out; nothing where nothing was."""
    return (f"left out, for the tool was trained on them: {count} {what}",) if count else ()
