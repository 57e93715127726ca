"""Grafts a twin onto a model."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from deixis.errors import InputFault
from deixis.learned.twin.anatomy import (
    Site,
    check_copyable,
    decoder_of,
    has_experts,
    layer_stack,
    site,
)
from deixis.learned.twin.board import Board
from deixis.learned.twin.config import TwinConfig, layer_numbers
from deixis.learned.twin.copies import ExpertCopies, FullCopy, dtype_of
from deixis.learned.twin.gated import GatedLowRank, is_gated
from deixis.learned.twin.lowrank import LowRank, linears, stacked_experts
from deixis.learned.twin.saving import OWNER
from deixis.learned.twin.twin import Twin
from deixis.learned.twin.wrapper import TwinFeedForward


def graft(model: Any, config: TwinConfig | None = None) -> Twin:
    """Returns a new twin of `model`, switched off; the model is changed in place and its base is frozen.

    Only the feed-forward modules of the chosen decoder layers are replaced, each by a wrapper that holds the
    original object. A model can have several twins under different names.

    Raises:
        InputFault: a layer cannot have a twin (the message names it), or the name is taken. The model is
            then as it was.
    """
    config = config or TwinConfig()
    board = board_of(model) or Board(model)
    if config.name in board.twins:
        raise InputFault(
            "twin.name.taken",
            f"The model already has a twin named {config.name!r}.",
            "Give another name: TwinConfig(name=...).",
        )
    decoder = decoder_of(model)
    numbers = layer_numbers(config.layers, len(layer_stack(decoder)))
    generator = torch.Generator().manual_seed(config.seed)
    width = _width(decoder)
    planned = []
    for number in numbers:
        where = site(decoder, number)
        planned.append((where, _built(where, _frozen(where), width, config, generator)))
    if not board.twins:
        board.install()
    for where, learn in planned:
        wrapper = board.wrap(where)
        wrapper.learn[config.name] = learn
        learn.train(wrapper.training)
        if config.router:
            like = next(learn.parameters())
            start = torch.zeros(2, width, device=like.device, dtype=like.dtype)
            wrapper.routers[config.name] = nn.Parameter(start)
    twin = Twin(board, config, numbers)
    board.twins[config.name] = twin
    return twin


def board_of(model: Any) -> Board | None:
    """Returns the board of a grafted model, None for any other."""
    board = getattr(model, "__dict__", {}).get(OWNER)
    return board if isinstance(board, Board) and board.twins else None


def twins_of(model: Any) -> dict[str, Twin]:
    """Returns the twins of a model by name; those of a deep copy are handles of the copy."""
    board = board_of(model)
    return {} if board is None else dict(board.twins)


def _frozen(where: Site) -> nn.Module:
    module = where.module
    return module.frozen if isinstance(module, TwinFeedForward) else module


def _width(decoder: Any) -> int:
    return int(decoder.config.hidden_size)


def _built(
    where: Site, frozen: nn.Module, width: int, config: TwinConfig, generator: torch.Generator
) -> nn.Module:
    """Returns the learnable module of one layer."""
    check_copyable(where, frozen, config.kind)
    if config.kind == "full":
        return FullCopy(frozen, config)
    if config.kind == "experts":
        if has_experts(frozen):
            raise _unsupported(
                where, "is a mixture of experts already", 'Choose kind="full": it copies router and experts.'
            )
        return ExpertCopies(frozen, width, config, generator)
    if not linears(frozen) and not stacked_experts(frozen):
        raise _unsupported(
            where, "has no linear maps that a low-rank change could go beside", "Choose another kind."
        )
    if config.kind == "lowrank_experts" and has_experts(frozen):
        raise _unsupported(where, "is a mixture of experts already", 'Choose kind="lowrank" or "full".')
    if is_gated(frozen, dtype_of(frozen, config), width):
        return GatedLowRank(frozen, width, config, generator)
    return LowRank(frozen, width, config, generator)


def _unsupported(where: Site, why: str, cure: str) -> InputFault:
    return InputFault(
        "twin.layer.unsupported",
        f"Layer {where.index} ({type(where.layer).__name__}.{where.attribute}) {why}.",
        cure,
        layer=where.index,
    )
