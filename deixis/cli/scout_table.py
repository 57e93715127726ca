"""Tables of ``deixis scout``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from deixis.cli.output import print_table

if TYPE_CHECKING:
    from deixis.learned.scout.checks.rule import Checker
    from deixis.learned.scout.statistics import ScoutStatistics

SHOWN = 8
"""Broken lines that are listed; the rest is counted."""


def tell_checks(checker: Checker, broken: Sequence[Any], first: Sequence[str]) -> None:
    """Prints how many samples each rule rejected, and the first of them."""
    rows = [
        (rule.name, str(checker.counts[rule.name]), str(checker.alone[rule.name])) for rule in checker.rules
    ]
    print_table("", ("rule", "rejected", "alone"), [*rows, ("broken lines", str(len(broken)), "")])
    typer.echo(f"{checker.passed} of {checker.judged} samples passed.")
    for line in first:
        typer.echo(f"  {line}", err=True)
    for one in broken[:SHOWN]:
        typer.echo(f"  {one.message} [{one.code}]", err=True)
    if len(broken) > SHOWN:
        typer.echo(f"  … and {len(broken) - SHOWN} more broken lines", err=True)


def tell_statistics(numbers: ScoutStatistics) -> None:
    """Prints the statistics."""
    rows = [
        ("samples", str(numbers.samples)),
        ("pictures, sounds", f"{numbers.pictures}, {numbers.sounds}"),
        ("tasks", _table(numbers.tasks, most_first=True)),
        ("media", _table(numbers.media)),
        ("not there", f"{numbers.absence_share:.1%}: {_table(numbers.absences)}"),
        ("yes-rate", f"{numbers.yes_rate:.1%} of {numbers.yes + numbers.no}"),
        ("steps per sample", _table(numbers.steps_per_sample)),
        ("step kinds", _table(numbers.step_kinds, most_first=True)),
        ("calls", f"{_table(numbers.calls, most_first=True)}; {numbers.calls_failed} failed"),
        ("spans, boxes, times", f"{numbers.spans}, {numbers.boxes}, {numbers.times}"),
        ("boxes per step", _table(numbers.boxes_per_step)),
        ("box area", _table(numbers.box_area)),
        ("relations", _table(numbers.relations)),
        ("questions", f"{numbers.questions} different"),
        ("words", f"{numbers.words} in steps, {numbers.vocabulary} different"),
        (
            "rejected",
            f"{numbers.rejected}: {_table({k: v for k, v in numbers.rejected_by_rule.items() if v})}",
        ),
    ]
    print_table("", ("", ""), [row for row in rows if row[1]])


def _table(counts: dict[str, int], most_first: bool = False) -> str:
    rows = sorted(counts.items(), key=lambda row: -row[1]) if most_first else list(counts.items())
    return ", ".join(f"{name} {count}" for name, count in rows)
