"""How it flows: LangGraph state machines over the tools.

    from deixis import graphs

    graph = graphs.build("stepwise").compile(checkpointer=...)
    await graph.ainvoke({"run": ..., "question": ...}, context=agent.context(...))

Graphs are ordinary LangGraph graphs; `build` returns them uncompiled, so the checkpointer, streaming
modes and interrupts are the caller's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langgraph.graph import StateGraph


def build(name: str, **options: Any) -> StateGraph[Any, Any, Any, Any]:
    """Returns the graph of that name from the registry ``deixis.graphs``, not yet compiled.

    Raises:
        InputFault: there is no such graph.
    """
    from deixis import registry

    graph: StateGraph[Any, Any, Any, Any] = registry.graphs.create(name, **options)
    return graph
