"""The handle of one twin: switch, train, store, take out."""

from __future__ import annotations

import contextvars
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import torch
from torch import nn

from deixis.errors import InputFault
from deixis.learned.twin import cache as caches
from deixis.learned.twin.balance import TokenRouter
from deixis.learned.twin.config import TwinConfig
from deixis.learned.twin.gates.decision import Decision, decided
from deixis.learned.twin.state import GateState, Moment, current, entered

if TYPE_CHECKING:
    from deixis.learned.twin.board import Board
    from deixis.learned.twin.gates.protocol import Gate

_log = logging.getLogger("deixis.twin")
_numbers = itertools.count(1)


class Twin:
    """A learnable expert beside the frozen one. Made by `graft` or `attach`.

    Attributes:
        config: how it was built.
        layers: the decoder layers that it stands in.
        gate: who decides in `deciding`; stored with the twin. None leaves it to the caller.
        on_decision: called with every decision.
        last_decision: the latest one of this twin.
    """

    def __init__(self, board: Board, config: TwinConfig, layers: Sequence[int]) -> None:
        self.board = board
        self.config = config
        self.layers = list(layers)
        self.uid = next(_numbers)
        self.gate: Gate | None = None
        self.on_decision: list[Callable[[Decision], None]] = []
        self.last_decision: Decision | None = None

    @property
    def name(self) -> str:
        """Returns the twin's name in its model."""
        return self.config.name

    @property
    def model(self) -> Any:
        """Returns the grafted model."""
        return self.board.model

    @property
    def mode(self) -> str:
        """Returns what this thread's calls use: frozen, learn, rows, tokens, from_token, blend or router."""
        state = current(self.board)
        return state.kind if state.uid == self.uid else "frozen"

    @contextmanager
    def using(self, expert: Literal["frozen", "learn"]) -> Iterator[Decision]:
        """Holds one expert for every call within the block, in this thread; blocks may be nested.

        A thread started within the block runs the frozen expert unless it runs `bound(function)`.
        """
        if expert not in {"frozen", "learn"}:
            raise InputFault(
                "twin.mode.unknown", f"There is no expert {expert!r}.", 'Say "frozen" or "learn".'
            )
        with self._held(decided("explicit", expert, twin=self.name)) as decision:
            yield decision

    @contextmanager
    def deciding(self, prompt: str, gate: Gate | None = None) -> Iterator[Decision]:
        """Holds the expert that a gate chooses for a prompt; without a gate it is the frozen one."""
        gate = gate or self.gate
        if gate is None:
            decision = decided("explicit", "frozen", reason="the twin has no gate")
        else:
            decision = gate.decide(prompt)
        with self._held(decision.model_copy(update={"twin": self.name})) as held:
            yield held

    @contextmanager
    def using_rows(self, route: Sequence[bool] | torch.Tensor) -> Iterator[Decision]:
        """Holds one expert per row of the batch: the twin where `route` [B] is true.

        Each row equals its own run up to the rounding of other batch shapes.
        """
        rows = tuple(bool(row) for row in (route.tolist() if isinstance(route, torch.Tensor) else route))
        if not rows:
            raise InputFault("twin.rows.shape", "The route is empty.", "Give one truth value for every row.")
        decision = decided("rows", "mixed", twin=self.name, reason=f"{sum(rows)} of {len(rows)} rows")
        with self._held(decision, kind="rows", rows=rows):
            yield decision

    @contextmanager
    def using_tokens(self, mask: torch.Tensor) -> Iterator[Decision]:
        """Holds one expert per token of the next calls: the twin where `mask` [B, T] is true.

        What stands before the first true position is computed by the frozen expert alone, bit for bit.
        """
        if mask.dtype != torch.bool or mask.ndim != 2:
            raise InputFault(
                "twin.mask.shape",
                f"The mask is {mask.dtype} of {mask.ndim} axes.",
                "Give bool [rows, tokens].",
            )
        decision = decided("tokens", "mixed", twin=self.name, reason="a mask of tokens")
        with self._held(decision, kind="tokens", moment=Moment(mask=mask)):
            yield decision

    @contextmanager
    def using_from(self, token: int | Sequence[int]) -> Iterator[Decision]:
        """Holds the frozen expert up to an invocation token (or sequence), the twin from its first token on.

        Works within generate as well: a row that has called the twin stays with it.
        """
        tokens = (token,) if isinstance(token, int) else tuple(int(part) for part in token)
        if not tokens:
            raise InputFault("twin.token.empty", "No invocation token was given.", "Give at least one token.")
        decision = decided("tokens", "mixed", twin=self.name, reason=f"from token {list(tokens)} on")
        with self._held(decision, kind="from_token", invocation=tokens):
            yield decision

    @contextmanager
    def using_blend(self, share: float) -> Iterator[Decision]:
        """Holds ``share * frozen + (1 - share) * twin``: not forget-free, and twice the work."""
        if not 0.0 <= share <= 1.0:
            raise InputFault("twin.blend.share", f"The frozen share is {share}.", "Give 0.0 to 1.0.")
        facts = {"score": share, "score_kind": "frozen share", "reason": "a blend is not forget-free"}
        decision = decided("blend", "mixed", twin=self.name, **facts)
        with self._held(decision, kind="blend", share=float(share)):
            yield decision

    @contextmanager
    def using_router(self) -> Iterator[Decision]:
        """Holds the learned router, which mixes both experts for every token: not forget-free."""
        if not self.config.router:
            raise InputFault(
                "twin.router.missing",
                f"Twin {self.name!r} has no router.",
                "Build it with TwinConfig(router=True).",
            )
        decision = decided("router", "mixed", twin=self.name, reason="a learned router is not forget-free")
        with self._held(decision, kind="router"):
            yield decision

    @contextmanager
    def _held(self, decision: Decision, kind: Any = None, **facts: Any) -> Iterator[Decision]:
        self._check_attached()
        self.last_decision = decision
        _log.debug("%s", decision)
        for watcher in self.on_decision:
            watcher(decision)
        kind = kind or decision.mode
        state = (
            GateState("frozen", decision=decision)
            if kind == "frozen"
            else GateState(kind, self.uid, self.name, decision=decision, **facts)
        )
        with entered(self.board, state):
            yield decision

    def bound(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns `function` so that it uses, in whatever thread it runs, the expert held now."""
        return partial(contextvars.copy_context().run, function)

    def modules(self) -> dict[int, nn.Module]:
        """Returns the learnable module of each layer."""
        self._check_attached()
        return {number: self.board.wrapper(number).learn[self.name] for number in self.layers}

    def named_parameters(self) -> dict[str, nn.Parameter]:
        """Returns the trainable tensors of this twin by layer and path."""
        named = {}
        for number, module in self.modules().items():
            for path, value in module.named_parameters():
                named[f"layers.{number}.mlp.learn.{path}"] = value
            if self.config.router:
                named[f"layers.{number}.mlp.router.weight"] = self.board.wrapper(number).routers[self.name]
        return named

    def parameters(self) -> Iterator[nn.Parameter]:
        """Returns an iterator over the trainable tensors of this twin, for the optimiser."""
        return iter(self.named_parameters().values())

    def train(self, mode: bool = True) -> Twin:
        """Returns itself, with this twin in training mode and everything else in evaluation.

        Layers under gradient checkpointing keep their training flag, which is what switches it on.
        """
        self.model.eval()
        if mode:
            for module in self.modules().values():
                module.train()
            for part in self.model.modules():
                if getattr(part, "gradient_checkpointing", False):
                    part.training = True
            for number in self.layers:
                self.board.wrapper(number).training = True
            self.board.decoder.training = True
        return self

    def eval(self) -> Twin:
        """Returns itself, with the model and all twins in evaluation."""
        return self.train(False)

    def auxiliary_loss(self) -> torch.Tensor:
        """Returns the weighted load-balancing loss of the latest forward pass, 0 where there is none.

        It is `auxiliary_weight` times the mean over the token routers: add it to the loss as it is.
        """
        kept = [router.balance for router in self._token_routers() if router.balance is not None]
        if not kept:
            return torch.zeros((), device=next(self.parameters()).device)
        if torch.is_grad_enabled() and not any(value.requires_grad for value in kept):
            raise InputFault(
                "twin.balance.detached",
                "The load-balancing loss has no gradient: the layers ran under re-entrant checkpointing.",
                'Use gradient_checkpointing_enable({"use_reentrant": False}).',
            )
        return self.config.auxiliary_weight * torch.stack(kept).mean()

    def forget_balance(self) -> None:
        """Drops the load-balancing loss of an earlier forward pass."""
        for router in self._token_routers():
            router.balance = None

    def _token_routers(self) -> list[TokenRouter]:
        if "experts" not in self.config.kind or not self.config.auxiliary_weight:
            return []
        return [
            part
            for module in self.modules().values()
            for part in module.modules()
            if isinstance(part, TokenRouter)
        ]

    def fork(self, cache: Any) -> Any:
        """Returns a copy of a frozen prefix's cache that this or any twin may continue."""
        return caches.fork(cache)

    def save(self, folder: Path | str, half: bool = False) -> Path:
        """Returns the adapter folder that was written; an older one goes only when all is written.

        With `half` its tensors take 16 bits; the twin's own weights are rounded to what was written.
        """
        from deixis.learned.twin.folder import save

        return save(self, Path(folder), half)

    def detach(self) -> None:
        """Takes the twin out; after the last one the model is the object tree that it was.

        Raises:
            InputFault: within a `using` block of this model, or when it is detached already.
        """
        self._check_attached()
        if current(self.board).kind != "frozen":
            raise InputFault(
                "twin.detach.held",
                "The twin is in use by the running block.",
                "Detach after the `using` block.",
            )
        for number in self.layers:
            wrapper = self.board.wrapper(number)
            del wrapper.learn[self.name]
            if self.name in wrapper.routers:
                del wrapper.routers[self.name]
            if not len(wrapper.learn):
                self.board.unwrap(number)
        del self.board.twins[self.name]
        if not self.board.twins:
            self.board.uninstall()

    def merge(self) -> NoReturn:
        """Never returns: weights with a twin merged in would answer everything as the twin does.

        Raises:
            InputFault: always.
        """
        raise InputFault(
            "twin.merge.blocked",
            "A twin is not merged into its base: the base's own answers would be lost.",
            "Save it as an adapter folder; a low-rank twin can be written for PEFT with export_lora.",
        )

    merge_and_unload = merge

    def _check_attached(self) -> None:
        if self.board.twins.get(self.name) is not self:
            raise InputFault(
                "twin.detached",
                f"Twin {self.name!r} was detached from its model.",
                "Graft or attach it again.",
            )
