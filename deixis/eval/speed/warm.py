"""Questions to an agent whose networks are loaded: what each took, and what each tool of it took."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from deixis.eval.speed.child import Spent
from deixis.eval.speed.data import Case
from deixis.tools.toolbox import Toolbox


@dataclass
class Warm:
    """The asks of one agent: what each took, the seconds of each call by role, the boxes outlined."""

    first: Spent
    asks: list[Spent] = field(default_factory=list)
    calls: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    outlined: list[int] = field(default_factory=list)


def agent_of(toolbox: Toolbox, home: Path) -> Agent:
    """Returns an agent with the tools of `toolbox` and its store in `home`."""
    tools: dict[str, Any] = {role: toolbox.need(role) for role in toolbox.roles()}
    return Agent(Profile(name="speed"), home=home, tools=tools)


def timed(agent: Agent, question: str, case: Case) -> tuple[Spent, str]:
    """Returns what the question took in this process, and the id of its run."""
    begun, used = time.perf_counter(), time.process_time()
    answer = agent.ask(question, image=case.image, audio=case.audio)
    return Spent(time.perf_counter() - begun, time.process_time() - used), answer.run


def ask_all(agent: Agent, cases: Sequence[Case], question: str, done: Callable[[], None]) -> Warm:
    """Returns what the asks took; the first case loads the networks and is kept apart."""
    warm = Warm(first=timed(agent, question, cases[0])[0])
    done()
    for case in cases[1:]:
        spent, run = timed(agent, question, case)
        warm.asks.append(spent)
        outlined = 0
        for step in agent.trace(run).steps:
            seconds = {seen.call: seen.seconds for seen in step.observations}
            for action in step.actions:
                warm.calls[action.role].append(seconds.get(action.call, 0.0))
                if action.role == "segmentation" and isinstance(boxes := action.input.get("boxes"), list):
                    outlined += len(boxes)
        warm.outlined.append(outlined)
        done()
    return warm
