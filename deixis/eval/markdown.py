"""Reports as Markdown tables."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from deixis.errors import InputFault
from deixis.eval.report import Measure, Report

START, END = "<!-- numbers: start -->", "<!-- numbers: end -->"

HEAD = """# Measured numbers

Written by `deixis eval table` from the JSON files beside this page, which `deixis eval TASK --data FOLDER
--json FILE` wrote. Intervals are 95 %. A bar is what the measure must reach.
"""


def figure(value: float) -> str:
    """Returns a figure with as many digits as mean something: shares with three, large values with one."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def interval(measure: Measure) -> str:
    """Returns the 95 % interval as text."""
    return f"{figure(measure.low)} – {figure(measure.high)}"


def bar(measure: Measure) -> str:
    """Returns the bar and whether it is met; empty where there is none."""
    if measure.bar is None:
        return ""
    sign = "≥" if measure.better == "higher" else "≤"
    return f"{sign} {figure(measure.bar)} {'✓' if measure.passed else '✗'}"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def summary(reports: Iterable[Report]) -> str:
    """Returns one table of all measures that have a bar."""
    text = _row(("task", "profile", "measure", "value", "95 %", "n", "bar")) + _row(("---",) * 7)
    for report in reports:
        for one in report.measures:
            if one.bar is not None:
                facts = (one.name, figure(one.value), interval(one), str(one.n), bar(one))
                text += _row((report.task, report.profile, *facts))
    return text


def section(report: Report) -> str:
    """Returns the whole report of one task: measures, baselines, tools, notes."""
    text = f"## {report.task}, profile {report.profile}\n\n"
    text += f"{report.items} items of `{report.data}`, {report.seconds_per_item:.3f} s each; "
    text += f"{report.abstentions} abstentions, {report.parse_failures} parse failures.\n\n"
    text += _row(("measure", "value", "95 %", "n", "bar")) + _row(("---",) * 5)
    for one in report.measures:
        text += _row((one.name, figure(one.value), interval(one), str(one.n), bar(one)))
    for one in report.baselines:
        text += _row((f"*baseline:* {one.name}", figure(one.value), interval(one), str(one.n), ""))
    if report.tools:
        text += "\n" + _row(("role", "tool", "version", "weights")) + _row(("---",) * 4)
        for tool in report.tools:
            digest = (tool.weights_digest or "").removeprefix("sha256:")[:12]
            text += _row((tool.role, tool.name, tool.version, digest))
    for note in report.notes:
        text += f"\n- {note}"
    return text.rstrip() + "\n"


def page(reports: Iterable[Report]) -> str:
    """Returns the page of all reports, the summary first."""
    listed = list(reports)
    return "\n".join([HEAD, summary(listed), *(section(report) for report in listed)])


def with_summary(text: str, reports: Iterable[Report]) -> str:
    """Returns a page's text with the summary put between its two markers.

    Raises:
        InputFault: the markers are not there.
    """
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise InputFault(
            "eval.table.unmarked",
            "The page has no place for the numbers.",
            f"Add the lines {START} and {END} to it.",
        )
    return f"{before}{START}\n{summary(reports)}{END}{after}"


def command(module: str, render: Callable[[Report], str], words: Sequence[str] | None = None) -> None:
    """Prints a report as `render` puts it, or writes it: ``python -m MODULE REPORT [--out FILE]``.

    Raises:
        InputFault: the file is no report.
    """
    from pydantic import ValidationError

    parser = argparse.ArgumentParser(prog=f"python -m {module}")
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
        print(render(report))
    else:
        chosen.out.write_text(render(report), "utf-8")
