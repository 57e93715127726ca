"""Stepwise runs with scripted tools and scripted planners."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from deixis.answer import GroundedAnswer
from deixis.graphs.planning.scripted import ScriptedPlanner
from tests.graphs import fakes

LOOK = {"kind": "locate", "text": "Look.", "calls": [{"do": "ground", "phrases": ["dog", "zebra"]}]}
DOG = {
    "kind": "answer",
    "text": "The dog is on the left.",
    "claims": [{"phrase": "dog", "refs": ["#1"]}],
}


def agent(home: Path, script: Any = None, tools: dict[str, Any] | None = None, **options: Any) -> Agent:
    """Returns an agent whose planner follows `script`; None takes the rules."""
    planner = ScriptedPlanner(script) if isinstance(script, list) else script
    made = tools if tools is not None else fakes.tools()
    options.setdefault("tool_timeout_s", 5.0)
    return Agent(
        Profile(name="fakes", tools={}), home=home, tools=made, graph="stepwise", planner=planner, **options
    )


def ask(made: Agent, question: str = "Where is the dog?", sound: bool = False) -> GroundedAnswer:
    """Returns the answer about the fakes' picture, and their sound."""
    return made.ask(question, image=fakes.picture(), audio=fakes.sound() if sound else None)


def statuses(made: Agent, answer: GroundedAnswer) -> list[tuple[str, str, str]]:
    """Returns (call, role, status) of every call of a run, by call."""
    rows = []
    for step in made.trace(answer.run).steps:
        given = {one.call: one for one in step.observations}
        rows += [(action.call, action.role, given[action.call].status) for action in step.actions]
    return sorted(rows)


def whole(answer: GroundedAnswer) -> None:
    """Passes where every entity has mention, region and evidence, or is marked as unsupported."""
    mentioned = {named for mention in answer.mentions for named in mention.entities}
    for entity in answer.entities:
        assert entity.id in mentioned, entity
        if entity.supported:
            assert entity.regions and entity.evidence
            assert all(region.box or region.span for region in entity.regions)
    assert "".join(piece for piece, _ in answer.pieces()) == answer.text
