"""KV caches belong to one expert: every cache carries the mark of what filled it.

Keys and values of a layer follow from the feed-forward modules below it, so a cache filled by the twin
contradicts the frozen expert and the other way round. One sharing is right: a prefix filled by the frozen
expert, copied, may be continued by any twin.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from types import MethodType
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault
from deixis.learned.twin.state import FROZEN, GateState

if TYPE_CHECKING:
    import torch

ATTRIBUTE = "_deixis_expert"


@dataclass
class Mark:
    """What filled a cache.

    Attributes:
        key: of the gate's state.
        forked: the cache is a copy of a frozen prefix that no twin has continued yet.
        invoked: bool [B], the rows in which a token has called the twin.
    """

    key: tuple[Any, ...]
    forked: bool = False
    invoked: torch.Tensor | None = None


def mark_of(cache: Any) -> Mark | None:
    """Returns the mark of a cache, None for one that no grafted model has filled."""
    mark = getattr(cache, ATTRIBUTE, None)
    return mark if isinstance(mark, Mark) else None


def is_empty(cache: Any) -> bool:
    """Returns whether nothing has been written into the cache."""
    layers = getattr(cache, "layers", None)
    if layers is not None and not layers:
        return True
    try:
        return int(cache.get_seq_length()) == 0
    except (ValueError, AttributeError, IndexError, NotImplementedError):
        return False


def admit(cache: Any, state: GateState) -> Mark:
    """Returns the mark under which `state` may fill `cache`, and writes it there.

    Raises:
        InputFault: another expert has filled the cache, or nobody knows who did.
    """
    mark = mark_of(cache)
    if is_empty(cache):
        mark = Mark(state.key)
    elif mark is None:
        raise InputFault(
            "twin.cache.unknown",
            "This cache was filled before the twin was grafted, or by hand, so its expert is not known.",
            "Fill a new cache; or, if the untouched base filled it, mark it with trust_cache(cache).",
        )
    elif mark.key != state.key:
        if not mark.forked:
            raise InputFault(
                "twin.cache.expert",
                f"This cache was filled by {_said(mark.key)} and cannot be continued by {_said(state.key)}.",
                "Start without a cache; a prefix of the frozen expert can be shared by twin.fork(cache).",
            )
        mark = Mark(state.key)
    else:
        mark.forked = mark.forked and state.key == FROZEN.key
    setattr(cache, ATTRIBUTE, mark)
    return mark


def fork(cache: Any) -> Any:
    """Returns a deep copy of a frozen prefix that any expert may continue; the original stays frozen's.

    Raises:
        InputFault: the frozen expert did not fill it.
    """
    mark = mark_of(cache)
    if mark is None or mark.key != FROZEN.key:
        filled = "it is not known who" if mark is None else _said(mark.key)
        raise InputFault(
            "twin.cache.fork",
            f"Only a prefix that the frozen expert filled can be shared; this one: {filled}.",
            "Fill the prefix with the twin switched off.",
        )
    twin = copy.deepcopy(cache)
    setattr(twin, ATTRIBUTE, Mark(FROZEN.key, forked=True))
    return twin


def trust_cache(cache: Any) -> Any:
    """Returns `cache`, marked as filled by the untouched base; the caller vouches for that."""
    setattr(cache, ATTRIBUTE, Mark(FROZEN.key))
    return cache


def follow_beams(cache: Any) -> None:
    """Lets the rows that called the twin move with their beams."""
    if "reorder_cache" in vars(cache):
        return

    def reorder(self: Any, beams: Any) -> None:
        type(self).reorder_cache(self, beams)
        mark = mark_of(self)
        if mark is not None and mark.invoked is not None:
            mark.invoked = mark.invoked[beams.to(mark.invoked.device)]

    cache.reorder_cache = MethodType(reorder, cache)


def _said(key: tuple[Any, ...]) -> str:
    return "the frozen expert" if key[0] == "frozen" else f"twin {key[1]} ({key[0]})"
