"""Tools that fail, hang and talk nonsense at random: every run ends with an answer and a truthful status."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import ToolFault
from deixis.graphs.planning.scripted import ScriptedPlanner
from tests.graphs import fakes
from tests.graphs.stepwise.runs import DOG, LOOK, agent, whole

SHARE = 0.3
QUESTIONS = (
    "What is making this sound?", "Where is the dog?", "Is there a zebra?", "How many dogs are there?", "",
    "Which one is the leftmost dog?", "What colour is the cat?", "Why is the dog happy?", "What do you hear?",
    "Does the sound belong to the picture?",
)  # fmt: skip


def failing(role: str, dice: random.Random) -> Any:
    """Returns the fake of a role that fails at random, in one of five ways."""

    def answer(request: Any) -> Any:
        if dice.random() >= SHARE:
            return getattr(fakes, role)(request)
        way = dice.randrange(5)
        if way == 0:
            raise RuntimeError("the lens is broken")
        if way == 1:
            raise ToolFault("tool.own", "out of film")
        if way == 2:
            time.sleep(0.12)
            return getattr(fakes, role)(request)
        return {"boxes": "many"} if way == 3 else None

    return answer


@pytest.mark.parametrize("seed", range(40))
def test_rules_end_truthfully_whatever_fails(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    tools = fakes.tools(**{role: failing(role, dice) for role in fakes.tools()})
    made = agent(tmp_path, None, tools=tools, tool_timeout_s=0.08)
    answer = made.ask(QUESTIONS[seed % len(QUESTIONS)], image=fakes.picture(), audio=fakes.sound())
    trace = made.trace(answer.run)
    faults = [one for step in trace.steps for one in step.observations if one.status in {"fault", "timeout"}]
    assert answer.text
    assert (answer.status == "degraded") == bool(faults), (answer.status, faults)
    assert len(answer.problems) == len(faults)
    assert trace.record.status == answer.status
    whole(answer)


@pytest.mark.parametrize("seed", range(12))
def test_planner_and_tools_fail_together(tmp_path: Path, seed: int) -> None:
    dice = random.Random(1000 + seed)
    tools = fakes.tools(**{role: failing(role, dice) for role in fakes.tools()})
    lines: list[Any] = [
        LOOK,
        {"kind": "find", "calls": [{"do": "hear"}]},
        {"kind": "relate", "calls": [{"do": "match"}]},
    ]
    script = [RuntimeError("no ink") if dice.random() < SHARE else line for line in (*lines, DOG, DOG, DOG)]
    made = agent(tmp_path, ScriptedPlanner(script), tools=tools, tool_timeout_s=0.08, budget={"steps": 6})
    answer = made.ask("Where is the dog?", image=fakes.picture(), audio=fakes.sound())
    assert answer.text and answer.status in {"complete", "degraded", "partial"}
    assert made.store.runs.record(answer.run).status == answer.status
    for entity in answer.entities:
        assert not entity.supported or (entity.regions and entity.evidence)
    whole(answer)


def test_all_tools_failing_is_said(tmp_path: Path) -> None:
    def broken(request: Any) -> Any:
        raise RuntimeError("dark")

    made = agent(tmp_path, None, tools=fakes.tools(**dict.fromkeys(fakes.tools(), broken)))
    answer = made.ask("Where is the dog?", image=fakes.picture(), audio=fakes.sound())
    assert answer.status == "degraded" and not answer.entities
    assert "could not" in answer.text.lower()
