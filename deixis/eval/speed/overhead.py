"""What the framework itself takes: runs with scripted tools, which do next to nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deixis import registry
from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from deixis.tools.protocol import Role

QUESTION = "What makes the sound?"
SCRIPTS: dict[Role, dict[str, Any]] = {
    "tagging": {"table": {"lawn": 0.8, "garden": 0.6}},
    "detection": {"table": {"dog": [[10, 20, 60, 80]], "cat": [[80, 30, 120, 90]], "dogs": []}},
    "segmentation": {},
    "hearing": {"table": {"bark": [(0.5, 1.0), (1.2, 1.5)]}, "parents": {"bark": ("dog", "animal")}},
    "linking": {},
    "matching": {"table": {"bark": "dog"}},
}


@dataclass(frozen=True)
class Overhead:
    """One run: its steps, its seconds outside the tools (wall and processor), the bytes it left."""

    steps: int
    wall_s: float
    cpu_s: float
    stored_bytes: int

    @property
    def step_ms(self) -> float:
        """Returns the wall milliseconds a step."""
        return 1000 * self.wall_s / self.steps

    @property
    def step_cpu_ms(self) -> float:
        """Returns the processor's milliseconds a step."""
        return 1000 * self.cpu_s / self.steps

    @property
    def step_kb(self) -> float:
        """Returns the kilobytes (1000 bytes) stored a step."""
        return self.stored_bytes / 1000 / self.steps


class Clock:
    """Adds up the seconds that tools take."""

    def __init__(self) -> None:
        self.wall_s = self.cpu_s = 0.0
        self._lock = threading.Lock()

    def around(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Returns `run` with its time counted."""

        def counted(*args: Any) -> Any:
            begun, used = time.perf_counter(), time.thread_time()
            try:
                return run(*args)
            finally:
                with self._lock:
                    self.wall_s += time.perf_counter() - begun
                    self.cpu_s += time.thread_time() - used

        return counted


def stored_bytes(root: Path) -> int:
    """Returns the bytes of a store's checkpoints and runs; the media are not counted."""
    files = [*root.glob("checkpoints.sqlite*"), *(root / "runs").rglob("*")]
    return sum(path.stat().st_size for path in files if path.is_file())


def overheads(home: Path, runs: int) -> list[Overhead]:
    """Returns what each of `runs` runs took beside its tools, on a picture and a sound of its own."""
    clock = Clock()
    tools: dict[str, Any] = {}
    for role, options in SCRIPTS.items():
        tools[role] = registry.tools.create(f"{role}/scripted", **options)
        tools[role].run = clock.around(tools[role].run)
    agent = Agent(Profile(name="scripted"), home=home, tools=tools)
    _asked(agent, clock, home, 0)  # loads the libraries and makes the tables
    return [_asked(agent, clock, home, number) for number in range(1, runs + 1)]


def _asked(agent: Agent, clock: Clock, home: Path, number: int) -> Overhead:
    rng = np.random.default_rng(number)
    picture = rng.integers(90, 160, (120, 160, 3), dtype=np.uint8)
    sound = rng.uniform(-0.2, 0.2, 32_000).astype(np.float32)
    before, clock.wall_s, clock.cpu_s = stored_bytes(home), 0.0, 0.0
    begun, used = time.perf_counter(), time.process_time()
    answer = agent.ask(QUESTION, image=picture, audio=(sound, 16_000))
    wall, cpu = time.perf_counter() - begun - clock.wall_s, time.process_time() - used - clock.cpu_s
    steps = agent.store.runs.record(answer.run).steps
    return Overhead(steps, wall, cpu, stored_bytes(home) - before)
