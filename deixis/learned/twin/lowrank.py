"""Low-rank twins: the frozen weights, used where they are, plus trained changes of small rank."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import nn

from deixis.learned.twin.balance import TokenRouter
from deixis.learned.twin.config import TwinConfig
from deixis.learned.twin.copies import dtype_of

# Routers of a mixture stay as the base trained them: a changed router is another mixture.
ROUTERS = {"gate", "router", "shared_expert_gate"}


def linears(module: nn.Module) -> dict[str, nn.Module]:
    """Returns the linear maps below `module` by path, quantised ones included, routers left out."""
    found = {}
    for path, part in module.named_modules():
        if not path or path.rpartition(".")[2] in ROUTERS or list(part.children()):
            continue
        if sizes(part) is not None:
            found[path] = part
    return found


def sizes(part: nn.Module) -> tuple[int, int] | None:
    """Returns inputs and outputs of a linear map, or None for any other module."""
    if hasattr(part, "in_features") and hasattr(part, "out_features"):
        return int(part.in_features), int(part.out_features)  # type: ignore[arg-type]
    if type(part).__name__ == "Conv1D" and hasattr(part, "nf"):  # GPT-2's linear map, stored transposed
        weight: Any = part.weight
        return int(weight.shape[0]), int(weight.shape[1])
    return None


def stacked_experts(module: nn.Module) -> dict[str, nn.Parameter]:
    """Returns the [E, m, n] weights of a mixture's experts by path."""
    return {path: value for path, value in module.named_parameters() if value.ndim == 3}


