"""Where a run waits for a person: before a step, a kind of step, or a tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from deixis.errors import InputFault
from deixis.graphs.planning.protocol import DOES
from deixis.graphs.recorder import Recorder
from deixis.graphs.stepwise.view import ROLE_OF
from deixis.tools.protocol import ROLES
from deixis.trace import StepKind

_PIPELINE: dict[str, tuple[int, str, str]] = {
    "ingest": (0, "ingest", ""),
    "tag": (1, "find", "tagging"),
    "hear": (2, "listen", "hearing"),
    "ground": (3, "locate", "detection"),
    "match": (4, "relate", "matching"),
    "compose": (5, "answer", ""),
    "link": (6, "link", "linking"),
    "segment": (7, "outline", "segmentation"),
    "verify": (8, "verify", ""),
}
"""Step, kind and role of the pipeline's nodes."""


@dataclass(frozen=True)
class Pause:
    """A place to wait at: a step's number, its kind, a tool's role, or what a planner calls it (`ground`)."""

    before: str

    def __post_init__(self) -> None:
        known = {*get_args(StepKind), *DOES, *ROLES}
        if not self.before.isdigit() and self.before not in known:
            raise InputFault(
                "run.pause.unknown",
                f"There is nothing called {self.before!r} to pause before.",
                f"Give a step's number, its kind or a tool: {', '.join(sorted(known))}.",
            )

    def here(self, graph: str, nodes: tuple[str, ...], state: Mapping[str, Any], recorder: Recorder) -> bool:
        """Returns whether the run is to wait before these nodes, which come next."""
        return any(self.before in _names(graph, node, state, recorder) for node in nodes)


def _names(graph: str, node: str, state: Mapping[str, Any], recorder: Recorder) -> set[str]:
    """Returns all that a node about to run is called."""
    if graph == "pipeline":
        step, kind, role = _PIPELINE.get(node, (-1, "", ""))
        return {str(step), node, kind, role}
    index = int(state.get("step", 0))
    if node == "think":
        return {str(index + 1)}
    if node == "verify":
        return {"answer", "verify"}
    if node in ROLE_OF:
        opened = recorder.told.get(index)
        return {node, ROLE_OF[node], opened.kind if opened else ""}
    return {node}
