"""The optimizer of the pocket networks: Muon for the inner weights, AdamW for the rest.

Muon (Jordan et al. 2024; PyTorch's own) makes the step of a weight matrix orthogonal. On the eye, 300
steps of 48 scenes with it reach the loss that AdamW has after half as many again. It takes
matrices only, so a convolution is handed to it as the matrix it multiplies patches by, in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault

if TYPE_CHECKING:
    import torch

MUON_FACTOR = 4.0
"""Muon's learning rate in AdamW's: an orthogonal step of it is as long as 0.8 of AdamW's longest."""
DECAY_PER_RATE = 0.4
"""Muon's weight decay in AdamW's: with the rate's factor, per step 1.6 times as much."""


class Optimizer:
    """The steps of a network's weights.

    Args:
        groups: PyTorch's parameter groups; one with ``"inner": True`` is Muon's where its weights are
            matrices or convolutions; ``"share": s`` gives a group this share of the learning rate.
        learning_rate: AdamW's highest.
    """

    def __init__(self, groups: list[dict[str, Any]], learning_rate: float) -> None:
        import torch

        inner = [one for group in groups if group.get("inner") for one in group["params"]]
        others = [
            {key: value for key, value in group.items() if key != "inner"}
            for group in groups
            if not group.get("inner")
        ]
        self._learning_rate = learning_rate
        self._inner = [(weight, torch.nn.Parameter(_matrix(weight.data))) for weight in inner]
        self._rest = torch.optim.AdamW(others, lr=learning_rate, fused=True) if others else None
        self._muon: torch.optim.Optimizer | None = None
        if inner:
            decay = max((group["weight_decay"] for group in groups if group.get("inner")), default=0.0)
            self._muon = torch.optim.Muon(
                [matrix for _, matrix in self._inner],
                lr=learning_rate * MUON_FACTOR,
                weight_decay=decay * DECAY_PER_RATE,
                adjust_lr_fn="match_rms_adamw",
            )

    def step(self, share: float) -> None:
        """Takes a step with `share` of the learning rates, and forgets the gradients."""
        if self._rest is not None:
            for group in self._rest.param_groups:
                group["lr"] = self._learning_rate * share * group.get("share", 1.0)
            self._rest.step()
            self._rest.zero_grad()
        if self._muon is None:
            return
        for weight, matrix in self._inner:
            matrix.grad = None if weight.grad is None else _matrix(weight.grad, weight).contiguous()
        for group in self._muon.param_groups:
            group["lr"] = self._learning_rate * MUON_FACTOR * share
        self._muon.step()
        for weight, matrix in self._inner:
            weight.grad = matrix.grad = None

    def tensors(self) -> dict[str, torch.Tensor]:
        """Returns what the optimizer remembers, by name."""
        return {
            f"{name}.{number}.{key}": value
            for name, one in self._both()
            for number, state in one.state_dict()["state"].items()
            for key, value in state.items()
        }

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Takes up what `tensors` returned for a network of the same shape.

        Raises:
            InputFault: it is another network's.
        """
        import torch

        for name, one in self._both():
            flat = [weight for group in one.param_groups for weight in group["params"]]
            states: dict[int, dict[str, Any]] = {}
            for key, value in tensors.items():
                owner, number, what = key.split(".", 2)
                if owner != name:
                    continue
                if int(number) >= len(flat) or (value.ndim and value.shape != flat[int(number)].shape):
                    raise InputFault(
                        "train.resume.shape",
                        f"The checkpoint's {key} is of another network.",
                        "Start it without --resume.",
                    )
                # The fused step takes both as one row of numbers: they must lie in the same order.
                kept = torch.empty_like(flat[int(number)].detach()).copy_(value) if value.ndim else value
                states.setdefault(int(number), {})[what] = kept
            one.load_state_dict({"state": states, "param_groups": one.state_dict()["param_groups"]})

    def _both(self) -> list[tuple[str, torch.optim.Optimizer]]:
        both = (("rest", self._rest), ("muon", self._muon))
        return [(name, one) for name, one in both if one is not None]


def _matrix(values: torch.Tensor, like: torch.Tensor | None = None) -> torch.Tensor:
    """Returns a weight (out, in, …) as a matrix (out, …), a view wherever its memory allows one.

    With `like` the columns are in the order that this weight's have.
    """
    first = values if like is None else like
    if values.ndim <= 2 or first.is_contiguous():
        return values.flatten(1)
    return values.permute(0, *range(2, values.ndim), 1).flatten(1)


def split(network: torch.nn.Module, weight_decay: float, outer: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Returns the parameter groups: inner weights, other weights, and what does not decay.

    Inner are all weights of two dimensions and more but the first layer's, which sees too few channels,
    and those whose name begins with one of `outer`: what reads the features.
    """
    named = list(network.named_parameters())
    many = [(name, one) for name, one in named if one.ndim > 1]
    inner = [one for name, one in many if one.shape[1] > 3 and not name.startswith(outer or ("\0",))]
    chosen = {id(one) for one in inner}
    return [
        {"params": inner, "weight_decay": weight_decay, "inner": True},
        {"params": [one for _, one in many if id(one) not in chosen], "weight_decay": weight_decay},
        {"params": [one for _, one in named if one.ndim <= 1], "weight_decay": 0.0},
    ]
