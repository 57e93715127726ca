"""The stepwise graph: TWIST's reasoning in steps, as a state machine.

    ingest → gate → think ⇄ (tag ∥ ground ∥ segment ∥ hear ∥ look ∥ match ∥ recall) → verify → answer

`think` asks the planner for one step. The calls of a step do not depend on each other and run side by
side. `verify` may send the planner back once. A budget that is used up ends in an answer of what was
found (`conclude`); a planner that keeps failing ends in the pipeline's answer (`fall_back`).
"""

from __future__ import annotations

from typing import Any, cast

from langgraph.graph import END, START, StateGraph

from deixis.graphs.context import RunContext, asked_of
from deixis.graphs.nodes.ingest import ingest
from deixis.graphs.planning.protocol import DOES
from deixis.graphs.stepwise.acting import acting
from deixis.graphs.stepwise.answer import answer
from deixis.graphs.stepwise.ending import conclude, fall_back
from deixis.graphs.stepwise.gate import gate
from deixis.graphs.stepwise.state import StepState
from deixis.graphs.stepwise.think import think
from deixis.graphs.stepwise.verify import after_verify, verify
from deixis.graphs.turns.converse import converse


def stepwise() -> StateGraph[StepState, RunContext, Any, Any]:
    """Returns the graph, not yet compiled: the caller chooses the checkpointer."""
    graph = StateGraph(StepState, context_schema=RunContext)
    graph.add_node("ingest", ingest)
    graph.add_node("gate", gate)
    graph.add_node("think", think)
    for do in DOES:
        graph.add_node(do, cast("Any", acting(do)))
        graph.add_edge(do, "think")
    graph.add_node("verify", verify)
    graph.add_node("compose", answer)
    graph.add_node("conclude", conclude)
    graph.add_node("fall_back", fall_back)
    graph.add_edge(START, "ingest")
    graph.add_edge("ingest", "gate")
    graph.add_conditional_edges("gate", after_gate, ["think", "converse"])
    graph.add_node("converse", converse)
    graph.add_edge("converse", END)
    ends = ["verify", "conclude", "fall_back", "think"]
    graph.add_conditional_edges("think", after_think, [*DOES, *ends])
    graph.add_edge("conclude", "verify")
    graph.add_conditional_edges("verify", after_verify, {"think": "think", "answer": "compose"})
    graph.add_edge("compose", END)
    graph.add_edge("fall_back", END)
    return graph


def after_gate(state: StepState) -> str:
    """Returns the planner, or, for a turn that needs no media and no language model, the answer."""
    return "converse" if asked_of(state).talk else "think"


async def after_think(state: StepState) -> str | list[str]:
    """Returns the nodes that make the planned calls, or where the run goes without any."""
    ended = state.get("ended")
    if ended:
        return "fall_back" if ended == "planner" else "conclude"
    if state.get("reply") and not state.get("complaint"):
        return "verify"
    kinds = list(dict.fromkeys(task["do"] for task in state.get("plan", [])))
    return kinds or "think"
