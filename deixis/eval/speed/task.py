"""``deixis eval speed``: seconds, memory and bytes, each against its bar."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deixis.eval.report import Measure, Report, ToolFacts, bootstrap
from deixis.eval.speed.child import Spent, manifest_file, profile_file, spent_by
from deixis.eval.speed.data import Case, read_cases
from deixis.eval.speed.overhead import Overhead, overheads
from deixis.eval.speed.warm import Warm, agent_of, ask_all
from deixis.tools.protocol import ROLES
from deixis.tools.toolbox import Toolbox

QUESTION = ""
"""No question means "describe": it calls every tool, and outlines what the answer names."""
WARM_S, COLD_S, PEAK_MB, STEP_MS, STEP_KB, HELP_S = 1.5, 6.0, 900.0, 5.0, 10.0, 0.4


class Speed:
    """Warm asks in this process, cold ones and a batch in processes of their own, and the framework alone."""

    def __init__(self, asks: int = 24, cold: int = 5, runs: int = 20, helps: int = 5) -> None:
        self.asks, self.cold, self.runs, self.helps = asks, cold, runs, helps

    def run(self, data: Path, toolbox: Toolbox, progress: Callable[[int, int], None]) -> Report:
        """Returns the figures.

        Raises:
            InputFault: the folder has no photos, or no sounds of five seconds.
            DeixisError: a process of its own failed.
        """
        busy = os.getloadavg()[0]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            cases = read_cases(data, folder, self.asks + 1)
            steps = _Steps(progress, len(cases) + self.cold + self.helps + 2)
            found = self._found(cases, toolbox, folder, steps)
        return Report(
            task="speed",
            profile="",
            data=data.name,
            items=len(found.warm.asks),
            measures=tuple(measures(found)),
            seconds_per_item=float(np.mean([ask.wall_s for ask in found.warm.asks] or [0.0])),
            tools=tuple(_facts(toolbox)),
            notes=tuple(_notes(found, cases, busy)),
        )

    def _found(self, cases: list[Case], toolbox: Toolbox, folder: Path, steps: _Steps) -> Found:
        helps = []
        for _ in range(self.helps):
            helps.append(spent_by(["--help"], folder / "help"))
            steps.done()
        profile = profile_file(toolbox, folder)
        fullest = sorted(cases, key=lambda case: -case.crowd)
        cold = []
        for number in range(self.cold):
            case = fullest[number % len(fullest)]
            words = ["ask", QUESTION, "--image", str(case.image), "--audio", str(case.audio)]
            words += ["--profile", str(profile), "--json"]
            cold.append(spent_by(words, folder / f"cold-{number}"))
            steps.done()
        manifest = manifest_file(cases, QUESTION, folder)
        words = ["batch", str(manifest), "--out", str(folder / "out"), "--profile", str(profile)]
        batch = spent_by([*words, "--export", "json"], folder / "batch")
        steps.done()
        warm = ask_all(agent_of(toolbox, folder / "warm"), cases, QUESTION, steps.done)
        alone = overheads(folder / "scripted", self.runs)
        steps.done()
        return Found(warm, cold, batch, helps, alone)


@dataclass(frozen=True)
class Found:
    """Everything that was measured."""

    warm: Warm
    cold: Sequence[Spent]
    batch: Spent
    helps: Sequence[Spent]
    alone: Sequence[Overhead]


class _Steps:
    """Counts what is done."""

    def __init__(self, progress: Callable[[int, int], None], total: int) -> None:
        self._progress, self._total, self._count = progress, total, 0

    def done(self) -> None:
        """Tells of one more."""
        self._count += 1
        self._progress(self._count, self._total)


def median(name: str, values: Sequence[float], bar: float | None = None) -> Measure:
    """Returns the median with its bootstrap interval; less is better."""
    made = bootstrap(name, values, lambda drawn: float(np.median(np.array(drawn, dtype=float))), bar)
    return made.model_copy(update={"better": "lower"})


def largest(name: str, values: Sequence[float], bar: float | None = None) -> Measure:
    """Returns the largest value; the interval is the span of all."""
    low, high = min(values), max(values)
    return Measure(name=name, value=high, n=len(values), low=low, high=high, bar=bar, better="lower")


def measures(found: Found) -> list[Measure]:
    """Returns a measure for each bar, and where the time goes."""
    asks = found.warm.asks
    peaks = [spent.peak_bytes / 1e6 for spent in (*found.cold, found.batch)]
    listed = [
        median("warm ask, s", [ask.wall_s for ask in asks], WARM_S),
        median("warm ask, processor s", [ask.cpu_s for ask in asks]),
        median("cold process, s", [one.wall_s for one in found.cold], COLD_S),
        median("cold process, processor s", [one.cpu_s for one in found.cold]),
        largest("peak memory of a process, MB", peaks, PEAK_MB),
        median("framework a step, ms", [one.step_ms for one in found.alone], STEP_MS),
        median("framework a step, processor ms", [one.step_cpu_ms for one in found.alone]),
        median("stored a step, kB", [one.step_kb for one in found.alone], STEP_KB),
        median("deixis --help, s", [one.wall_s for one in found.helps], HELP_S),
        median("deixis --help, processor s", [one.cpu_s for one in found.helps]),
    ]
    calls = found.warm.calls
    return listed + [median(f"{role}, s a call", calls[role]) for role in ROLES if calls.get(role)]


def _facts(toolbox: Toolbox) -> list[ToolFacts]:
    made = [(role, toolbox.need(role)) for role in toolbox.roles()]
    return [
        ToolFacts(role=role, name=tool.name, version=tool.version, weights_digest=tool.weights_digest)
        for role, tool in made
    ]


def _notes(found: Found, cases: Sequence[Case], busy: float) -> list[str]:
    warm = found.warm
    slowest = max((ask.wall_s for ask in warm.asks), default=0.0)
    within = sum(ask.wall_s <= WARM_S for ask in warm.asks)
    return [
        f"{os.cpu_count()} processors; load average of the last minute before: {busy:.2f}",
        "each warm ask has a photo of its own and 5 s of sound, and no question, which means: describe",
        f"{within} of {len(warm.asks)} warm asks within {WARM_S:g} s, the slowest {slowest:.2f} s; "
        f"{np.mean(warm.outlined or [0]):.1f} things outlined on average, at most "
        f"{max(warm.outlined, default=0)}",
        f"first ask of this process, which loads the networks: {warm.first.wall_s:.2f} s",
        f"cold processes: the photos with the most things; peak memory: they, and one process with "
        f"{len(cases)} asks ({found.batch.peak_bytes / 1e6:.0f} MB)",
        "framework: scripted tools, SQLite checkpoints written at every step; taking in the media is counted",
    ]


def speed() -> Speed:
    """Returns the task."""
    return Speed()
