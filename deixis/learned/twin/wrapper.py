"""What stands in a decoder layer in place of its feed-forward module."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from deixis.errors import InputFault
from deixis.learned.twin.balance import recomputing
from deixis.learned.twin.state import GateState, current

if TYPE_CHECKING:
    from deixis.learned.twin.board import Board

FROZEN_KEY = "frozen."


class TwinFeedForward(nn.Module):
    """Holds the frozen module, which is the original object, and the twins of one layer.

    With the frozen expert chosen the original object is called with the caller's arguments and its result
    is returned as it is; no arithmetic stands around it. State dicts name the frozen tensors as the base
    does, so that the twin's tensors are the only additional keys.
    """

    def __init__(self, frozen: nn.Module, board: Board) -> None:
        super().__init__()
        self.frozen = frozen
        self.learn = nn.ModuleDict()
        self.routers = nn.ParameterDict()
        self.board = board
        self.last_key: tuple[Any, ...] | None = None
        self.training = frozen.training
        frozen.eval()
        hooked: Any = self
        hooked.register_state_dict_post_hook(_named_as_base)
        hooked.register_load_state_dict_pre_hook(_named_as_wrapped)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith("_"):  # hooks and the like belong to one module alone
                raise
            return getattr(super().__getattr__("frozen"), name)

    def train(self, mode: bool = True) -> TwinFeedForward:
        """Returns itself; only the twins follow `mode`, the frozen module stays in evaluation."""
        super().train(mode)
        self.frozen.eval()
        return self

    def forward(self, hidden: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """Returns what the chosen expert returns for `hidden` [B, T, d]."""
        state = current(self.board)
        if self.training and torch.is_grad_enabled():
            self._watch(state)
        if state.kind == "frozen" or state.name not in self.learn:
            return self.frozen(hidden, *args, **kwargs)
        learn = self.learn[state.name]
        if state.kind == "learn":
            return learn(hidden, *args, **kwargs)
        if state.kind == "rows":
            return self._by_row(state, learn, hidden, args, kwargs)
        both = (self.frozen(hidden, *args, **kwargs), learn(hidden, *args, **kwargs))
        return _combined(self._combiner(state, hidden), *both)

    def _watch(self, state: GateState) -> None:
        if not recomputing():
            self.last_key = state.key
        elif not state.captured and state.key != self.last_key:
            raise InputFault(
                "twin.gate.flipped",
                "The expert was changed between the forward pass and the recomputing of a layer.",
                "Run backward inside the same `using` block, or switch checkpointing on with "
                "model.gradient_checkpointing_enable(), which keeps the forward pass's choice.",
            )

    def _combiner(self, state: GateState, hidden: torch.Tensor) -> Callable[[Any, Any], Any]:
        if state.kind == "blend":
            share = state.share
            return lambda frozen, learn: share * frozen + (1 - share) * learn
        if state.kind == "router":
            logits = nn.functional.linear(hidden, self.routers[state.name].to(hidden.dtype))
            odds = torch.softmax(logits.float(), -1).to(hidden.dtype)
            return lambda frozen, learn: odds[..., :1] * frozen + odds[..., 1:] * learn
        mask = state.moment.mask
        if mask is None or mask.shape != hidden.shape[:2]:
            shape = None if mask is None else tuple(mask.shape)
            raise InputFault(
                "twin.mask.shape",
                f"The mask of tokens has shape {shape}, the call {tuple(hidden.shape[:2])} (rows, tokens).",
                "Give one truth value for every token of the call.",
            )
        where = mask.to(hidden.device)[..., None]
        return lambda frozen, learn: torch.where(where, learn, frozen)

    def _by_row(
        self, state: GateState, learn: nn.Module, hidden: torch.Tensor, args: Any, kwargs: Any
    ) -> Any:
        """Returns the rows in their order; each was computed by its own expert, apart from the others."""
        count, rows = hidden.shape[0], state.rows
        if count != len(rows):
            if count % len(rows):
                raise InputFault(
                    "twin.rows.shape",
                    f"The route names {len(rows)} rows, the batch has {count}.",
                    "Give one truth value for every row.",
                )
            # Beams and several answers per prompt: generate repeats each row in place.
            rows = tuple(row for row in rows for _ in range(count // len(rows)))
        if not any(rows):
            return self.frozen(hidden, *args, **kwargs)
        if all(rows):
            return learn(hidden, *args, **kwargs)
        route = torch.tensor(rows, device=hidden.device)
        ours, theirs = route.nonzero()[:, 0], (~route).nonzero()[:, 0]
        first, second = self.frozen(hidden[theirs], *args, **kwargs), learn(hidden[ours], *args, **kwargs)

        def join(frozen: torch.Tensor, twin: torch.Tensor) -> torch.Tensor:
            whole = frozen.new_empty((count, *frozen.shape[1:]))
            return whole.index_put((theirs,), frozen).index_put((ours,), twin.to(frozen.dtype))

        return _combined(join, first, second)


def _combined(combine: Callable[[Any, Any], Any], frozen: Any, learn: Any) -> Any:
    """Returns the two results combined; of a tuple only the states are, the rest is the frozen one's."""
    if isinstance(frozen, tuple):
        return (combine(frozen[0], learn[0]), *frozen[1:])
    return combine(frozen, learn)


def _named_as_base(module: nn.Module, state: dict[str, Any], prefix: str, _: Any) -> None:
    for key in [key for key in state if key.startswith(prefix + FROZEN_KEY)]:
        state[prefix + key[len(prefix + FROZEN_KEY) :]] = state.pop(key)


def _named_as_wrapped(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    own = (f"{prefix}{FROZEN_KEY}", f"{prefix}learn.", f"{prefix}routers.")
    for key in [key for key in state if key.startswith(prefix) and not key.startswith(own)]:
        state[f"{prefix}{FROZEN_KEY}{key[len(prefix) :]}"] = state.pop(key)
