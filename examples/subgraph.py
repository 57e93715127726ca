"""deixis as a part of somebody's own LangGraph graph: own state, own checkpointer, own interrupt.

    python examples/subgraph.py photo.jpg "Where is the dog?"

The stepwise graph is one node of a small graph that files reports. Its steps stream out while they happen;
then the graph stops until a person has seen the answer, and goes on with what that person said.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any, TypedDict

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from deixis import Agent, graphs
from deixis.answer import GroundedAnswer
from deixis.graphs.context import RunContext


class Report(TypedDict, total=False):
    """The state of the outer graph. It shares `run`, `question` and `answer` with deixis; all else that the
    inner graph keeps stays its own."""

    run: str
    question: str
    answer: dict[str, Any]
    approved: bool
    report: str


def approve(state: Report) -> Report:
    """Stops until somebody has looked at the answer."""
    answer = GroundedAnswer.model_validate(state["answer"])
    places = {
        entity.label: [list(region.box.xyxy_px) for region in entity.regions if region.box is not None]
        for entity in answer.entities
    }
    return {"approved": bool(interrupt({"text": answer.text, "boxes": places}))}


def file_report(state: Report) -> Report:
    """Writes the report, with the person's word."""
    word = "approved" if state["approved"] else "rejected"
    return {"report": f"{state['question']} {state['answer']['text']} ({word})"}


def reporting(checkpointer: BaseCheckpointSaver[Any], graph: str = "stepwise") -> Any:
    """Returns the outer graph, compiled. The inner one has no checkpointer of its own: it uses this one."""
    outer = StateGraph(Report, context_schema=RunContext)
    outer.add_node("deixis", graphs.build(graph).compile())
    outer.add_node("approve", approve)
    outer.add_node("file", file_report)
    outer.add_edge(START, "deixis")
    outer.add_edge("deixis", "approve")
    outer.add_edge("approve", "file")
    outer.add_edge("file", END)
    return outer.compile(checkpointer=checkpointer)


async def look(app: Any, agent: Agent, picture: Any, question: str, thread: str) -> AsyncIterator[str]:
    """Yields the name of each inner and outer node as it ends, up to the interrupt.

    The context holds what is not state: tools, media, the planner, the recorder. The run is in the agent's
    store like any other, so `deixis trace show` knows it.
    """
    context = agent.context(question, image=picture)
    run = context.recorder.record.run
    context.recorder.start()
    stream = app.astream(
        {"run": run, "question": question},
        {"configurable": {"thread_id": thread}},
        context=context,
        stream_mode="updates",
        subgraphs=True,
    )
    async for path, update in stream:
        for node in update:
            yield "/".join([*(part.partition(":")[0] for part in path), node])
    if context.answer is not None:
        context.recorder.finish(context.answer.status, context.answer)


async def decide(app: Any, agent: Agent, thread: str, approved: bool) -> str:
    """Returns the report, once the person has decided. deixis is not run again."""
    result = await app.ainvoke(
        Command(resume=approved), {"configurable": {"thread_id": thread}}, context=agent.context()
    )
    return str(result["report"])


async def main(picture: str, question: str) -> None:
    """Runs the example at a terminal."""
    agent = Agent(graph="stepwise")
    app = reporting(InMemorySaver())
    async for node in look(app, agent, picture, question, "example"):
        print(f"  {node}")
    state = await app.aget_state({"configurable": {"thread_id": "example"}})
    print(state.interrupts[0].value)
    print(await decide(app, agent, "example", input("Approve? [y/n] ").startswith("y")))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
