"""The pipeline graph: BuboGPT's chain of tools, without any language model.

    ingest → (tag ∥ hear) → ground → match → answer → (link ∥ segment) → verify

Matching comes before the answer, because the rules that answer "what makes the sound" need its
verdict; and only what the answer names is outlined, because masks are the dearest step. A turn of a
conversation that needs no media goes from `ingest` to `converse`, and calls no tool.
"""

from __future__ import annotations

from typing import Any

from langgraph.graph import END, START, StateGraph

from deixis.graphs.context import RunContext, asked_of
from deixis.graphs.nodes.answer import answer
from deixis.graphs.nodes.ground import ground
from deixis.graphs.nodes.hear import hear
from deixis.graphs.nodes.ingest import ingest
from deixis.graphs.nodes.link import link
from deixis.graphs.nodes.match import match
from deixis.graphs.nodes.segment import segment
from deixis.graphs.nodes.tag import tag
from deixis.graphs.nodes.verify import verify
from deixis.graphs.state import RunState
from deixis.graphs.turns.converse import converse


def pipeline() -> StateGraph[RunState, RunContext, Any, Any]:
    """Returns the graph, not yet compiled: the caller chooses the checkpointer."""
    graph = StateGraph(RunState, context_schema=RunContext)
    graph.add_node("ingest", ingest)
    graph.add_node("tag", tag)
    graph.add_node("hear", hear)
    graph.add_node("ground", ground)
    graph.add_node("match", match)
    graph.add_node("compose", answer)
    graph.add_node("link", link)
    graph.add_node("segment", segment)
    graph.add_node("verify", verify)
    graph.add_edge(START, "ingest")
    graph.add_node("converse", converse)
    graph.add_conditional_edges("ingest", after_ingest, ["tag", "hear", "converse"])
    graph.add_edge("converse", END)
    graph.add_edge(["tag", "hear"], "ground")
    graph.add_edge("ground", "match")
    graph.add_edge("match", "compose")
    graph.add_edge("compose", "link")
    graph.add_edge("compose", "segment")
    graph.add_edge(["link", "segment"], "verify")
    graph.add_edge("verify", END)
    return graph


def after_ingest(state: RunState) -> list[str]:
    """Returns the nodes behind `ingest`: the tools, or, for a turn that needs no media, the answer."""
    return ["converse"] if asked_of(state).talk else ["tag", "hear"]
