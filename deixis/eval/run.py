"""Running a task of the registry with the tools of a profile, and keeping what it reports."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from pydantic import ValidationError

from deixis import registry
from deixis.agent.profile import load_profile
from deixis.errors import InputFault
from deixis.eval.report import Report
from deixis.tools.toolbox import Toolbox

Progress = Callable[[int, int], None]
"""Called with the number of items done and of all items."""


class Task(Protocol):
    """What an entry of the registry `tasks` makes."""

    def run(self, data: Path, toolbox: Toolbox, progress: Progress) -> Report:
        """Returns the report on one data folder.

        A task with ``needs_data = False`` runs without one: `data` is None, and the report names its data.

        Raises:
            InputFault: the folder lacks what the task needs.
        """
        ...


def run_task(
    name: str,
    data: Path | None,
    profile: str = "auto",
    tools: Mapping[str, Any] | None = None,
    progress: Progress = lambda _done, _all: None,
    options: Mapping[str, str] | None = None,
) -> Report:
    """Returns the report of one task; `tools` replaces roles of the profile, `options` are the task's own.

    Raises:
        InputFault: no such task, option, profile, tool or folder, or weights are missing.
    """
    task = cast("Task", registry.tasks.create(name, **_known(name, options or {})))
    if data is None and getattr(task, "needs_data", True):
        raise InputFault("eval.data.unnamed", "No folder of data is named.", "Add --data FOLDER.")
    if data is not None and not data.is_dir():
        raise InputFault(
            "eval.data.missing",
            f"There is no folder {data}.",
            "Name one with --data; its layout is described in docs/evaluation.md.",
        )
    chosen = load_profile(profile)
    report = task.run(cast("Path", data), chosen.toolbox(tools), progress)
    named = {} if data is None else {"data": data.resolve().name}
    return report.model_copy(update={"task": name, "profile": chosen.name, **named})


def _known(name: str, options: Mapping[str, str]) -> Mapping[str, str]:
    """Returns the options of a task, all of which its factory takes.

    Raises:
        InputFault: it does not know one; the message names those that it knows.
    """
    if not options:
        return options
    known = inspect.signature(registry.tasks.factory(name)).parameters
    odd = sorted(set(options) - set(known))
    if odd:
        raise InputFault(
            "eval.option.unknown",
            f"The task {name} has no option --{odd[0].replace('_', '-')}.",
            f"Its own options: {', '.join('--' + one.replace('_', '-') for one in known) or 'none'}.",
        )
    return options


def file_name(report: Report) -> str:
    """Returns the name that a report is kept under in a folder of numbers."""
    return f"{report.task}-{report.profile}.json"


def write_report(report: Report, path: Path) -> None:
    """Writes a report as indented JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    half.write_text(report.model_dump_json(indent=1) + "\n", "utf-8")
    half.replace(path)


def read_reports(folder: Path) -> Iterator[Report]:
    """Yields the reports of a folder of numbers by file name; other JSON files are passed over.

    Raises:
        InputFault: a file that calls itself a report is none.
    """
    for path in sorted(folder.glob("*.json")):
        try:
            raw = json.loads(path.read_text("utf-8"))
            if isinstance(raw, dict) and {"task", "measures"} <= set(raw):
                yield Report.model_validate(raw)
        except (json.JSONDecodeError, ValidationError) as error:
            raise InputFault(
                "eval.report.invalid", f"{path} is not a report: {error}", "Measure it again, or remove it."
            ) from error
