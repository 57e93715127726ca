"""``python -m deixis.eval.mllm.table REPORT``: one table, a row a measure, a column a system."""

from __future__ import annotations

from deixis.eval.markdown import bar, command, figure, interval
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


if __name__ == "__main__":
    command("deixis.eval.mllm.table", matrix)
