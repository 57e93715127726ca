"""The settings of a twin: its kind, its layers, its sizes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from deixis.errors import InputFault

Kind = Literal["full", "experts", "lowrank", "lowrank_experts"]

PATTERN = re.compile(r"all|first_half|second_half|every:[1-9][0-9]*")
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]

# Names that the module tree needs for itself.
RESERVED = {"frozen", "learn", "training", "clear", "pop", "keys", "items", "values", "update"}


class TwinConfig(BaseModel):
    """How a twin is built. Where the paper is silent the defaults are those of its base, MoE-LLaVA.

    Attributes:
        kind: ``full`` a copy of the feed-forward module; ``experts`` copies under a token router;
            ``lowrank`` the frozen weights plus low-rank changes; ``lowrank_experts`` a mixture of those.
        layers: ``every:2`` (layers 0, 2, 4 ..., as in MoE-LLaVA), ``all``, ``first_half``, ``second_half``,
            or layer numbers; negative numbers count from the end.
        name: of this twin among those of the model.
        rank: of the low-rank kinds.
        alpha: the low-rank change is scaled by alpha / rank; None stands for alpha = rank.
        dropout: share of inputs dropped before the low-rank change, while training.
        experts: copies, or low-rank members.
        top_k: experts that each token uses.
        auxiliary_weight: of the load-balancing loss (0.01 in MoE-LLaVA).
        router: also build a learned router between frozen and twin. Not forget-free where it is used.
        dtype: of the twin's parameters, such as ``float32``; None takes the base's.
        seed: of the random start; the global generators are left alone.
        notes: JSON-like facts that travel in the adapter folder (loss settings, coordinate format ...).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "full"
    layers: str | tuple[int, ...] = "every:2"
    name: Name = "default"
    rank: int = Field(16, ge=1)
    alpha: float | None = Field(None, gt=0)
    dropout: float = Field(0.0, ge=0, lt=1)
    experts: int = Field(4, ge=2)
    top_k: int = Field(2, ge=1)
    auxiliary_weight: float = Field(0.01, ge=0)
    router: bool = False
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    seed: int = 0
    notes: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> TwinConfig:
        if self.top_k > self.experts:
            raise ValueError(f"top_k is {self.top_k} but there are {self.experts} experts")
        if self.name in RESERVED:
            raise ValueError(f"the name {self.name!r} is taken by the module tree")
        if isinstance(self.layers, str) and not PATTERN.fullmatch(self.layers):
            raise ValueError(
                f"layers {self.layers!r} is none of all, first_half, second_half, every:N or numbers"
            )
        return self

    @property
    def scale(self) -> float:
        """Returns what the low-rank change is multiplied with."""
        return (self.rank if self.alpha is None else self.alpha) / self.rank


def layer_numbers(layers: str | tuple[int, ...], count: int) -> list[int]:
    """Returns the chosen layer numbers, ascending, of a decoder with `count` layers.

    Raises:
        InputFault: a number is out of range or named twice, or nothing is chosen.
    """
    if isinstance(layers, str):
        if layers == "all":
            return list(range(count))
        if layers == "first_half":
            return list(range((count + 1) // 2))
        if layers == "second_half":
            return list(range(count // 2, count))
        return list(range(0, count, int(layers.partition(":")[2])))
    chosen = [number + count if number < 0 else number for number in layers]
    wrong = [given for given, number in zip(layers, chosen, strict=True) if not 0 <= number < count]
    if wrong or not chosen or len(set(chosen)) != len(chosen):
        what = (
            f"Layers {wrong} are not there" if wrong else f"The layers {list(layers)} name none, or one twice"
        )
        raise InputFault(
            "twin.layers", f"{what}; the decoder has {count}.", f"Name each of 0 to {count - 1} once at most."
        )
    return sorted(chosen)
