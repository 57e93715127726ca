"""One board per model: its twins, its hooks, and what has to be put back when the last twin leaves."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from deixis.errors import InputFault
from deixis.learned.twin import cache as caches
from deixis.learned.twin.anatomy import Site, decoder_of
from deixis.learned.twin.balance import recomputing
from deixis.learned.twin.saving import guard_saving, unguard_saving
from deixis.learned.twin.state import GateState, current, entered
from deixis.learned.twin.wrapper import TwinFeedForward

if TYPE_CHECKING:
    from deixis.learned.twin.twin import Twin


class Board:
    """What the twins of one model share.

    Attributes:
        model: the model that was grafted.
        decoder: its decoder.
        sites: the wrapped layers by number.
        twins: by name.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.decoder = decoder_of(model)
        self.sites: dict[int, Site] = {}
        self.twins: dict[str, Twin] = {}
        self._trainable: dict[str, bool] = {}
        self._handles: list[Any] = []
        self._outside: list[torch.Tensor] = []
        names = list(inspect.signature(type(self.decoder).forward).parameters)[1:]
        self._cache_at = names.index("past_key_values") if "past_key_values" in names else -1

    def install(self) -> None:
        """Freezes the base and sets the hooks; called before the first layer is wrapped."""
        self._trainable = {name: value.requires_grad for name, value in self.model.named_parameters()}
        self._outside = _outside_blocks(self.model)
        self.model.requires_grad_(False)
        if self.model is not self.decoder:
            self._handles.append(self.model.register_forward_pre_hook(self._before_model, with_kwargs=True))
            if self._outside:
                self._handles.append(self.model.register_forward_hook(self._after_model, always_call=True))
        self._handles.append(self.decoder.register_forward_pre_hook(self._before, with_kwargs=True))
        self._handles.append(self.decoder.register_forward_hook(self._after))
        guard_saving(self.model, self)

    def uninstall(self) -> None:
        """Puts hooks, flags and methods back; called after the last layer was unwrapped."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._outside.clear()
        for name, value in self.model.named_parameters():
            value.requires_grad_(self._trainable.get(name, False))
        for site in self.sites.values():
            _release(site.layer)
        self.sites.clear()
        unguard_saving(self.model)

    def wrap(self, site: Site) -> TwinFeedForward:
        """Returns the wrapper of a layer, putting one in where there is none."""
        if site.index not in self.sites:
            setattr(site.layer, site.attribute, TwinFeedForward(site.module, self))
            self.sites[site.index] = site
        return self.wrapper(site.index)

    def unwrap(self, index: int) -> None:
        """Puts the original module back, in the training mode that its layer has."""
        site = self.sites[index]
        frozen = self.wrapper(index).frozen
        frozen.train(site.layer.training)
        setattr(site.layer, site.attribute, frozen)
        _release(site.layer)
        del self.sites[index]

    def wrapper(self, index: int) -> TwinFeedForward:
        """Returns the wrapper of layer `index`."""
        module = self.sites[index].module
        if not isinstance(module, TwinFeedForward):
            raise InputFault(
                "twin.displaced",
                f"The feed-forward module of layer {index} was replaced after the twin was grafted.",
                "Detach the twin before the model is changed.",
            )
        return module

    def base_state(self) -> dict[str, torch.Tensor]:
        """Returns the tensors of the base under the names that they have without a twin."""
        own = {
            f"{path}." for path, module in self.model.named_modules() if isinstance(module, TwinFeedForward)
        }
        twins = tuple(f"{path}{part}." for path in own for part in ("learn", "routers"))
        return {key: value for key, value in self.model.state_dict().items() if not key.startswith(twins)}

    def _before_model(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._outside and not torch.is_grad_enabled():
            for weight in self._outside:
                weight.requires_grad_(True)
        state = current(self)
        if state.kind == "from_token":
            self._mask_from_token(state, args, kwargs)

    def _after_model(self, *_: Any) -> None:
        for weight in self._outside:
            weight.requires_grad_(False)

    def _before(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        state = current(self)
        if self.decoder is self.model and state.kind == "from_token":
            self._mask_from_token(state, args, kwargs)
        cache = kwargs.get("past_key_values")
        if cache is None and 0 <= self._cache_at < len(args):
            cache = args[self._cache_at]
        if cache is not None:
            self._admit(cache, state)
        if torch.is_grad_enabled() and self.decoder.training:
            self._capture_checkpoints()
        if state.kind == "learn" and not recomputing():
            self.twins[state.name].forget_balance()

    def _after(self, _: Any, args: Any, output: Any) -> None:
        cache = getattr(output, "past_key_values", None)
        if cache is None and isinstance(output, tuple):
            cache = next((part for part in output if hasattr(part, "get_seq_length")), None)
        if cache is not None and caches.mark_of(cache) is None:
            state = current(self)
            setattr(cache, caches.ATTRIBUTE, caches.Mark(state.key, invoked=state.moment.invoked))
            if state.kind == "from_token":
                caches.follow_beams(cache)

    def _admit(self, cache: Any, state: GateState) -> None:
        mark = caches.admit(cache, state)
        if state.kind == "from_token":
            mark.invoked = state.moment.invoked
            caches.follow_beams(cache)

    def _mask_from_token(self, state: GateState, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        from deixis.learned.twin.gates.tokens import invoked_mask

        ids = kwargs.get("input_ids", args[0] if args else None)
        if ids is None or ids.is_floating_point():
            raise InputFault(
                "twin.token.inputs",
                "An invocation token can only be found where the model is called with input_ids.",
                "Pass input_ids, or give the mask itself: twin.using_tokens(mask).",
            )
        cache = kwargs.get("past_key_values")
        mark = caches.mark_of(cache) if cache is not None and not caches.is_empty(cache) else None
        before = None if mark is None else mark.invoked
        state.moment.mask = invoked_mask(ids, state.invocation, before)
        state.moment.invoked = state.moment.mask[:, -1].clone()

    def _capture_checkpoints(self) -> None:
        for site in self.sites.values():
            layer: Any = site.layer
            if not getattr(layer, "gradient_checkpointing", False):
                continue
            function = layer._gradient_checkpointing_func
            if not isinstance(function, Captured):
                layer._gradient_checkpointing_func = Captured(self, function)


class Captured:
    """A checkpoint function under which a layer is recomputed with the forward pass's gate."""

    def __init__(self, board: Board, function: Callable[..., Any]) -> None:
        self.board = board
        self.function = function

    def __call__(self, layer: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        state = current(self.board).snapshot()
        return self.function(partial(self._under, state, layer), *args, **kwargs)

    def _under(self, state: GateState, layer: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with entered(self.board, state):
            return layer(*args, **kwargs)


def _outside_blocks(model: Any) -> list[torch.Tensor]:
    """Returns the trainable weights of linear maps outside the repeated blocks: the head, projectors.

    PyTorch multiplies an input that is not contiguous (a head sees the last position of every row) by
    another kernel when the weight's `requires_grad` is off, even under `no_grad`; the last bit may differ.
    So while the model only infers, these few weights carry the flag that they had in the base.
    """
    blocks = tuple(f"{path}." for path, module in model.named_modules() if isinstance(module, nn.ModuleList))
    return [
        module.weight
        for path, module in model.named_modules()
        if isinstance(module, nn.Linear) and module.weight.requires_grad and not path.startswith(blocks)
    ]


def _release(layer: Any) -> None:
    function = getattr(layer, "_gradient_checkpointing_func", None)
    if isinstance(function, Captured):
        layer._gradient_checkpointing_func = function.function
