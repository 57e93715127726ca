"""Running a task of the registry with the tools of a profile, and keeping what it reports."""

from __future__ import annotations

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

        Raises:
            InputFault: the folder lacks what the task needs.
        """
        ...


def run_task(
    name: str,
    data: Path,
    profile: str = "auto",
    tools: Mapping[str, Any] | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Report:
    """Returns the report of one task; `tools` replaces roles of the profile.

    Raises:
        InputFault: no such task, profile, tool or folder, or weights are missing.
    """
    if not data.is_dir():
        raise InputFault(
            "eval.data.missing",
            f"There is no folder {data}.",
            "Name one with --data; its layout is described in docs/evaluation.md.",
        )
    chosen = load_profile(profile)
    task = cast("Task", registry.tasks.create(name))
    report = task.run(data, chosen.toolbox(tools), progress)
    return report.model_copy(update={"task": name, "profile": chosen.name, "data": data.resolve().name})


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
