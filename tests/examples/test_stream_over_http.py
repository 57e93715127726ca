"""The example behind FastAPI: events while they happen, the answer last, and limits that hold."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from tests.examples.loading import example
from tests.graphs import fakes


@pytest.fixture(scope="module")
def module() -> Any:
    """The example."""
    return example("stream_over_http")


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    """An agent with scripted tools."""
    return Agent(Profile(name="fakes", tools={}), home=tmp_path, tools=fakes.tools(), graph="pipeline")


def png() -> bytes:
    """The fakes' picture as a file."""
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(fakes.picture()).save(data, "PNG")
    return data.getvalue()


def test_streams_lines_and_the_answer_last(module: Any, agent: Agent) -> None:
    with TestClient(module.make_app(agent)) as client:
        reply = client.post("/ask", params={"question": "Where is the dog?"}, content=png())
    assert reply.headers["content-type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in reply.text.splitlines()]
    assert [next(iter(line)) for line in lines] == ["event"] * (len(lines) - 1) + ["answer"]
    assert [line["event"]["seq"] for line in lines[:-1]] == list(range(len(lines) - 1))
    assert lines[0]["event"]["type"] == "run_started"
    assert lines[-1]["answer"]["entities"][0]["label"] == "dog"


def test_streams_server_sent_events_where_they_are_wanted(module: Any, agent: Agent) -> None:
    with TestClient(module.make_app(agent)) as client:
        reply = client.post("/ask", content=png(), headers={"Accept": "text/event-stream"})
    blocks = reply.text.strip().split("\n\n")
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert blocks[0].startswith("event: event\ndata: {") and blocks[-1].startswith("event: answer\ndata: {")


@pytest.mark.parametrize(
    ("content", "question", "status"),
    [
        (b"x" * 2001, "", 413),
        ((b"x" * 1500 for _ in range(2)), "", 413),
        (b"no picture", "", 422),
        (b"", "q" * 501, 422),
    ],
)
def test_refuses_what_is_too_large_or_unusable(
    module: Any, agent: Agent, content: Any, question: str, status: int
) -> None:
    with TestClient(module.make_app(agent, module.Limits(body_bytes=2000))) as client:
        assert client.post("/ask", params={"question": question}, content=content).status_code == status
    assert agent.store.runs.records() == []


def test_an_error_of_the_run_ends_the_stream_and_frees_the_place(module: Any, agent: Agent) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        from deixis.errors import ToolFault

        raise ToolFault("run.no_answer", "There is none.")

    limits = module.Limits(runs_at_once=1, waiting_s=0.2)
    with TestClient(module.make_app(agent, limits)) as client:
        whole = agent.astream
        agent.astream = broken  # type: ignore[method-assign]
        last = json.loads(client.post("/ask", content=png()).text.splitlines()[-1])
        assert last["error"]["code"] == "run.no_answer"
        agent.astream = whole  # type: ignore[method-assign]
        assert '"answer"' in client.post("/ask", content=png()).text
