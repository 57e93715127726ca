"""``deixis scout``: make SCOUT traces, check them, count them, render them, look at them."""

from __future__ import annotations

from pathlib import Path

import typer

from deixis.cli.output import print_json
from deixis.cli.scout_look import render, show, stats
from deixis.cli.scout_make import make

app = typer.Typer(help="Make, check, count, render and look at SCOUT traces.")
app.command("make")(make)
app.command("stats")(stats)
app.command("render")(render)
app.command("show")(show)


@app.callback()
def _group() -> None:
    """Make, check, count, render and look at SCOUT traces."""


@app.command()
def check(
    samples: Path = typer.Argument(help="A .jsonl file, or a folder that `deixis scout make` wrote."),
    data: Path | None = typer.Option(None, "--data", help="Where the media of photos lie.", metavar="DIR"),
    refuse: list[Path] = typer.Option(
        [], "--refuse", help="A list of what is of a test set: digests, file names, numbers. Repeatable."
    ),
    reground: str = typer.Option(
        "", "--reground", help="A detector that finds each box again, e.g. detection/picodet-s."
    ),
    passed: Path | None = typer.Option(None, "--passed", help="Write what passes here.", metavar="FILE"),
    rejected: Path | None = typer.Option(None, "--rejected", help="Write the others here, with reasons."),
    strict: bool = typer.Option(False, "--strict", help="Stop at the first broken line."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Check samples by all rules; exit code 2 if any is rejected or a line is broken."""
    from contextlib import ExitStack

    from deixis.cli.scout_make import checker_for
    from deixis.cli.scout_table import tell_checks
    from deixis.learned.scout.reading import BrokenLine
    from deixis.learned.scout.reading import samples as read

    broken: list[BrokenLine] = []
    checker = checker_for(refuse, reground, data)
    first: list[str] = []
    with ExitStack() as stack:
        files = {
            good: stack.enter_context(path.open("w", encoding="utf-8")) if path is not None else None
            for good, path in ((True, passed), (False, rejected))
        }
        for sample, good in checker.sorted_out(read(samples, strict=strict, broken=broken.append)):
            file = files[good]
            if file is not None:
                file.write(f"{sample.line()}\n")
            if not good and len(first) < 5:
                why = next(v for v in sample.verdicts if not v.passed)
                first.append(f"{sample.id[7:19]} {sample.question!r}: {why.rule}: {why.note}")
    if as_json:
        lines = [{"line": one.number, "code": one.code, "why": one.why} for one in broken]
        facts = {"judged": checker.judged, "passed": checker.passed, "rejected_by_rule": dict(checker.counts)}
        print_json({**facts, "rejected_by_this_rule_alone": dict(checker.alone), "broken_lines": lines})
    else:
        tell_checks(checker, broken, first)
    if broken or checker.passed < checker.judged:
        raise typer.Exit(2)
