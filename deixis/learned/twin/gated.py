"""The low-rank twin of a gated feed-forward module, ``down(act(gate(x)) * up(x))``, made to train fast.

Beside fewer passes over the wide maps, the backward pass computes two of them again instead of keeping
them: of the four [N, f] maps that automatic differentiation keeps per layer, two remain.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from deixis.learned.twin.balance import TokenRouter
from deixis.learned.twin.config import TwinConfig

MAPS = ("gate_proj", "up_proj", "down_proj")


def is_gated(module: Any, dtype: torch.dtype, width: int) -> bool:
    """Returns whether `module` is exactly a gated feed-forward module of three plain linear maps.

    It is tried: three random tokens must come out bit for bit as the formula says.
    """
    parts = [getattr(module, name, None) for name in MAPS]
    act = getattr(module, "act_fn", None)
    if any(type(part) is not nn.Linear or hasattr(part, "_hf_hook") for part in parts) or not callable(act):
        return False
    if any(value.is_meta for value in module.parameters()) or len(list(module.parameters())) != sum(
        len(list(part.parameters())) for part in parts if part is not None
    ):
        return False
    if isinstance(act, nn.Module) and list(act.parameters()):
        return False
    gate, up, down = parts
    if gate.in_features != width or not gate.weight.is_floating_point():  # type: ignore[union-attr]
        return False
    weight = gate.weight  # type: ignore[union-attr]
    probe = torch.linspace(-1, 1, 3 * width, device=weight.device).view(1, 3, width).to(weight.dtype)
    with torch.no_grad():
        return bool(torch.equal(module(probe), down(act(gate(probe)) * up(probe))))  # type: ignore[misc]


class GatedLowRank(nn.Module):
    """Low-rank changes of the three maps; those of gate and up share one pass over the input."""

    def __init__(self, frozen: nn.Module, width: int, config: TwinConfig, generator: torch.Generator) -> None:
        super().__init__()
        from deixis.learned.twin.copies import dtype_of

        self.frozen = (frozen,)  # a tuple keeps it out of the module tree
        self.scale = config.scale
        self.dropout = config.dropout
        mixed = config.kind == "lowrank_experts"
        self.members = config.experts if mixed else 1
        self.member_rank = config.rank
        self.rank = config.rank * self.members
        weight: torch.Tensor = frozen.gate_proj.weight  # type: ignore[union-attr, assignment]
        wide, rank = weight.shape[0], self.rank
        dtype, device = dtype_of(frozen, config), weight.device

        def random(rows: int, columns: int) -> nn.Parameter:
            bound = 1 / math.sqrt(columns)
            start = torch.empty(rows, columns).uniform_(-bound, bound, generator=generator)
            return nn.Parameter(start.to(device=device, dtype=dtype))

        def zero(rows: int, columns: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(rows, columns, device=device, dtype=dtype))

        self.enter = random(2 * rank, width)
        self.gate_up, self.up_up = zero(wide, rank), zero(wide, rank)
        self.leave = random(rank, wide)
        self.down_up = zero(width, rank)
        like = torch.empty(0, device=device, dtype=dtype)
        self.router = TokenRouter(width, self.members, config.top_k, like, generator) if mixed else None

    @property
    def changed(self) -> list[str]:
        """Returns the paths of the maps that are changed."""
        return list(MAPS)

    def exported(self) -> dict[str, torch.Tensor]:
        """Returns views of the tensors as `LowRank` names them, so that an adapter file fits either class."""
        rank = self.rank
        named = {
            "changes.gate_proj.down": self.enter[:rank],
            "changes.gate_proj.up": self.gate_up,
            "changes.up_proj.down": self.enter[rank:],
            "changes.up_proj.up": self.up_up,
            "changes.down_proj.down": self.leave,
            "changes.down_proj.up": self.down_up,
        }
        if self.router is not None:
            named["router.weight"] = self.router.weight
        return {name: value.detach() for name, value in named.items()}

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Returns [B, T, d] for [B, T, d]."""
        flat = hidden.reshape(-1, hidden.shape[-1])
        own = [self.enter, self.gate_up, self.up_up, self.leave, self.down_up]
        changes = [value.to(flat.dtype) for value in own]
        module: Any = self.frozen[0]
        plain = self.router is None and not (self.dropout and self.training)
        if plain and not torch.is_autocast_enabled(flat.device.type):
            maps = [module.gate_proj, module.up_proj, module.down_proj]
            weights = [part for linear in maps for part in (linear.weight, linear.bias)]
            apply: Any = _GatedChange.apply
            out: torch.Tensor = apply(flat, self.scale, module.act_fn, *weights, *changes)
        else:
            out = self._eager(flat, module, *changes)
        return out.view(hidden.shape)

    def _eager(
        self,
        flat: torch.Tensor,
        module: Any,
        enter: torch.Tensor,
        gate_up: torch.Tensor,
        up_up: torch.Tensor,
        leave: torch.Tensor,
        down_up: torch.Tensor,
    ) -> torch.Tensor:
        shares = None
        if self.router is not None:
            weights, chosen = self.router(flat, self.training)
            empty = torch.zeros(len(flat), self.members, dtype=weights.dtype, device=weights.device)
            shares = empty.scatter(1, chosen, weights).repeat_interleave(self.member_rank, dim=1)

        def narrow(wide: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
            if self.dropout and self.training:
                wide = functional.dropout(wide, self.dropout)
            return functional.linear(wide, down)

        def changed(base: torch.Tensor, parts: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
            parts = parts if shares is None else parts * shares.to(parts.dtype)
            return torch.addmm(base, parts, up.t(), alpha=self.scale)

        both = narrow(flat, enter)
        gate = changed(module.gate_proj(flat), both[:, : self.rank], gate_up)
        up = changed(module.up_proj(flat), both[:, self.rank :], up_up)
        middle = module.act_fn(gate) * up
        return changed(module.down_proj(middle), narrow(middle, leave), down_up)


class _GatedChange(torch.autograd.Function):
    """The changed module as one step; gradients go to the input and to the changes, not to the weights."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, scale: float, act: Any, *tensors: Any) -> torch.Tensor:
        w_gate, b_gate, w_up, b_up, w_down, b_down, enter, gate_up, up_up, leave, down_up = tensors
        rank = gate_up.shape[1]
        narrow = functional.linear(x, enter)
        gate = functional.linear(x, w_gate, b_gate).addmm_(narrow[:, :rank], gate_up.t(), alpha=scale)
        up = functional.linear(x, w_up, b_up).addmm_(narrow[:, rank:], up_up.t(), alpha=scale)
        middle = act(gate) * up
        last = functional.linear(middle, leave)
        out = functional.linear(middle, w_down, b_down).addmm_(last, down_up.t(), alpha=scale)
        ctx.scale, ctx.act = scale, act
        ctx.save_for_backward(
            x, gate, up, narrow, last, w_gate, w_up, w_down, enter, gate_up, up_up, leave, down_up
        )
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        x, gate, up, narrow, last, *rest = ctx.saved_tensors
        w_gate, w_up, w_down, enter, gate_up, up_up, leave, down_up = rest
        scale, rank = ctx.scale, gate_up.shape[1]
        activated, act_backward = _activation(ctx.act, gate)
        d_down_up = (grad.t() @ last).mul_(scale)
        d_last = (grad @ down_up).mul_(scale)
        d_leave = d_last.t() @ (activated * up)
        d_middle = (grad @ w_down).addmm_(d_last, leave)
        d_up = d_middle * activated
        d_gate = act_backward(d_middle.mul_(up))
        d_narrow = torch.cat([d_gate @ gate_up, d_up @ up_up], 1).mul_(scale)
        d_gate_up = (d_gate.t() @ narrow[:, :rank]).mul_(scale)
        d_up_up = (d_up.t() @ narrow[:, rank:]).mul_(scale)
        d_enter = d_narrow.t() @ x
        d_x = None
        if ctx.needs_input_grad[0]:
            d_x = (d_gate @ w_gate).addmm_(d_up, w_up).addmm_(d_narrow, enter)
        nothing = [None] * 6
        return (d_x, None, None, *nothing, d_enter, d_gate_up, d_up_up, d_leave, d_down_up)


def _activation(act: Any, gate: torch.Tensor) -> tuple[torch.Tensor, Any]:
    """Returns the activation of `gate` and the map of its gradient, for any elementwise activation."""
    if isinstance(act, nn.SiLU) or type(act).__name__ == "SiLUActivation":
        return functional.silu(gate), lambda grad: torch.ops.aten.silu_backward(grad, gate)
    with torch.enable_grad():
        leaf = gate.detach().requires_grad_()
        activated = act(leaf)
    return activated.detach(), lambda grad: torch.autograd.grad(activated, leaf, grad)[0]
