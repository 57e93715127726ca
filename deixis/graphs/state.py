"""What LangGraph keeps between steps: ids, digests and small values; never media, masks or vectors.

A SQLite checkpoint holds the whole state at every step, so what tools gave stays in the run's log
and the state names the call it came from.
"""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict


def merged(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Returns both mappings as one; nodes that run side by side each add their own calls."""
    return {**old, **new}


class RunState(TypedDict, total=False):
    """The state of one run; every value is plain JSON."""

    run: str
    question: str
    reading: dict[str, Any]
    """The question as it is read (`turns.asked.Asked`), as JSON; absent where it is read as it stands."""
    images: list[dict[str, Any]]
    """`ImageRef` of each picture, as JSON, in the order given."""
    audios: list[dict[str, Any]]
    """`AudioRef` of each sound, as JSON, in the order given."""
    calls: Annotated[dict[str, str], merged]
    """Which call answers what: ``ground:0`` (picture 0) → call id ``2.1``."""
    problems: Annotated[list[dict[str, Any]], operator.add]
    """`Problem` of each survived failure, as JSON."""
    draft: dict[str, Any]
    """The answer before its phrases are placed: `graphs.answering.Draft`, as JSON."""
    answer: dict[str, Any]
    """The `GroundedAnswer`, as JSON without masks, which stay in the log."""
