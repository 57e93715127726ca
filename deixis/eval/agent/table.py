"""``python -m deixis.eval.agent.table REPORT``: one table of the whole loop, a row a planner."""

from __future__ import annotations

from deixis.eval.agent.rows import NAMES
from deixis.eval.markdown import bar, command, figure, interval
from deixis.eval.report import Measure, Report

BEFORE = " before "


def table(report: Report) -> str:
    """Returns the report as a Markdown table, each figure with its 95 % interval, and the differences."""
    rows = systems(report)
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    lines = [["row", *columns], ["---"] * (1 + len(columns))]
    for name in sorted(rows, key=lambda one: list(NAMES.values()).index(one)):
        lines.append([name, *(_cell(rows[name].get(column)) for column in columns)])
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    apart = [one for one in report.measures if BEFORE in one.name]
    text += "".join(f"\n- {one.name}: {figure(one.value)} ({interval(one)}), n = {one.n}" for one in apart)
    notes = "".join(f"\n- {note}" for note in report.notes)
    return f"# The whole loop: {report.items} episodes of {report.data}\n\n{text}\n{notes}\n"


def systems(report: Report) -> dict[str, dict[str, Measure]]:
    """Returns the measures of each row by name."""
    own = next((note for note in report.notes if note.startswith("measures: ")), "measures: first;")
    first = own.removeprefix("measures: ").partition(";")[0]
    found = {first: {one.name: one for one in report.measures if BEFORE not in one.name}}
    for one in report.baselines:
        system, _, name = one.name.partition(": ")
        found.setdefault(system, {})[name] = one
    return found


def _cell(measure: Measure | None) -> str:
    if measure is None or not measure.n:
        return "–"
    reached = f" {bar(measure)}" if measure.bar is not None else ""
    return f"{figure(measure.value)} ({interval(measure)}; {measure.n}){reached}"


if __name__ == "__main__":
    command("deixis.eval.agent.table", table)
