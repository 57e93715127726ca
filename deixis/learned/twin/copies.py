"""Twins that are copies: one copy of the feed-forward module, or several under a token router."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from deixis.learned.twin.balance import TokenRouter
from deixis.learned.twin.config import TwinConfig

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def dtype_of(module: nn.Module, config: TwinConfig) -> torch.dtype:
    """Returns the dtype of a twin's parameters: the chosen one, else the base's."""
    if config.dtype is not None:
        return DTYPES[config.dtype]
    floating = [p.dtype for p in module.parameters() if p.is_floating_point()]
    return floating[0] if floating else torch.get_default_dtype()


def duplicate(module: nn.Module, dtype: torch.dtype | None) -> nn.Module:
    """Returns a trainable copy of `module`, without hooks that place it on devices."""
    twin = copy.deepcopy(module)
    if any(hasattr(part, "_hf_hook") for part in twin.modules()):
        from accelerate.hooks import remove_hook_from_module

        remove_hook_from_module(twin, recurse=True)
    if dtype is not None:
        twin.to(dtype)
    twin.requires_grad_(True)
    return twin


class FullCopy(nn.Module):
    """One trainable copy of the frozen module; before training its output equals the frozen one's."""

    def __init__(self, frozen: nn.Module, config: TwinConfig) -> None:
        super().__init__()
        dtype = DTYPES[config.dtype] if config.dtype else None
        self.copy = duplicate(frozen, dtype)
        self.casts = dtype is not None

    def forward(self, hidden: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """Returns what the copy returns, in the dtype of `hidden`."""
        if not self.casts:
            return self.copy(hidden, *args, **kwargs)
        wide = self.copy(hidden.to(next(self.copy.parameters()).dtype), *args, **kwargs)
        if isinstance(wide, tuple):
            return (wide[0].to(hidden.dtype), *wide[1:])
        return wide.to(hidden.dtype)


class ExpertCopies(nn.Module):
    """Several trainable copies under a token router (MoE-LLaVA's form, used by v1 of the paper).

    The output is the first chosen expert's plus the weighted differences of the others to it, so that equal
    copies give the frozen output whatever the router says.
    """

    def __init__(self, frozen: nn.Module, width: int, config: TwinConfig, generator: torch.Generator) -> None:
        super().__init__()
        dtype = dtype_of(frozen, config)
        self.experts = nn.ModuleList(duplicate(frozen, dtype) for _ in range(config.experts))
        like = next(self.experts[0].parameters())
        self.router = TokenRouter(width, config.experts, config.top_k, like, generator)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Returns [B, T, d] for [B, T, d]; each token is computed by its `top_k` experts alone."""
        own = self.router.weight.dtype
        flat = hidden.reshape(-1, hidden.shape[-1]).to(own)
        weights, chosen = self.router(flat, self.training)
        first = torch.zeros_like(flat)
        parts = []
        for number, expert in enumerate(self.experts):
            rows, slots = torch.where(chosen == number)
            out = expert(flat[rows][None])[0]
            leads = slots == 0
            first = first.index_put((rows[leads],), out[leads])
            parts.append((rows[~leads], slots[~leads], out[~leads]))
        total = first
        for rows, slots, out in parts:
            total = total.index_add(0, rows, weights[rows, slots][:, None] * (out - first[rows]))
        return total.to(hidden.dtype).reshape(hidden.shape)
