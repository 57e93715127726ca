"""Which expert the running call uses: one value per model, kept apart for every thread and task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from deixis.learned.twin.gates.decision import Decision

if TYPE_CHECKING:
    import torch

StateKind = Literal["frozen", "learn", "rows", "tokens", "from_token", "blend", "router"]


@dataclass
class Moment:
    """What a gate worked out for the forward pass that runs now.

    Attributes:
        mask: bool [B, T], the positions that the twin computes.
        invoked: bool [B], the rows in which the twin has been called so far.
    """

    mask: torch.Tensor | None = None
    invoked: torch.Tensor | None = None


@dataclass(frozen=True, eq=False)
class GateState:
    """The gate of one call, the same for all layers.

    Attributes:
        kind: how the two experts are combined.
        uid: of the chosen twin; 0 with the frozen expert.
        name: of the chosen twin.
        rows: for each row of the batch, whether the twin computes it.
        invocation: token numbers that, in this order, call the twin.
        share: of the frozen expert in a blend.
        moment: of the forward pass, for gates that go by token.
        captured: the state belongs to the recomputing of a checkpointed layer.
        decision: for the log.
    """

    kind: StateKind
    uid: int = 0
    name: str = ""
    rows: tuple[bool, ...] = ()
    invocation: tuple[int, ...] = ()
    share: float = 1.0
    moment: Moment = field(default_factory=Moment)
    captured: bool = False
    decision: Decision | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """Returns what must be equal for two calls to use one cache."""
        if self.kind == "rows":
            return (self.kind, self.uid, self.rows)
        if self.kind == "blend":
            return (self.kind, self.uid, self.share)
        if self.kind in {"tokens", "from_token"}:
            return ("tokens", self.uid)
        return (self.kind, self.uid)

    def snapshot(self) -> GateState:
        """Returns this state as it is now, unmoved by later forward passes."""
        return replace(self, moment=replace(self.moment), captured=True)


FROZEN = GateState("frozen")

# Keyed by the board of a model. A thread that was started without a copy of its maker's context finds
# nothing here and so runs the frozen expert: the safe side.
_STATES: ContextVar[Mapping[Any, GateState]] = ContextVar("deixis_twin_states", default={})  # noqa: B039


def current(board: object) -> GateState:
    """Returns the state of the model that `board` belongs to; the frozen one where nothing was chosen."""
    return _STATES.get().get(board, FROZEN)


@contextmanager
def entered(board: object, state: GateState) -> Iterator[None]:
    """Holds `state` for one model until the block ends, however it ends."""
    token = _STATES.set({**_STATES.get(), board: state})
    try:
        yield
    finally:
        _STATES.reset(token)
