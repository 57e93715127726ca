"""`save_pretrained` of a grafted model writes the base as it was: no twin, no changed names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deixis.learned.twin.board import Board

OWNER = "_deixis_board"
TWIN_PARTS = (".learn.", ".routers.")


def guard_saving(model: Any, board: Board) -> None:
    """Lets `save_pretrained` of the model, and of every part that holds wrapped layers, write the base."""
    for module in model.modules():
        if hasattr(type(module), "save_pretrained"):
            module.__dict__[OWNER] = board
            module.__dict__["save_pretrained"] = MethodType(_save_base, module)


def unguard_saving(model: Any) -> None:
    """Takes the guard off again."""
    for module in model.modules():
        if OWNER in module.__dict__:
            del module.__dict__[OWNER], module.__dict__["save_pretrained"]


def _save_base(self: Any, *args: Any, **kwargs: Any) -> Any:
    board: Board = self.__dict__[OWNER]
    if kwargs.get("state_dict") is not None:
        kwargs["state_dict"] = without_twins(board, kwargs["state_dict"])
    with bare(board):
        return type(self).save_pretrained(self, *args, **kwargs)


def without_twins(board: Board, state: dict[str, Any]) -> dict[str, Any]:
    """Returns a state dict of a grafted model with the base's tensors alone."""
    attributes = {site.attribute for site in board.sites.values()}
    parts = tuple(f".{attribute}{part}" for attribute in attributes for part in TWIN_PARTS)
    return {key: value for key, value in state.items() if not any(part in key for part in parts)}


@contextmanager
def bare(board: Board) -> Iterator[None]:
    """Puts the original modules in their places for the block, then the wrappers again."""
    wrappers = {index: board.wrapper(index) for index in board.sites}
    try:
        for index, wrapper in wrappers.items():
            site = board.sites[index]
            setattr(site.layer, site.attribute, wrapper.frozen)
        yield
    finally:
        for index, wrapper in wrappers.items():
            site = board.sites[index]
            setattr(site.layer, site.attribute, wrapper)
