"""The example with a graph of one's own: it streams, stops for a person, goes on, and keeps its own state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.examples.loading import example
from tests.graphs import fakes
from tests.graphs.stepwise.runs import DOG, LOOK, agent

CONFIG: Any = {"configurable": {"thread_id": "t"}}


@pytest.mark.parametrize("graph", ["stepwise", "pipeline"])
@pytest.mark.parametrize("approved", [True, False])
async def test_stops_for_a_person_and_goes_on(tmp_path: Path, graph: str, approved: bool) -> None:
    module = example("subgraph")
    made = agent(tmp_path, [LOOK, DOG])
    app = module.reporting(InMemorySaver(), graph)
    nodes = [node async for node in module.look(app, made, fakes.picture(), "Where is the dog?", "t")]
    assert "deixis/ingest" in nodes and "deixis" in nodes and "file" not in nodes
    assert nodes.index("deixis/ingest") < nodes.index("deixis")
    state = await app.aget_state(CONFIG)
    (stop,) = state.interrupts
    assert stop.value["boxes"] == {"dog": [list(fakes.DOG.xyxy_px)]}
    assert set(state.values) == {"run", "question", "answer"}, "the inner state stays inside"
    calls = len(made.toolbox.need("detection").calls)
    report = await module.decide(app, made, "t", approved)
    assert report.endswith("(approved)" if approved else "(rejected)") and "dog" in report
    assert len(made.toolbox.need("detection").calls) == calls, "deixis does not run a second time"
    stored = made.store.runs.answer(state.values["run"])
    assert stored is not None and stored.entities[0].supported
