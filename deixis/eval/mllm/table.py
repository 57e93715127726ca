"""``python -m deixis.eval.mllm.table REPORT``: one table, a row a measure, a column a system."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from deixis.errors import InputFault
from deixis.eval.markdown import bar, figure, interval
from deixis.eval.report import Measure, Report

TWIN, NONE = "twin", "–"


def matrix(report: Report) -> str:
    """Returns the report as a Markdown table, the twin's column first; each figure with its 95 % interval."""
    columns: dict[str, dict[str, Measure]] = {TWIN: {one.name: one for one in report.measures}}
    for one in report.baselines:
        system, _, name = one.name.partition(": ")
        columns.setdefault(system, {})[name] = one
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    rows = [("measure", "n", "bar", *columns), ("---",) * (3 + len(columns))]
    for name in names:
        first = next(column[name] for column in columns.values() if name in column)
        cells = [_cell(column.get(name)) for column in columns.values()]
        rows.append((name, str(first.n), bar(first), *cells))
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    notes = "".join(f"- {note}\n" for note in report.notes)
    return f"# Pocket MLLM: one table on the same questions\n\n{table}\n{notes}"


def _cell(measure: Measure | None) -> str:
    return NONE if measure is None else f"{figure(measure.value)} ({interval(measure)})"


def main(words: Sequence[str] | None = None) -> None:
    """Prints the table of a report, or writes it.

    Raises:
        InputFault: the file is no report.
    """
    from pydantic import ValidationError

    parser = argparse.ArgumentParser(prog="python -m deixis.eval.mllm.table")
    parser.add_argument("report", type=Path)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args(words)
    try:
        report = Report.model_validate_json(chosen.report.read_text("utf-8"))
    except (OSError, ValidationError) as error:
        raise InputFault(
            "eval.report.invalid", f"{chosen.report} is no report.", "Measure it again."
        ) from error
    if chosen.out is None:
        print(matrix(report))
    else:
        chosen.out.write_text(matrix(report), "utf-8")


if __name__ == "__main__":
    main()