class Change(nn.Module):
    """A change of rank `rank` for one linear map; with `members`, a mixture of that many.

    `down` [members * rank, in] is random as in LoRA (Hu et al. 2021), `up` [out, members * rank] is zero, so
    the output starts as the frozen one's.
    """

    def __init__(
        self,
        size: tuple[int, int],
        rank: int,
        like: tuple[torch.device, torch.dtype],
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        device, dtype = like
        bound = 1 / math.sqrt(size[0])
        start = torch.empty(rank, size[0]).uniform_(-bound, bound, generator=generator)
        self.down = nn.Parameter(start.to(device=device, dtype=dtype))
        self.up = nn.Parameter(torch.zeros(size[1], rank, device=device, dtype=dtype))


class ChangedLinear(nn.Module):
    """Stands for a linear map in the twin: calls the frozen map, then adds the change."""

    def __init__(self, frozen: nn.Module, change: Change, owner: LowRank) -> None:
        super().__init__()
        self.parts = (frozen, change, owner)  # a tuple keeps them out of the module tree

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Returns [..., out] for [..., in]."""
        frozen, change, owner = self.parts
        base: torch.Tensor = frozen(hidden)
        flat = owner.dropped(hidden.reshape(-1, hidden.shape[-1]))
        narrow = owner.weighted(nn.functional.linear(flat, change.down.to(flat.dtype)))
        up = change.up.to(flat.dtype)
        wide = torch.addmm(base.reshape(-1, base.shape[-1]), narrow, up.t(), alpha=owner.scale)
        return wide.reshape(base.shape)

    @property
    def weight(self) -> torch.Tensor:
        """Returns the frozen weight: some feed-forward modules look at its dtype."""
        weight: torch.Tensor = self.parts[0].weight  # type: ignore[assignment]
        return weight


class ExpertChange(nn.Module):
    """A low-rank change of stacked expert weights [E, m, n]: `up` [E, m, r] (zero) times `down` [E, r, n]."""

    def __init__(
        self, weight: nn.Parameter, rank: int, dtype: torch.dtype, generator: torch.Generator
    ) -> None:
        super().__init__()
        count, height, width = weight.shape
        bound = 1 / math.sqrt(width)
        start = torch.empty(count, rank, width).uniform_(-bound, bound, generator=generator)
        self.down = nn.Parameter(start.to(device=weight.device, dtype=dtype))
        self.up = nn.Parameter(torch.zeros(count, height, rank, device=weight.device, dtype=dtype))


class LowRank(nn.Module):
    """The frozen feed-forward module with a low-rank change of each of its linear maps.

    The module's own forward runs on a shadow: a shallow copy that shares every frozen part and holds
    `ChangedLinear` where a map is changed. The frozen module itself is never touched.
    """

    def __init__(self, frozen: nn.Module, width: int, config: TwinConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.scale = config.scale
        self.dropout = config.dropout
        mixed = config.kind == "lowrank_experts"
        self.members = config.experts if mixed else 1
        self.member_rank = config.rank
        dtype = dtype_of(frozen, config)
        device = next((v.device for v in [*frozen.parameters(), *frozen.buffers()]), torch.device("cpu"))
        rank = config.rank * self.members
        self.changes = nn.ModuleDict()
        self.paths: dict[str, str] = {}
        replaced: dict[str, nn.Module] = {}
        for path, part in linears(frozen).items():
            size = sizes(part)
            if size is None:
                continue
            weight = getattr(part, "weight", None)
            home = weight.device if isinstance(weight, torch.Tensor) else device
            change = Change(size, rank, (home, dtype), generator)
            self.changes[path.replace(".", "/")] = change
            replaced[path] = ChangedLinear(part, change, self)
        self.expert_changes = nn.ModuleDict()
        for path, value in stacked_experts(frozen).items() if not mixed else ():
            self.expert_changes[path.replace(".", "/")] = ExpertChange(value, config.rank, dtype, generator)
        like = torch.empty(0, device=device, dtype=dtype)
        self.router = TokenRouter(width, self.members, config.top_k, like, generator) if mixed else None
        self.shares: torch.Tensor | None = None
        self.shadow = (shadow_of(frozen, replaced), frozen)

    @property
    def changed(self) -> list[str]:
        """Returns the paths of the maps and expert weights that are changed."""
        return [key.replace("/", ".") for key in [*self.changes, *self.expert_changes]]

    def forward(self, hidden: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """Returns what the frozen module would return with the changed weights."""
        if self.router is not None:
            flat = hidden.reshape(-1, hidden.shape[-1])
            weights, chosen = self.router(flat, self.training)
            self.shares = torch.zeros(
                len(flat), self.members, dtype=weights.dtype, device=weights.device
            ).scatter(1, chosen, weights)
        module, _ = self.shadow
        if self.expert_changes:
            module = self._with_experts()
        try:
            return module(hidden, *args, **kwargs)
        finally:
            self.shares = None

    def weighted(self, narrow: torch.Tensor) -> torch.Tensor:
        """Returns [N, members * rank] with each member's part weighted by the router."""
        if self.shares is None:
            return narrow
        parts = narrow.view(len(narrow), self.members, self.member_rank)
        return (parts * self.shares[:, :, None].to(narrow.dtype)).reshape(narrow.shape)

    def dropped(self, flat: torch.Tensor) -> torch.Tensor:
        """Returns the input of a change, thinned out while training."""
        if not self.dropout or not self.training:
            return flat
        return nn.functional.dropout(flat, self.dropout, training=True)

    def _with_experts(self) -> nn.Module:
        shadow, _ = self.shadow
        module = shadow_of(shadow, {})
        for key, change in self.expert_changes.items():
            owner, _, name = key.replace("/", ".").rpartition(".")
            holder = module.get_submodule(owner)
            weight: torch.Tensor = holder._parameters[name]  # type: ignore[assignment]
            sides: Any = change
            up, down = sides.up.to(weight.dtype), sides.down.to(weight.dtype)
            parameters: dict[str, Any] = holder._parameters
            parameters[name] = torch.baddbmm(weight, up, down, alpha=self.scale)
        return module


def shadow_of(module: nn.Module, replaced: dict[str, nn.Module], path: str = "") -> nn.Module:
    """Returns a shallow copy of a module tree that shares all tensors, with parts replaced by path."""
    if path in replaced:
        return replaced[path]
    twin = copy.copy(module)
    twin.__dict__["_parameters"] = dict(module._parameters)
    twin.__dict__["_modules"] = {
        name: part if part is None else shadow_of(part, replaced, f"{path}.{name}" if path else name)
        for name, part in module._modules.items()
    }
    return twin
