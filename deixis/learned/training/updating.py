"""How weights change: the optimizer of a plan, and the running average."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import nn

from deixis.learned.pocket.optimizer import Optimizer
from deixis.learned.training.plan import Plan

WRAPPERS = re.compile(r"(^|\.)(module|_fsdp_wrapped_module|_checkpoint_wrapped_module|_orig_mod)(?=\.)")
"""What distribution puts before the names of parameters."""
MEANINGS = re.compile(r"(embed_tokens|adapter\.word|adapter\.keys)\.weight$")
"""What words and kinds mean, in the pocket MLLM. AdamW moves all of it by the rate at every step, rare words
too, and would soon undo where they started."""
LAYERS = re.compile(r"\.layers\.\d+\.")


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Returns the parameters that take gradients, by the names that they have in the bare model."""
    named = {}
    for name, value in model.named_parameters():
        if value.requires_grad:
            named[WRAPPERS.sub("", name).removeprefix(".")] = value
    return named


def optimizer_of(named: Mapping[str, nn.Parameter], plan: Plan) -> Optimizer:
    """Returns the optimizer; Muon, where it is asked for, takes the matrices inside the decoder's layers."""
    inner, matrices, others, meanings = [], [], [], []
    for name, value in named.items():
        if plan.meanings != 1 and MEANINGS.search(name):
            meanings.append(value)
        elif value.ndim < 2:
            others.append(value)
        elif plan.optimizer == "muon" and value.ndim == 2 and LAYERS.search(f".{name}"):
            inner.append(value)
        else:
            matrices.append(value)
    groups = [
        {"params": inner, "weight_decay": plan.decay, "inner": True},
        {"params": matrices, "weight_decay": plan.decay},
        {"params": others, "weight_decay": 0.0},
        {"params": meanings, "weight_decay": 0.0, "share": plan.meanings},
    ]
    return Optimizer([group for group in groups if group["params"]], plan.rate)


class Average:
    """A running average of weights, which is often better than the last ones.

    Args:
        named: the weights.
        keep: the share that a step keeps; less in the first steps.
    """

    def __init__(self, named: Mapping[str, nn.Parameter], keep: float) -> None:
        self.keep = keep
        self.tensors = {name: value.detach().clone() for name, value in named.items()}

    @torch.no_grad()
    def follow(self, named: Mapping[str, nn.Parameter], step: int) -> None:
        """Takes a step towards the weights, after step number `step`, from 1."""
        keep = min(self.keep, step / (step + 10))
        for name, value in named.items():
            self.tensors[name].lerp_(value.detach().to(self.tensors[name].dtype), 1 - keep)

    @torch.no_grad()
    def swap(self, named: Mapping[str, nn.Parameter]) -> None:
        """Puts the average into the network and the network's weights here; twice is as before."""
        for name, value in named.items():
            kept = value.detach().clone()
            value.copy_(self.tensors[name])
            self.tensors[name].copy_(kept)
