"""``deixis eval``: measures a profile on a folder of data, and keeps the numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from deixis.cli.output import console, print_json, progress

if TYPE_CHECKING:
    from deixis.eval.report import Report

app = typer.Typer(help="Measure how good it is on a folder of data.")


@app.command("eval", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def evaluate(
    context: typer.Context,
    task: str = typer.Argument(..., help="A task, `all` of them, or `table` to write the pages of numbers."),
    data: Path | None = typer.Option(None, "--data", "-d", help="The folder of data.", metavar="FOLDER"),
    profile: str = typer.Option(
        "auto", "--profile", "-p", help="auto, light, pocket, sketch, or a .toml file."
    ),
    tool: list[str] = typer.Option([], "--tool", help="ROLE=NAME, e.g. detection=detection/yolox-nano."),
    json_file: str = typer.Option(
        "", "--json", help="Write the report here; `-` prints it; with `all`, a folder.", metavar="FILE"
    ),
    numbers: Path = typer.Option(
        Path("docs/numbers"), "--numbers", help="For `table`: the folder of reports.", metavar="FOLDER"
    ),
    page: Path | None = typer.Option(
        None, "--page", help="For `table`: also put the summary into this page.", metavar="FILE"
    ),
    strict: bool = typer.Option(False, "--strict", help="Exit code 1 if a bar is missed."),
) -> None:
    """Measure one task, all of them, or turn the kept reports into tables.

    Tasks: detect (boxes, AP), segment (masks of true boxes), rec (referring expressions), pope (is it
    there?), tag, hear (sound classes), events (when it is heard), match (sound and picture belong together),
    speed (seconds, memory, bytes), pocket (the illustrated world), mllm (the pocket MLLM and its twin; with
    [--base FOLDER --adapter FOLDER] [--baselines FOLDER] [--count N] [--prompts N] [--batch N]
    [--recipe cpu|accelerator] [--device NAME], and no data), agent (the whole loop, planner by planner:
    the illustrated world with --profile pocket, or photos and pairs of --data; [--episodes N]
    [--rows pipeline,alone,rules,twin,frozen] [--split test|validation] [--base FOLDER --adapter FOLDER]
    [--keep FILE]).
    Options that are not listed below are the task's own.
    """
    from deixis import registry
    from deixis.errors import InputFault

    if task == "table":
        write_tables(numbers, page)
        return
    if data is None and task == "all":
        raise InputFault("eval.data.unnamed", "No folder of data is named.", "Add --data FOLDER.")
    options = own_options(context.args)
    names = registry.tasks.names() if task == "all" else [task]
    reports, failed = [], None
    for name in names:
        try:
            report = measured(name, data, profile, tool, options)
        except InputFault as error:
            if task != "all":
                raise
            typer.echo(f"{name}: {error} [{error.code}]", err=True)
            if error.code != "eval.option.needed":
                failed = error
            continue
        reports.append(report)
        keep(report, json_file, folder=task == "all")
        if json_file != "-":
            show(report)
    if failed is not None and not reports:
        raise failed
    missed = [one.name for report in reports for one in report.measures if one.passed is False]
    if strict and (missed or failed):
        raise typer.Exit(1)


def own_options(words: list[str]) -> dict[str, str]:
    """Returns the options behind those of the command: ``--base FOLDER`` or ``--base=FOLDER``.

    Raises:
        InputFault: a word is no option, or an option has no value.
    """
    from deixis.errors import InputFault

    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, given, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not name or not (given or rest):
            raise InputFault(
                "eval.option.form",
                f"{word!r} is not understood.",
                "Write options as --name VALUE.",
            )
        found[name.replace("-", "_")] = value if given else rest.pop(0)
    return found


def measured(name: str, data: Path | None, profile: str, tools: list[str], options: dict[str, str]) -> Report:
    """Returns the report of one task, with a progress bar on a terminal."""
    from deixis.cli.ask import chosen_tools
    from deixis.eval.run import run_task

    with progress() as display:
        bar = display.add_task(name, total=None)

        def step(done: int, total: int) -> None:
            display.update(bar, completed=done, total=total)

        return run_task(name, data, profile, chosen_tools(tools), step, options)


def keep(report: Report, target: str, *, folder: bool) -> None:
    """Prints the report for ``-``; else writes it to the file `target`, or into it if it is a folder."""
    from deixis.eval.run import file_name, write_report

    if target == "-":
        print_json(report)
    elif target:
        path = Path(target)
        write_report(report, path / file_name(report) if folder or path.is_dir() else path)


def show(report: Report) -> None:
    """Prints a report as a table."""
    from rich.table import Table

    from deixis.eval.markdown import bar, figure, interval

    title = f"{report.task}, profile {report.profile}: {report.items} items of {report.data}"
    table = Table("measure", "value", "95 %", "n", "bar", title=title, title_justify="left", box=None)
    for one in report.measures:
        colour = {True: "green", False: "red", None: "default"}[one.passed]
        table.add_row(one.name, figure(one.value), interval(one), str(one.n), bar(one), style=colour)
    for one in report.baselines:
        table.add_row(f"baseline: {one.name}", figure(one.value), interval(one), str(one.n), "", style="dim")
    out = console()
    out.print(table)
    out.print(
        f"{report.abstentions} abstentions, {report.parse_failures} parse failures, "
        f"{report.seconds_per_item:.3f} s an item; "
        + ", ".join(f"{tool.name} {tool.version}" for tool in report.tools),
        highlight=False,
    )
    for note in report.notes:
        out.print(f"- {note}", highlight=False, markup=False)


def write_tables(numbers: Path, page: Path | None) -> None:
    """Writes README.md in the folder of reports, and the summary into `page`.

    Raises:
        InputFault: there are no reports, or the page has no place for them.
    """
    from deixis.errors import InputFault
    from deixis.eval import markdown
    from deixis.eval.run import read_reports

    reports = list(read_reports(numbers))
    if not reports:
        cure = "Measure something first: deixis eval TASK --data FOLDER --json docs/numbers/"
        raise InputFault("eval.numbers.none", f"{numbers} has no reports.", cure)
    (numbers / "README.md").write_text(markdown.page(reports), "utf-8")
    print(numbers / "README.md")
    if page is not None:
        page.write_text(markdown.with_summary(page.read_text("utf-8"), reports), "utf-8")
        print(page)
