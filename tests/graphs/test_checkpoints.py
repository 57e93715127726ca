"""Checkpoints: each step is on disk when it ends, several runs at a time, and can be read again."""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from pathlib import Path

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from deixis.graphs import checkpoints
from deixis.graphs.checkpoints import PACKED, Packed, sqlite_saver
from tests.graphs import fakes


def agent(home: Path) -> Agent:
    return Agent(Profile(name="fakes", tools={}), home=home, tools=fakes.tools())


async def test_runs_side_by_side_in_one_loop_keep_their_own(tmp_path: Path) -> None:
    questions = ["What is here?", "Where is the dog?", "Is there a cat?", "What do you hear?"]
    made = agent(tmp_path)
    answers = await asyncio.gather(
        *(made.aask(question, image=fakes.picture(), audio=fakes.sound()) for question in questions)
    )
    assert [answer.question for answer in answers] == questions
    assert len({answer.run for answer in answers}) == 4
    async with sqlite_saver(tmp_path / "checkpoints.sqlite") as saver:
        for answer in answers:
            config = {"configurable": {"thread_id": answer.run, "checkpoint_ns": ""}}
            newest = await saver.aget_tuple(config)
            assert newest is not None
            assert newest.checkpoint["channel_values"]["question"] == answer.question
            assert newest.checkpoint["channel_values"]["answer"]["text"] == answer.text
            steps = [found.metadata["step"] async for found in saver.alist(config)]
            assert steps == sorted(steps, reverse=True) and len(steps) >= 8


def test_step_is_on_disk_before_the_next_begins(tmp_path: Path) -> None:
    """Another connection sees the checkpoints of all earlier steps while the run goes on."""
    seen: list[int] = []

    def detection(request):
        with sqlite3.connect(tmp_path / "checkpoints.sqlite") as other:
            (count,) = other.execute("select count(*) from checkpoints").fetchone()
        seen.append(count)
        return fakes.detection(request)

    made = Agent(Profile(name="fakes", tools={}), home=tmp_path, tools=fakes.tools(detection=detection))
    made.ask("Where is the dog?", image=fakes.picture(), audio=fakes.sound())
    assert seen == [4], "the input, its start, ingest, and tag with hear"


def test_agent_asks_again_with_the_graph_it_has(tmp_path: Path) -> None:
    made = agent(tmp_path)
    first = made.ask("Is there a dog?", image=fakes.picture())
    graph = made.compiled("pipeline")
    second = made.ask("Is there a cat?", image=fakes.picture())
    assert made.compiled("pipeline") is graph
    assert graph.checkpointer is None, "a run's connection must not outlive it"
    assert first.text.startswith("Yes") and second.text.startswith("Yes")


def test_states_are_stored_packed_and_come_back_the_same() -> None:
    packed, plain = Packed(), JsonPlusSerializer()
    state = {"steps": [{"text": "Look for the dog.", "index": index} for index in range(50)]}
    kind, stored = packed.dumps_typed(state)
    assert kind.endswith(PACKED) and len(stored) < len(plain.dumps_typed(state)[1]) / 3
    assert packed.loads_typed((kind, stored)) == state
    assert packed.loads_typed(plain.dumps_typed(state)) == state, "what was stored before is read"
    for small in (None, b"", {"a": 1}, "x" * 20):
        assert packed.dumps_typed(small) == plain.dumps_typed(small)
        assert packed.loads_typed(packed.dumps_typed(small)) == small


def test_packed_bytes_that_are_broken_or_endless_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "MOST_BYTES", 10_000)
    kind, stored = Packed().dumps_typed({"text": "again and " * 100})
    for broken in (stored[:-6], b"nonsense", b"", zlib.compress(bytes(10_001), 1)):
        with pytest.raises(ValueError, match=r"broken|cut short"):
            Packed().loads_typed((kind, broken))
