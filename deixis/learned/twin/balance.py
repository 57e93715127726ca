"""Token routers inside a twin: top-k weights and the load-balancing loss."""

from __future__ import annotations

import torch
from torch import nn


class TokenRouter(nn.Module):
    """Chooses `top_k` of `experts` for every token by a linear map of width `width`."""

    def __init__(
        self, width: int, experts: int, top_k: int, like: torch.Tensor, generator: torch.Generator
    ) -> None:
        super().__init__()
        start = torch.empty(experts, width).normal_(0.0, 0.02, generator=generator)
        self.weight = nn.Parameter(start.to(device=like.device, dtype=like.dtype))
        self.top_k = top_k
        self.balance: torch.Tensor | None = None

    def forward(self, flat: torch.Tensor, remember: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns weights [N, k] that sum to one and expert numbers [N, k] for tokens [N, d].

        With `remember` the load-balancing loss of Fedus et al. 2021 (equation 4), experts times the sum of
        load share times probability share, is kept in `balance`; it is 1 for an even load.
        """
        probability = torch.softmax(nn.functional.linear(flat, self.weight.to(flat.dtype)).float(), dim=-1)
        top, chosen = probability.topk(self.top_k, dim=-1)
        if remember:
            count = probability.shape[-1]
            load = nn.functional.one_hot(chosen, count).float().mean((0, 1))
            balance = count * (load * probability.mean(0)).sum()
            # A recomputed layer must save the same tensors, but its loss is not another pass's.
            if not recomputing():
                self.balance = balance
        weights = top / top.sum(-1, keepdim=True)
        return weights.to(flat.dtype), chosen


def recomputing() -> bool:
    """Returns whether this call is part of a backward pass, that is, recomputes a checkpointed layer."""
    return bool(torch._C._current_graph_task_id() != -1)
