"""What commands print: JSON for programs, rich tables for people, progress for whoever waits."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


def print_json(data: Any) -> None:
    """Prints `data` to standard output as indented JSON; pydantic models become their JSON form."""
    print(json.dumps(data, indent=1, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if dump else str(value)


def console() -> Console:
    """Returns a console on standard output that keeps long lines whole where nobody watches."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=200)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a plain table; cells may hold rich markup."""
    from rich.table import Table

    table = Table(*columns, title=title or None, box=None, header_style="bold", title_justify="left")
    for row in rows:
        table.add_row(*row)
    console().print(table)


def progress(*, bytes_counted: bool = False) -> Progress:
    """Returns a progress display on standard error, silent where that is no terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    count = DownloadColumn() if bytes_counted else MofNCompleteColumn()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        count,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
