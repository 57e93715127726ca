"""Yes/no answers: accuracy, precision, recall, F1, yes-rate (POPE, Li et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deixis.eval.report import Measure, bootstrap, proportion

Pair = tuple[bool, bool]
"""(what is true, what was answered)."""


def f1(pairs: Sequence[Any]) -> float:
    """Returns the F1 of 'yes' over (truth, answer) pairs, in 0..1; 0 where no 'yes' is right."""
    hits = sum(truth and answer for truth, answer in pairs)
    wrong = sum(truth != answer for truth, answer in pairs)
    return 2 * hits / (2 * hits + wrong) if hits else 0.0


def measures(setting: str, pairs: Sequence[Pair], bar: float | None) -> list[Measure]:
    """Returns the five figures of one setting with 95 % intervals."""
    said = [pair for pair in pairs if pair[1]]
    true = [pair for pair in pairs if pair[0]]
    right = sum(truth == answer for truth, answer in pairs)
    hits = sum(truth and answer for truth, answer in pairs)
    return [
        proportion(f"{setting} accuracy", right, len(pairs), bar),
        proportion(f"{setting} precision", hits, len(said)),
        proportion(f"{setting} recall", hits, len(true)),
        bootstrap(f"{setting} F1", pairs, f1),
        proportion(f"{setting} yes-rate", len(said), len(pairs)),
    ]
