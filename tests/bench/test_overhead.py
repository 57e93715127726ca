"""What the framework takes of a step: bars that any change must keep."""

from __future__ import annotations

import sqlite3
import statistics
from pathlib import Path

import pytest

from deixis.eval.speed.overhead import Overhead, overheads
from deixis.eval.speed.task import STEP_KB, STEP_MS

RUNS = 12
SLOWER = 2.0
"""A machine may be this much slower than those that the bar was set on."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Overhead]]:
    home = tmp_path_factory.mktemp("home")
    return home, overheads(home, RUNS)


def test_time_of_a_step(runs: tuple[Path, list[Overhead]]) -> None:
    """Processor time of the best run: a busy machine lengthens the wall clock, and never shortens this."""
    best = min(one.step_cpu_ms for one in runs[1])
    assert 0 < best <= STEP_MS * SLOWER


def test_bytes_of_a_step(runs: tuple[Path, list[Overhead]]) -> None:
    """The database grows by whole pages, so single runs differ by some."""
    kilobytes = [one.step_kb for one in runs[1]]
    assert 0.5 < statistics.median(kilobytes) <= STEP_KB
    assert max(kilobytes) <= 1.5 * STEP_KB


def test_every_step_of_every_run_was_kept(runs: tuple[Path, list[Overhead]]) -> None:
    """The figures would be worth nothing if the checkpoints were not written."""
    home, measured = runs
    assert {one.steps for one in measured} == {9}
    with sqlite3.connect(home / "checkpoints.sqlite") as database:
        rows = database.execute("select count(*) from checkpoints group by thread_id").fetchall()
    assert len(rows) == RUNS + 1
    assert all(count >= 7 for (count,) in rows), "tag and hear are one superstep, so are link and segment"
